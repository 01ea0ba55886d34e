"""The tutorial's own two language models, trained as it has them and served like ours.

A stateful SimpleRNN that scores the next token at every step of contiguous streams, and
an LSTM that reads a window and names the next token. Their weights then go into a
`build_text_generation_model` of the same layers, which answers the same and is what
generation, scores and export are made for.

Shapes: B batch, T time steps, V vocabulary.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from keras_seq.models.rnn import build_lstm_model, build_simple_rnn
from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.text.reversible import ReversibleTokenizer
from keras_seq.text.streams import make_stream_dataset, make_token_window_dataset
from keras_seq.training.trainer import fit

EMBEDDING_DIM, UNITS = 128, 256
STEPS = 64  # of a stretch, and of a window
EPOCHS = 5
MOST_EPOCHS = 1000  # where a time limit says when to stop
NUM_LAYERS = {"simple_rnn": 1, "lstm": 2}


class RestartStates(keras.callbacks.Callback):
    """Zeroes the states of stateful layers where all streams restart: at each pass."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._restart()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._restart()

    def _restart(self) -> None:
        for layer in self.model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()


def train_documented(
    kind: Literal["simple_rnn", "lstm"],
    coder: ReversibleTokenizer,
    token_ids: Mapping[str, np.ndarray],
    recipe: Mapping[str, Any],
    run_dir: Path | None,
) -> tuple[keras.Model, keras.callbacks.History]:
    """Trains `build_simple_rnn` or `build_lstm_model`.

    Args:
        kind: which.
        coder: of the tokens.
        token_ids: "train" and "validation", int32 (N,).
        recipe: `batch_size`, `seed`, `max_seconds` and `epochs`.
        run_dir: takes TensorBoard's logs.

    Returns:
        The model to serve, and Keras' History.
    """
    batch_size, seed = recipe["batch_size"], recipe["seed"]
    vocab_size = coder.vocab_size
    sizes = {"batch_size": batch_size, "steps": STEPS, "seed": seed}
    if kind == "simple_rnn":
        model = build_simple_rnn(vocab_size, EMBEDDING_DIM, UNITS, batch_size)
        train, validation = (
            make_stream_dataset(token_ids[part], transform=_no_restarts, **sizes)
            for part in ("train", "validation")
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        model = build_lstm_model(vocab_size, EMBEDDING_DIM, UNITS)
        train, validation = (
            make_token_window_dataset(token_ids[part], **sizes)
            for part in ("train", "validation")
        )
        loss = keras.losses.SparseCategoricalCrossentropy()
    epochs = EPOCHS if recipe["max_seconds"] is None else MOST_EPOCHS
    history = fit(
        model,
        train,
        validation_data=validation,
        epochs=recipe["epochs"] or epochs,
        loss=loss,
        max_seconds=recipe["max_seconds"],
        run_dir=run_dir,
        resume=recipe["resume"],
        callbacks=[RestartStates()],
    )
    return as_text_generation_model(model, kind), history


def as_text_generation_model(
    model: keras.Model, kind: Literal["simple_rnn", "lstm"]
) -> keras.Model:
    """The same layers with the same weights, as `build_text_generation_model` has them.

    Example:

    >>> model = build_lstm_model(9, 4, 5)
    >>> ours = as_text_generation_model(model, "lstm")
    >>> window = tf.constant([[2, 3, 4]])
    >>> same = tf.nn.softmax(ours(window)[:, -1]) - model(window)
    >>> bool(tf.reduce_max(tf.abs(same)) < 1e-6)
    True
    """
    embedding = model.get_layer("embedding")
    units = model.get_layer("rnn" if kind == "simple_rnn" else "lstm_1").units
    ours = build_text_generation_model(
        embedding.input_dim,
        embedding.output_dim,
        units,
        cell=kind,
        num_layers=NUM_LAYERS[kind],
    )
    ours.set_weights([w.numpy() for w in model.trainable_variables])
    return ours


def _no_restarts(
    inputs: tuple[tf.Tensor, tf.Tensor], targets: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    return inputs[0], targets
