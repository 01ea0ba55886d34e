"""What every builder promises, as a table: a new builder is one record.

The properties that each record is held to are in `tests/models/test_contract.py`. This
file imports Keras alone, so that it can run under any backend.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_seq.losses import ctc_loss, ctc_loss_of_probabilities, ctc_targets
from keras_seq.models import (
    captioning,
    image_encoder,
    linear,
    rnn,
    segments,
    sentiment,
    speech,
    stock,
    tagging,
    text_generation,
    transformer,
    translation,
)

VOCAB_SIZE = 20
LENGTHS, STEPS = (7, 3, 1, 5), 9  # of four rows, the longest of them padded, too
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
        options: its further arguments.
        fixed_batch: B, where the model's state belongs to rows.
    """

    name: str
    build: Callable[..., keras.Model]
    sizes: Mapping[str, int]
    output: tuple[int | None, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    fixed_batch: int | None = None
    input_names = ("token_ids",)
    fitted = 0.35  # of the first loss, which four samples that are learned fall below

    def model(self, **changes: Any) -> keras.Model:
        return self.build(**{**self.sizes, **self.options, **changes})

    def without_dropout(self) -> keras.Model:
        """What can learn four samples by heart."""
        return self.model()

    def inputs(
        self, lengths: tuple[int, ...] = LENGTHS, steps: int = STEPS
    ) -> list[np.ndarray]:
        """One array an input, (B, T, ...) or lengths, padded behind each end."""
        ids = np.random.default_rng(3).integers(1, VOCAB_SIZE, (len(lengths), steps))
        return [np.where(present(lengths, steps), ids, 0).astype("int32")]

    def alone(self, inputs: list[np.ndarray], row: int) -> list[np.ndarray]:
        """One row without its padding."""
        return [inputs[0][row : row + 1, : LENGTHS[row]]]

    def shape(self, steps: int) -> tuple[int, ...]:
        """Of an answer, behind the batch."""
        return tuple(steps if size is None else size for size in self.output)

    def loss(self) -> Callable:
        if self.output == (1,):
            return keras.losses.BinaryCrossentropy()
        logits = self.output[0] is None
        return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)

    def targets(self) -> Any:
        """For four rows: class numbers, of every step where it has an answer."""
        if self.output[0] is None:
            return np.arange(4 * STEPS).reshape(4, STEPS) % self.output[-1]
        return np.arange(4) % max(2, self.output[-1])


@dataclass(frozen=True)
class Windows(Record):
    """A builder of windows float32 (B, 12, 3): nothing is padded."""

    input_names = ("window",)

    def model(self, **changes: Any) -> keras.Model:
        return super().model(**{"input_shape": (12, 3), **changes})

    def inputs(
        self, lengths: tuple[int, ...] = LENGTHS, steps: int = STEPS
    ) -> list[np.ndarray]:
        rng = np.random.default_rng(3)
        return [rng.normal(size=(len(lengths), 12, 3)).astype("float32")]

    def alone(self, inputs: list[np.ndarray], row: int) -> list[np.ndarray]:
        return [inputs[0][row : row + 1]]

    def loss(self) -> Callable:
        return keras.losses.MeanSquaredError()

    def targets(self) -> np.ndarray:
        return np.random.default_rng(0).normal(size=(4, *self.output))


@dataclass(frozen=True)
class Frames(Record):
    """A builder of frames float32 (B, T, F), which answers at every frame or fewer."""

    input_names = ("features", "lengths")
    fitted = 0.1

    def without_dropout(self) -> keras.Model:
        return self.model(dropout=0.0)

    def inputs(
        self, lengths: tuple[int, ...] = LENGTHS, steps: int = STEPS
    ) -> list[np.ndarray]:
        """Noise behind each end; the lengths where the model asks for them."""
        shape = (len(lengths), steps, self.sizes["num_features"])
        features = np.random.default_rng(3).normal(size=shape).astype("float32")
        return [features, np.array(lengths, "int32")][: len(self.model().inputs)]

    def alone(self, inputs: list[np.ndarray], row: int) -> list[np.ndarray]:
        one = [part[row : row + 1] for part in inputs]
        return [one[0][:, : LENGTHS[row]], *one[1:]]

    def answered(self, steps: Any) -> Any:
        """Of so many frames, those with an answer."""
        return speech.answered_frames(steps, self.options.get("subsampling", 1))

    def shape(self, steps: int) -> tuple[int, ...]:
        return super().shape(int(self.answered(steps)))

    def loss(self) -> Callable:
        return ctc_loss if self.options.get("logits") else ctc_loss_of_probabilities

    def targets(self) -> Any:
        labels = np.array([[1, 2], [2, 0], [0, 0], [2, 3]], "int32")
        return ctc_targets(self.answered(np.array(LENGTHS)), labels)


