"""Speech: which symbol each frame of a recording speaks.

The builder knows nothing of audio files, alphabets or decoding. Any Keras backend,
uncompiled.

Shapes: B batch, T frames, F features of a frame, S subsampling, C classes.
"""

from typing import Literal, TypeVar

import keras
from keras import KerasTensor, layers, ops

from keras_seq.layers.recurrent import GRU, LSTM
from keras_seq.models.blocks import check_rates, check_sizes

CELLS: dict[str, type[LSTM] | type[GRU]] = {"lstm": LSTM, "gru": GRU}
KERNEL = 5  # frames that a subsampling convolution sees

Counts = TypeVar("Counts", int, KerasTensor)


def build_speech_model(
    num_classes: int,
    *,
    num_features: int = 80,
    lstm_units: int = 256,
    num_layers: int = 2,
    dropout: float = 0.2,
    bidirectional: bool = False,
    subsampling: Literal[1, 2, 4, 8] = 1,
    cell: Literal["lstm", "gru"] = "lstm",
    logits: bool = False,
) -> keras.Model:
    """Recurrent layers that read a recording and name the symbol of every frame.

    With `num_classes` alone it is the tutorial's: twice LSTM(256, return_sequences)
    and Dropout(0.2), then Dense(softmax). Graves et al. 2013, arXiv:1303.5778, show why
    speech wants both directions.

    With `bidirectional` or `subsampling` an answer depends on where the recording
    ends, so the model takes the frame counts as a second input; padded frames reach no
    answer. Each halving is a strided convolution with padding of its own, so T frames
    become ceil(T / S) whatever the batch is padded to.

    Args:
        num_classes: C, the symbols and CTC's blank.
        num_features: F.
        lstm_units: size of the state, of each direction; also of the convolutions.
        num_layers: number of recurrent layers.
        dropout: rate behind each recurrent layer.
        bidirectional: read backwards, too. It then cannot answer while somebody speaks.
        subsampling: S, frames in for one frame out.
        cell: "lstm" or "gru".
        logits: leave the softmax out, as CTC wants it.

    Returns:
        float32 (B, T, F), and int32 (B,) frame counts where they are needed, ->
        float32 (B, ceil(T / S), C).

    Raises:
        ValueError: A size, rate or name does not fit.

    Example:

    >>> build_speech_model(29).output_shape
    (None, None, 29)
    >>> model = build_speech_model(29, bidirectional=True, subsampling=4)
    >>> model([ops.zeros((2, 9, 80)), ops.array([9, 6])]).shape
    TensorShape([2, 3, 29])
    """
    check_sizes(num_classes=num_classes, num_features=num_features)
    if num_classes < 2:
        raise ValueError(
            "num_classes is 1; expected 2 or more: the symbols, and CTC's blank"
        )
    check_sizes(lstm_units=lstm_units, num_layers=num_layers)
    check_rates(dropout=dropout)
    if cell not in CELLS:
        raise ValueError(f"cell is {cell!r}; expected 'lstm' or 'gru'")
    if subsampling not in (1, 2, 4, 8) or isinstance(subsampling, bool):
        raise ValueError(f"subsampling is {subsampling!r}; expected 1, 2, 4 or 8")
    features = keras.Input((None, num_features), name="features")  # (B, T, F)
    lengths = keras.Input((), dtype="int32", name="lengths")  # (B,)
    needs_lengths = bidirectional or subsampling > 1
    x, frames = features, lengths
    for number in range(1, subsampling.bit_length()):
        x, frames = _halved(x, frames, lstm_units, number)
    real = _real_frames(x, frames) if bidirectional else None
    mask = ops.squeeze(real, -1) if bidirectional else None
    for number in range(1, num_layers + 1):
        layer = CELLS[cell](lstm_units, return_sequences=True, name=f"{cell}_{number}")
        if bidirectional:
            layer = layers.Bidirectional(layer, name=f"bidirectional_{cell}_{number}")
        x = layer(x, mask=mask)
        x = layers.Dropout(dropout, name=f"dropout_{number}")(x)
    if bidirectional:
        # Keras hangs the mask on what comes out, and would weigh a loss of whole
        # transcripts with it; a product leaves it behind.
        x = x * ops.cast(real, x.dtype)
    x = layers.Dense(
        num_classes,
        activation=None if logits else "softmax",
        name="logits" if logits else "probabilities",
    )(
        x
    )  # (B, ceil(T / S), C)
    inputs = [features, lengths] if needs_lengths else features
    return keras.Model(inputs, x, name="speech")


def answered_frames(frames: Counts, subsampling: int) -> Counts:
    """Frames of the answer to so many frames: exactly what the model gives.

    Args:
        frames: int, or an integer array or tensor of any shape.
        subsampling: S.

    Returns:
        ceil(frames / S), of the same kind.

    Example:

    >>> [answered_frames(frames, 4) for frames in (0, 1, 4, 5)]
    [0, 1, 1, 2]
    """
    return (frames + subsampling - 1) // subsampling


def _halved(
    x: KerasTensor, frames: KerasTensor, filters: int, number: int
) -> tuple[KerasTensor, KerasTensor]:
    """Half as many frames; "same" padding would depend on the batch's length."""
    x = x * ops.cast(_real_frames(x, frames), x.dtype)
    x = layers.ZeroPadding1D(KERNEL // 2, name=f"pad_{number}")(x)
    x = layers.Conv1D(
        filters, KERNEL, strides=2, activation="relu", name=f"subsample_{number}"
    )(
        x
    )  # (B, ceil(T / 2), filters)
    return x, (frames + 1) // 2


def _real_frames(x: KerasTensor, frames: KerasTensor) -> KerasTensor:
    """bool (B, T, 1); the first frame counts always, as cuDNN takes no empty row."""
    number = ops.cumsum(ops.ones_like(x[:, :, :1], dtype="int32"), axis=1)
    return number <= ops.maximum(ops.reshape(frames, (-1, 1, 1)), 1)
