"""What several builders share: checked sizes, and reading states out of padded batches.

Padding is id 0 at the end of a row. It must never reach an answer, so each function
that reduces over time takes the token ids and leaves the padded steps out itself.

Shapes: B batch, T time steps, F features.
"""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID

# exp() of it is 0 in float16 too, and adding it to a state does not overflow there.
MASKED = -1e4
LARGEST_SIZE = 2**31 - 1  # TensorFlow counts in int32


def check_sizes(**sizes: int) -> None:
    """Raises ValueError unless every size is a positive integer; names the argument.

    Example:

    >>> check_sizes(vocab_size=10, lstm_units=0)
    Traceback (most recent call last):
    ...
    ValueError: lstm_units is 0; expected a positive integer
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} is {size!r}; expected a positive integer")
        if size > LARGEST_SIZE:
            raise ValueError(f"{name} is {size}; expected {LARGEST_SIZE} at most")


def check_rates(**rates: float) -> None:
    """Raises ValueError unless every dropout rate is in [0, 1); names the argument.

    Example:

    >>> check_rates(dropout=1.0)
    Traceback (most recent call last):
    ...
    ValueError: dropout is 1.0; expected a rate from 0 up to, not including, 1
    """
    for name, rate in rates.items():
        if not (hasattr(rate, "__float__") and 0 <= rate < 1):  # nan is not, either
            raise ValueError(
                f"{name} is {rate!r}; expected a rate from 0 up to, not including, 1"
            )


def check_one_vocabulary(source_vocab_size: int, target_vocab_size: int) -> None:
    """Raises ValueError unless source and target can share one embedding matrix.

    Example:

    >>> check_one_vocabulary(50, 60)
    Traceback (most recent call last):
    ...
    ValueError: tie_embeddings needs one vocabulary; got 50 source and 60 target ids
    """
    if source_vocab_size != target_vocab_size:
        raise ValueError(
            f"tie_embeddings needs one vocabulary; got {source_vocab_size} source and "
            f"{target_vocab_size} target ids"
        )


def check_window(
    input_shape: tuple[int, int],
    horizon: int,
    num_targets: int,
    quantiles: Sequence[float] | None,
) -> tuple[int, int]:
    """Checks the sizes of a forecasting model; (T, F), or ValueError.

    Example:

    >>> check_window((60, 5), horizon=1, num_targets=6, quantiles=None)
    Traceback (most recent call last):
    ...
    ValueError: num_targets is 6; expected at most the 5 features of input_shape
    """
    if len(input_shape) != 2:
        raise ValueError(f"input_shape is {input_shape!r}; expected (T, F)")
    num_steps, num_features = input_shape
    try:
        check_sizes(T=num_steps, F=num_features)
    except ValueError as error:
        raise ValueError(f"input_shape is {input_shape!r}: {error}") from None
    check_sizes(horizon=horizon, num_targets=num_targets)
    if num_targets > num_features:
        raise ValueError(
            f"num_targets is {num_targets}; expected at most the {num_features} "
            "features of input_shape"
        )
    if quantiles is not None:
        fit = all(0 < quantile < 1 for quantile in quantiles)
        if not (quantiles and fit and list(quantiles) == sorted(set(quantiles))):
            raise ValueError(
                f"quantiles is {quantiles!r}; expected rising numbers between 0 and 1"
            )
    return num_steps, num_features


def check_shape(shape: Sequence[int], ranks: Sequence[int], **name: str) -> None:
    """Raises ValueError unless a shape has so many sizes, all positive integers.

    Args:
        shape: behind the batch.
        ranks: how many sizes it may have.
        **name: of the argument, and what its sizes are.

    Example:

    >>> check_shape((7, 7), [3], image_shape="(H, W, 3)")
    Traceback (most recent call last):
    ...
    ValueError: image_shape is (7, 7); expected (H, W, 3)
    """
    ((argument, meaning),) = name.items()
    if not isinstance(shape, list | tuple) or len(shape) not in ranks:
        raise ValueError(f"{argument} is {shape!r}; expected {meaning}")
    for size in shape:
        try:
            check_sizes(size=size)
        except ValueError as error:
            raise ValueError(f"{argument} is {shape!r}: {error}") from None


def dropped(x: KerasTensor, rate: float, name: str) -> KerasTensor:
    """Behind dropout of a rate; at rate 0 there is no layer."""
    return keras.layers.Dropout(rate, name=name)(x) if rate else x


def present_steps(token_ids: KerasTensor) -> KerasTensor:
    """1 where a step holds a token, 0 where it is padding: float (B, T, 1)."""
    return ops.cast(ops.expand_dims(ops.not_equal(token_ids, PAD_ID), -1), "float32")


def final_states(
    states: KerasTensor, token_ids: KerasTensor, bidirectional: bool = False
) -> KerasTensor:
    """The state after each row's last token.

    Args:
        states: float (B, T, F), every step of a recurrent layer.
        token_ids: int32 (B, T), what the layer read.
        bidirectional: the second half of F was read backwards, so its state after the
            last token it read stands at step 0.

    Returns:
        float (B, F).
    """
    lengths = ops.sum(ops.cast(ops.not_equal(token_ids, PAD_ID), "int32"), axis=1)
    last = ops.reshape(ops.maximum(lengths - 1, 0), (-1, 1, 1))  # (B, 1, 1)
    forward = ops.squeeze(ops.take_along_axis(states, last, axis=1), 1)  # (B, F)
    if not bidirectional:
        return forward
    units = states.shape[-1] // 2
    return ops.concatenate([forward[:, :units], states[:, 0, units:]], axis=-1)


def max_and_mean(states: KerasTensor, token_ids: KerasTensor) -> KerasTensor:
    """The largest and the mean value of each feature over a row's tokens.

    Howard and Ruder 2018, arXiv:1801.06146, section 3.3, "concat pooling".

    Args:
        states: float (B, T, F).
        token_ids: int32 (B, T).

    Returns:
        float (B, 2 F). A row of padding alone gives zeros.
    """
    present = present_steps(token_ids)  # (B, T, 1)
    count = ops.sum(present, axis=1)  # (B, 1)
    highest = ops.max(states * present + (1 - present) * MASKED, axis=1)
    mean = ops.sum(states * present, axis=1) / ops.maximum(count, 1)
    return ops.concatenate([highest * ops.minimum(count, 1), mean], axis=-1)