@dataclass(frozen=True)
class Pairs(Record):
    """An encoder-decoder: source ids, and target ids that it is shifted by.

    `build` stands in a module with the functions of one step.
    """

    input_names = ("source_ids", "target_ids")

    def without_dropout(self) -> keras.Model:
        return self.model(dropout=0.0)

    def inputs(
        self, lengths: tuple[int, ...] = LENGTHS, steps: int = STEPS
    ) -> list[np.ndarray]:
        """Targets as long as their source, behind a 0 that begins them."""
        source, target = (super(Pairs, self).inputs(lengths, steps)[0] for _ in "ab")
        target = np.roll((target * 7) % VOCAB_SIZE, 1, axis=1)
        target[:, 0] = 0
        return [source, np.where(present(lengths, steps), target, 0).astype("int32")]

    def alone(self, inputs: list[np.ndarray], row: int) -> list[np.ndarray]:
        return [part[row : row + 1, : LENGTHS[row]] for part in inputs]

    def targets(self) -> np.ndarray:
        return np.roll(self.inputs()[1], -1, axis=1)

    def loss(self) -> Callable:
        return keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=0
        )


@dataclass(frozen=True)
class Captions(Pairs):
    """A writer about pictures, or about their features: nothing of those is padded."""

    input_names = ("features", "target_ids")
    shape_of_features = (2, 3, 6)

    def model(self, **changes: Any) -> keras.Model:
        return super().model(**{"feature_shape": self.shape_of_features, **changes})

    def inputs(
        self, lengths: tuple[int, ...] = LENGTHS, steps: int = STEPS
    ) -> list[np.ndarray]:
        shape = len(lengths), *self.shape_of_features
        features = np.random.default_rng(3).normal(size=shape).astype("float32")
        return [features, super().inputs(lengths, steps)[1]]

    def alone(self, inputs: list[np.ndarray], row: int) -> list[np.ndarray]:
        return [inputs[0][row : row + 1], super().alone(inputs, row)[1]]


@dataclass(frozen=True)
class Pictures(Captions):
    """The same, with the network that reads pictures."""

    input_names = ("image", "target_ids")
    image_shape = (8, 12, 3)

    def model(self, **changes: Any) -> keras.Model:
        encoder = image_encoder.build_image_encoder(self.image_shape, (4, 6))
        return super().model(encoder=encoder, **changes)

    def inputs(
        self, lengths: tuple[int, ...] = LENGTHS, steps: int = STEPS
    ) -> list[np.ndarray]:
        shape = len(lengths), *self.image_shape
        image = np.random.default_rng(3).uniform(0, 255, shape).astype("float32")
        return [image, super().inputs(lengths, steps)[1]]


def present(lengths: tuple[int, ...], steps: int) -> np.ndarray:
    """bool (B, T)"""
    return np.arange(steps) < np.array(lengths)[:, None]


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
ALL_OPTIONS = {
    "quantiles": (0.1, 0.5, 0.9),
    "attention": True,
    "residual": True,
    "normalize_window": True,
    "cell": "gru",
}
STOCK = {"horizon": 5, "num_targets": 2, "units": 6, "num_layers": 2}
SEGMENTS = {"horizon": 5, "num_targets": 2, "units": 6, "segment_length": 3}
FRAMES = {"num_classes": 4, "num_features": 3, "lstm_units": 6, "num_layers": 2}
VOCABULARIES = {"source_vocab_size": VOCAB_SIZE, "target_vocab_size": VOCAB_SIZE}
RNN = VOCABULARIES | {"embedding_dim": 6, "rnn_units": 8}
CAPTIONS = {"vocab_size": VOCAB_SIZE, "embedding_dim": 6, "lstm_units": 8}
ATTENTION = VOCABULARIES | {"model_dim": 8, "num_heads": 2, "num_layers": 2}


def recurrent(name: str, sizes: dict[str, int] | None = None, **options: Any) -> Pairs:
    build = translation.build_translation_model
    return Pairs(name, build, RNN | (sizes or {}), (None, VOCAB_SIZE), options)


