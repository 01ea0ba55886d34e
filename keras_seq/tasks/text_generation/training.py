"""How a language model is trained: streams, carried states, and the recipe's options.

Joins what stands elsewhere (`bptt`, `planned`) into one call, with the recipes that
were chosen on validation text. Independent of files of text.

Shapes: B batch, T time steps, V vocabulary.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.log import log
from keras_seq.losses import TokenLoss
from keras_seq.metrics import Perplexity
from keras_seq.tasks.text_generation.client import write_texts
from keras_seq.tasks.text_generation.server import TextGenerator
from keras_seq.text.reversible import ReversibleTokenizer
from keras_seq.text.streams import make_stream_dataset
from keras_seq.training.bptt import TruncatedBackprop
from keras_seq.training.event_files import EventWriter
from keras_seq.training.planned import fit_planned

SAMPLE = {"max_new_tokens": 200}
SHOWN = 120  # characters of it on the terminal
BUILDER_OPTIONS = (
    "embedding_dim rnn_units cell num_layers dropout variational_dropout "
    "tie_embeddings layer_norm residual"
).split()
RECIPES: dict[str, dict[str, Any]] = {
    "characters": {
        "embedding_dim": 64,
        "rnn_units": 256,
        "num_layers": 1,
        "dropout": 0.3,
        "batch_size": 32,
        "steps": 64,
        "learning_rate": 0.006,
        "epochs": 8,
    },
    "words": {
        "embedding_dim": 256,
        "rnn_units": 600,
        "num_layers": 1,
        "dropout": 0.3,
        "variational_dropout": True,
        "tie_embeddings": True,
        "batch_size": 24,
        "steps": 35,
        "learning_rate": 0.003,
        "epochs": 12,
    },
}
RECIPES["bytes"] = RECIPES["characters"]
RECIPES["subwords"] = RECIPES["characters"] | {
    "embedding_dim": 256,
    "tie_embeddings": True,
}


def language_recipe(tokens: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A kind of tokens' recipe, with the settings that were given instead.

    Args:
        tokens: "characters", "words", "bytes" or "subwords".
        settings: by name; None and False leave the recipe's.

    Returns:
        Every option by name.

    Example:

    >>> recipe = language_recipe("words", {"rnn_units": 200, "dropout": None})
    >>> recipe["rnn_units"], recipe["dropout"], recipe["tie_embeddings"]
    (200, 0.3, True)
    """
    given = {n: v for n, v in settings.items() if v is not None and v is not False}
    recipe = dict(settings) | RECIPES[tokens] | given
    if given.get("max_seconds") is not None and "epochs" not in given:
        recipe["epochs"] = None  # as many steps as there is time for
    return recipe


def builder_options(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Of a recipe, what `build_text_generation_model` takes beside the vocabulary."""
    return {name: recipe[name] for name in BUILDER_OPTIONS}


class TextSamples(keras.callbacks.Callback):
    """Writes a sample to TensorBoard and one line of it to stderr, each epoch.

    Args:
        write: makes a text with the weights of the moment.
        log_dir: folder of the run's TensorBoard logs; None writes to stderr alone.
    """

    def __init__(self, write: Callable[[], str], log_dir: Path | None = None) -> None:
        super().__init__()
        self._write = write
        self._writer = EventWriter(log_dir, ".text")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        text = self._write()
        line = " ".join(text.split())[:SHOWN]
        log.info(f"  sample: {line}")
        if self._writer.log_dir is not None:
            with self._writer.at(epoch):
                # Markdown: indented lines stay as they are.
                lines = ("    " + line for line in text.splitlines())
                tf.summary.text("sample", "\n".join(lines))
            self._writer.close()  # to be read at once

    def get_state(self) -> dict:
        """How far the file is written: a sample is a function of the weights."""
        return {"files": self._writer.get_state()}

    def set_state(self, state: dict) -> None:
        """Cuts off what is going to be written again."""
        self._writer.set_state(state["files"])


def train_language_model(
    model: keras.Model,
    coder: ReversibleTokenizer,
    token_ids: Mapping[str, np.ndarray],
    recipe: Mapping[str, Any],
    run_dir: Path,
) -> keras.callbacks.History:
    """Trains a language model by truncated back-propagation through time.

    Args:
        model: of `build_text_generation_model`; it learns.
        coder: of the tokens, for a sample of text each epoch.
        token_ids: "train" and "validation", int32 (N,).
        recipe: of `language_recipe`.
        run_dir: takes TensorBoard's logs, checkpoints and the planned steps.

    Returns:
        Keras' History.
    """
    batch_size, seed = recipe["batch_size"], recipe["seed"]
    sizes = {"batch_size": batch_size, "steps": recipe["steps"], "seed": seed}
    generator = TextGenerator(model, coder)

    def carried(core: keras.Model) -> keras.Model:
        return TruncatedBackprop(
            core,
            batch_size,
            weight_drop=recipe["weight_drop"],
            temporal_activation=recipe["temporal_activation"],
        )

    def write() -> str:
        return write_texts(generator.signature(), [""], **SAMPLE)[0]["text"]

    return fit_planned(
        carried(model),
        make_stream_dataset(token_ids["train"], shuffle=True, **sizes),
        make_stream_dataset(token_ids["validation"], **sizes),
        TokenLoss(recipe["label_smoothing"]),
        recipe,
        epochs=RECIPES[coder.kind]["epochs"],
        learning_rate=recipe["learning_rate"],
        run_dir=run_dir,
        token_names=coder.names,
        average=recipe["average"],
        metrics=[Perplexity()],
        monitor="val_perplexity",
        callbacks=[TextSamples(write, Path(run_dir, "tensorboard"))],
        copy=lambda: carried(keras.models.clone_model(model)),
    )
