"""A GRU over segments of a window: long windows and long horizons in few steps.

The builder needs no files, units or dates: what it reads is scaled already. Any
Keras backend, uncompiled.

Shapes: B batch, T time steps, F features, K targets, S segments, W steps of a segment,
H horizon, Q quantiles, U units.
"""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_seq.layers.recurrent import GRU
from keras_seq.models.blocks import check_rates, check_sizes, check_window


def build_segment_rnn(
    input_shape: tuple[int, int],
    *,
    horizon: int = 1,
    num_targets: int = 1,
    quantiles: Sequence[float] | None = None,
    segment_length: int = 24,
    units: int = 128,
    dropout: float = 0.5,
) -> keras.Model:
    """SegRNN: one GRU reads segments, and answers every later segment at once.

    Lin et al. 2023, arXiv:2308.11200. A window of 672 steps is 28 segments of 24, so
    the GRU takes 28 steps instead of 672. Later segments are not fed back: each starts
    from the state after the window and a learned vector marks which segment it is.

    Each target is read on its own, by the same weights; features that are no target
    are read along with each of them.

    Args:
        input_shape: (T, F); the first `num_targets` features are the targets.
        horizon: H, steps to forecast.
        num_targets: K.
        quantiles: Q of them, in (0, 1); None answers with one number.
        segment_length: W; the oldest T % W steps are left out.
        units: U, size of the state.
        dropout: rate on the states that are answered from.

    Returns:
        float32 (B, T, F) -> (B, H, K, Q) without the axes K and Q where `num_targets`
        is 1 or `quantiles` None.

    Raises:
        ValueError: A size, rate or quantile does not fit.

    Example:

    >>> build_segment_rnn((96, 7), horizon=96, num_targets=7).output_shape
    (None, 96, 7)
    """
    num_steps, num_features = check_window(input_shape, horizon, num_targets, quantiles)
    check_sizes(segment_length=segment_length, units=units)
    check_rates(dropout=dropout)
    if segment_length > num_steps:
        raise ValueError(
            f"segment_length is {segment_length}; expected at most the {num_steps} "
            "steps of the window"
        )
    window = keras.Input((num_steps, num_features), name="window")
    num_read = num_steps // segment_length
    num_later = -(-horizon // segment_length)
    answers = len(quantiles or (0.5,))

    # Each target with the other features is a sample of its own: (B K, T, N).
    x = window[:, num_steps - num_read * segment_length :]
    own = ops.transpose(x[..., :num_targets], (0, 2, 1))[..., None]  # (B, K, T, 1)
    num_others = num_features - num_targets
    if num_others:
        others = ops.expand_dims(x[..., num_targets:], 1)
        own = ops.concatenate([own, ops.repeat(others, num_targets, axis=1)], axis=-1)
    segments = ops.reshape(own, (-1, num_read, segment_length * (1 + num_others)))
    x = layers.Dense(units, activation="relu", name="segment")(segments)

    # The state after the window, then one step from it to each later segment.
    gru = GRU(units, return_state=True, name="gru")
    _, state = gru(x)  # (B K, U)
    state = ops.reshape(ops.repeat(state, num_later, axis=0), (-1, units))
    places = _places(window, num_targets, num_later, units)  # (B K S, 1, U)
    x, _ = gru(places, initial_state=state)  # (B K S, U)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(segment_length * answers, name="steps")(x)

    shape = (-1, num_targets, num_later * segment_length, answers)
    x = ops.transpose(ops.reshape(x, shape), (0, 2, 1, 3))[:, :horizon]  # (B, H, K, Q)
    if num_targets == 1:
        x = ops.squeeze(x, 2)
    return keras.Model(window, x if quantiles else x[..., 0], name="segment_rnn")


def _places(
    window: keras.KerasTensor, num_targets: int, num_later: int, units: int
) -> keras.KerasTensor:
    """Which target and which later segment, as learned vectors: (B K S, 1, U)."""

    def numbers(count: int) -> keras.KerasTensor:
        # Made of the input: a constant would cut the table of vectors off the model.
        ones = ops.repeat(ops.ones_like(window[:, 0, :1], "int32"), count, axis=1)
        return ops.cumsum(ones, axis=1) - 1  # (B, count)

    of_targets = layers.Embedding(num_targets, units - units // 2, name="which_target")
    of_later = layers.Embedding(num_later, units // 2 or 1, name="which_segment")
    target = of_targets(numbers(num_targets))[:, :, None]  # (B, K, 1, U / 2)
    later = of_later(numbers(num_later))[:, None]  # (B, 1, S, U / 2)
    target = ops.repeat(target, num_later, axis=2)
    later = ops.repeat(later, num_targets, axis=1)
    both = ops.concatenate([target, later], axis=-1)[..., :units]
    return ops.reshape(both, (-1, 1, units))