def captions(name: str, kind: type[Captions] = Captions, **options: Any) -> Captions:
    build = captioning.build_captioning_model
    return kind(name, build, CAPTIONS, (None, VOCAB_SIZE), options)


def attentive(name: str, **options: Any) -> Pairs:
    build = transformer.build_transformer
    return Pairs(name, build, ATTENTION, (None, VOCAB_SIZE), options)


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
        "lstm_residual",
        rnn.build_lstm_model,
        "lstm_units",
        residual=True,
        num_layers=3,
        num_classes=3,
    ),
    stacked(
        "bidirectional_residual",
        rnn.build_bidirectional_lstm,
        "lstm_units",
        residual=True,
        num_classes=3,
        kernel_regularizer="l2",
    ),
    Record(
        "text_generation",
        text_generation.build_text_generation_model,
        TEXT_GENERATION | {"num_layers": 2},
        (None, VOCAB_SIZE),
    ),
    Record(
        "text_generation_tied",
        text_generation.build_text_generation_model,
        TEXT_GENERATION,
        (None, VOCAB_SIZE),
        {"cell": "gru", "tie_embeddings": True, "layer_norm": True},
    ),
    Record("tagging", tagging.build_tagging_model, TAGGING, (None, 4)),
    Record(
        "tagging_deep",
        tagging.build_tagging_model,
        TAGGING | {"num_layers": 2},
        (None, 4),
        {"dropout": 0.1, "word_dropout": 0.1},
    ),
    Record("sentiment", sentiment.build_sentiment_model, SENTIMENT, (1,)),
    Record(
        "sentiment_strong",
        sentiment.build_sentiment_model,
        SENTIMENT,
        (1,),
        STRONG | {"ngram_ratios": RATIOS},
    ),
    Record(
        "sentiment_of_3",
        sentiment.build_sentiment_model,
        SENTIMENT | {"num_classes": 3},
        (3,),
        STRONG | {"ngram_ratios": RATIOS_OF_3},
    ),
    Windows("stock", stock.build_stock_prediction_model, {}, (1,), {"units": 6}),
    Windows("stock_steps", stock.build_stock_prediction_model, STOCK, (5, 2)),
    Windows(
        "stock_options",
        stock.build_stock_prediction_model,
        STOCK,
        (5, 2, 3),
        ALL_OPTIONS,
    ),
    Windows(
        "segment_rnn",
        segments.build_segment_rnn,
        SEGMENTS,
        (5, 2, 3),
        {"quantiles": (0.1, 0.5, 0.9), "dropout": 0.0},
    ),
    Windows(
        "linear",
        linear.build_linear_forecaster,
        {"horizon": 5, "num_targets": 2},
        (5, 2),
    ),
    Frames("speech", speech.build_speech_model, FRAMES, (None, 4)),
    Frames(
        "speech_strong",
        speech.build_speech_model,
        FRAMES,
        (None, 4),
        {"bidirectional": True, "subsampling": 4, "logits": True},
    ),
    recurrent("translation"),
    recurrent("translation_additive", attention="additive"),
    recurrent("translation_dot", attention="dot", cell="gru"),
    recurrent(
        "translation_fed",
        {"num_layers": 2},
        attention="general",
        input_feeding=True,
        bidirectional=True,
        dropout=0.1,
    ),
    recurrent(
        "translation_tied",
        {"num_layers": 2, "embedding_dim": 16},
        cell="gru",
        attention="additive",
        bidirectional=True,
        tie_embeddings=True,
    ),
    recurrent("translation_simple_rnn", cell="simple_rnn", bidirectional=True),
    captions("captioning"),
    captions(
        "captioning_pictures",
        Pictures,
        attention="additive",
        tie_embeddings=True,
        dropout=0.1,
    ),
    attentive("transformer"),
    attentive(
        "transformer_pre_norm",
        pre_norm=True,
        tie_embeddings=True,
        activation="gelu",
        dropout=0.1,
    ),
]
PAIRS = [record for record in RECORDS if isinstance(record, Pairs)]


def run_under_jax(root: Path, script: str) -> None:
    """Runs Python lines, asserts among them, in a process with JAX behind Keras.

    Nothing is asked twice there: compiled without optimization, it ends sooner.
    """
    quickly = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={"KERAS_BACKEND": "jax", "PYTHONPATH": str(root), "PATH": ""} | quickly,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
