"""The vanishing gradient, seen: how far back the error of one token reaches.

Three small models of a kind of cell each learn the same text for a moment; then the
loss of the last token alone is followed back. Independent of files of text.

Shapes: B batch, T time steps.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_seq.evaluation.figures import gradient_by_time_figure
from keras_seq.losses import TokenLoss
from keras_seq.models.recurrent_states import CELLS
from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.text.streams import make_stream_dataset
from keras_seq.training.event_files import EventWriter
from keras_seq.training.report_board import ReportBoard
from keras_seq.training.through_time import gradient_by_time

EMBEDDING_DIM, UNITS = 32, 64
BATCH, STEPS = 16, 48
TRAINED_BATCHES = 100


def gradients_by_distance(
    token_ids: np.ndarray, vocab_size: int, batches: int = TRAINED_BATCHES
) -> dict[str, np.ndarray]:
    """|dL_t/dh_k| for every distance t - k, of SimpleRNN, LSTM and GRU.

    Hochreiter 1991 and Bengio et al. 1994, "Learning long-term dependencies with
    gradient descent is difficult". L_t is the loss of the last token of each row.

    Args:
        token_ids: int32 (N,).
        vocab_size: V.
        batches: of training before the look, the same for all.

    Returns:
        Kind of cell to float32 (T,), the nearest step (distance 0) first, each divided
        by its value there.
    """
    # A short text has fewer streams, each of T steps at least.
    batch = max(1, min(BATCH, len(token_ids) // STEPS))
    steps = max(1, min(STEPS, len(token_ids) // batch))
    streams = make_stream_dataset(token_ids, batch_size=batch, steps=steps)
    read = [(x[0], y) for x, y in itertools.islice(streams.repeat(), batches + 1)]
    # All but the last target of a row are none.
    inputs, targets = next((x, y) for x, y in reversed(read) if y.shape[1] == steps)
    last = tf.concat([tf.zeros_like(targets[:, :-1]), targets[:, -1:]], axis=1)
    found: dict[str, np.ndarray] = {}
    for kind in CELLS:
        model = build_text_generation_model(vocab_size, EMBEDDING_DIM, UNITS, cell=kind)
        model.compile(keras.optimizers.Adam(0.003), TokenLoss())
        for x, y in read[:batches]:
            model.train_on_batch(x, y)
        norms = gradient_by_time(model, (inputs, last))[::-1]
        found[kind] = norms / max(float(norms[0]), 1e-12)
    return found


def show_gradients_by_distance(run_dir: Path, norms: Mapping[str, np.ndarray]) -> None:
    """Adds them to TensorBoard: one curve a kind of cell, and a picture of all.

    Args:
        run_dir: the run's folder.
        norms: of `gradients_by_distance`.
    """
    for kind, values in norms.items():
        writer = EventWriter(run_dir / "tensorboard" / f"through_time_{kind}")
        for distance, value in enumerate(values):
            # The step of this curve is the distance in time.
            writer.scalar("gradient_by_distance", value, step=distance)
        writer.close()
    with ReportBoard(run_dir) as board:
        # The figure's steps are in the order of reading.
        image = gradient_by_time_figure({kind: v[::-1] for kind, v in norms.items()})
        board.image("gradient_through_time", image)
