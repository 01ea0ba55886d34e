"""What every builder promises, as a table: a new builder is one record.

The properties that each record is held to are in `tests/models/test_contract.py`. This
file imports Keras alone, so that it can run under any backend.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_seq.models import (
    linear,
    rnn,
    segments,
    sentiment,
    speech,
    stock,
    tagging,
    text_generation,
)

VOCAB_SIZE = 20
RATIOS = np.random.default_rng(0).normal(size=(64, 1)).astype("float32")
RATIOS_OF_3 = np.random.default_rng(1).normal(size=(64, 3)).astype("float32")


@dataclass(frozen=True)
class Record:
    """One builder with its arguments.

    Attributes:
        name: what pytest calls it.
        build: makes the model.
        sizes: its integer arguments by name, each of which must be checked.
        output: shape behind the batch; None stands for T.
        fixed_batch: B, where the model's state belongs to rows.
        loss: of targets that are class numbers.
    """

    name: str
    build: Callable[..., keras.Model]
    sizes: dict[str, int]
    output: tuple[int | None, ...]
    options: dict[str, Any] = field(default_factory=dict)
    fixed_batch: int | None = None

    def model(self, **changes: Any) -> keras.Model:
        return self.build(**(self.sizes | self.options | changes))

    def compiled(self) -> keras.Model:
        binary = self.output == (1,)
        logits = self.output[0] is None
        loss = (
            keras.losses.BinaryCrossentropy()
            if binary
            else keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
        )
        model = self.model()
        model.compile(keras.optimizers.Adam(0.02), loss)
        return model

    def token_ids(self, lengths: tuple[int, ...], steps: int) -> np.ndarray:
        """int32 (B, T): random ids, zeros from each length on."""
        rng = np.random.default_rng(3)
        ids = rng.integers(1, VOCAB_SIZE, (len(lengths), steps))
        return np.where(np.arange(steps) < np.array(lengths)[:, None], ids, 0).astype(
            "int32"
        )


def stacked(name: str, build: Callable, units: str, **options: Any) -> Record:
    sizes = {"vocab_size": VOCAB_SIZE, "embedding_dim": 4, units: 5}
    classes = options.pop("num_classes", None)
    if classes:
        sizes["num_classes"] = classes
    return Record(name, build, sizes, (classes or VOCAB_SIZE,), options)


SENTIMENT = {"vocab_size": VOCAB_SIZE, "embedding_dim": 4, "lstm_units": 5}
STRONG = {
    "dropout": 0.5,
    "recurrent_dropout": 0.0,
    "embedding_dropout": 0.5,
    "bidirectional": True,
    "pooling": "max_and_mean",
}
TEXT_GENERATION = {"vocab_size": VOCAB_SIZE, "embedding_dim": 4, "rnn_units": 5}
TAGGING = {"vocab_size": VOCAB_SIZE, "num_tags": 4, "embedding_dim": 8, "lstm_units": 9}
RECORDS = [
    Record(
        "simple_rnn",
        rnn.build_simple_rnn,
        {"vocab_size": VOCAB_SIZE, "embedding_dim": 4, "rnn_units": 5, "batch_size": 4},
        (None, VOCAB_SIZE),
        fixed_batch=4,
    ),
    stacked("lstm", rnn.build_lstm_model, "lstm_units"),
    stacked("lstm_classes", rnn.build_lstm_model, "lstm_units", num_classes=3),
    stacked("gru", rnn.build_gru_model, "gru_units"),
    stacked("bidirectional", rnn.build_bidirectional_lstm, "lstm_units"),
    stacked(
        "lstm_residual", rnn.build_lstm_model, "lstm_units", residual=True,
        num_layers=3, num_classes=3,
    ),
    stacked(
        "bidirectional_residual", rnn.build_bidirectional_lstm, "lstm_units",
        residual=True, num_classes=3, kernel_regularizer="l2",
    ),
    Record(
        "text_generation", text_generation.build_text_generation_model,
        TEXT_GENERATION | {"num_layers": 2}, (None, VOCAB_SIZE),
    ),
    Record(
        "text_generation_tied", text_generation.build_text_generation_model,
        TEXT_GENERATION, (None, VOCAB_SIZE),
        {"cell": "gru", "tie_embeddings": True, "layer_norm": True},
    ),
    Record("tagging", tagging.build_tagging_model, TAGGING, (None, 4)),
    Record(
        "tagging_deep", tagging.build_tagging_model, TAGGING | {"num_layers": 2},
        (None, 4), {"dropout": 0.1, "word_dropout": 0.1},
    ),
    Record("sentiment", sentiment.build_sentiment_model, SENTIMENT, (1,)),
    Record(
        "sentiment_strong", sentiment.build_sentiment_model, SENTIMENT, (1,),
        STRONG | {"ngram_ratios": RATIOS},
    ),
    Record(
        "sentiment_of_3", sentiment.build_sentiment_model,
        SENTIMENT | {"num_classes": 3}, (3,), STRONG | {"ngram_ratios": RATIOS_OF_3},
    ),
]  # fmt: skip


@dataclass(frozen=True)
class WindowRecord:
    """One builder of windows float32 (B, T, F), with its arguments.

    Attributes:
        name: what pytest calls it.
        build: makes the model.
        sizes: its integer arguments by name, each of which must be checked.
        output: shape behind the batch.
    """

    name: str
    build: Callable[..., keras.Model]
    sizes: dict[str, int]
    output: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def model(self, **changes: Any) -> keras.Model:
        return self.build((12, 3), **(self.sizes | self.options | changes))

    def windows(self, count: int) -> np.ndarray:
        rng = np.random.default_rng(3)
        return rng.normal(size=(count, 12, 3)).astype("float32")


ALL_OPTIONS = {
    "quantiles": (0.1, 0.5, 0.9), "attention": True, "residual": True,
    "normalize_window": True, "cell": "gru",
}  # fmt: skip
STOCK = {"horizon": 5, "num_targets": 2, "units": 6, "num_layers": 2}
SEGMENTS = {"horizon": 5, "num_targets": 2, "units": 6, "segment_length": 3}
WINDOW_RECORDS = [
    WindowRecord("stock", stock.build_stock_prediction_model, {}, (1,), {"units": 6}),
    WindowRecord("stock_steps", stock.build_stock_prediction_model, STOCK, (5, 2)),
    WindowRecord(
        "stock_options", stock.build_stock_prediction_model, STOCK, (5, 2, 3),
        ALL_OPTIONS,
    ),
    WindowRecord(
        "segment_rnn", segments.build_segment_rnn, SEGMENTS, (5, 2, 3),
        {"quantiles": (0.1, 0.5, 0.9), "dropout": 0.0},
    ),
    WindowRecord(
        "linear", linear.build_linear_forecaster, {"horizon": 5, "num_targets": 2},
        (5, 2),
    ),
]  # fmt: skip


@dataclass(frozen=True)
class FrameRecord:
    """One builder of frames float32 (B, T, F), which answers at every frame.

    Attributes:
        name: what pytest calls it.
        build: makes the model.
        sizes: its integer arguments by name, each of which must be checked.
    """

    name: str
    build: Callable[..., keras.Model]
    sizes: dict[str, int]
    options: dict[str, Any] = field(default_factory=dict)

    def model(self, **changes: Any) -> keras.Model:
        return self.build(**(self.sizes | self.options | changes))

    def inputs(self, lengths: tuple[int, ...], steps: int) -> list[np.ndarray]:
        """float32 (B, T, F) with noise behind each end, and the lengths if asked."""
        rng = np.random.default_rng(3)
        shape = (len(lengths), steps, self.sizes["num_features"])
        features = rng.normal(size=shape).astype("float32")
        asked = len(self.model().inputs)
        return [features, np.array(lengths, "int32")][:asked]


FRAMES = {"num_classes": 4, "num_features": 3, "lstm_units": 6, "num_layers": 2}
FRAME_RECORDS = [
    FrameRecord("speech", speech.build_speech_model, FRAMES),
    FrameRecord(
        "speech_strong", speech.build_speech_model, FRAMES,
        {"bidirectional": True, "subsampling": 4, "logits": True},
    ),
]  # fmt: skip


def run_under_jax(root: Path, script: str) -> None:
    """Runs Python lines, asserts among them, in a process with JAX behind Keras."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root, env={"KERAS_BACKEND": "jax", "PYTHONPATH": str(root), "PATH": ""},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
