"""Learning rates by epoch. They are independent of models or optimizers."""

import math
from collections.abc import Callable


def checked_rate(learning_rate: float) -> float:
    """The same rate, or a ValueError where it is none to train with.

    Example:

    >>> checked_rate(float("nan"))
    Traceback (most recent call last):
    ...
    ValueError: learning_rate is nan; expected a finite number above 0
    """
    if not 0 < learning_rate < math.inf:
        raise ValueError(
            f"learning_rate is {learning_rate}; expected a finite number above 0"
        )
    return learning_rate


def lr_schedule(epoch: int) -> float:
    """The tutorial's steps: 0.001, a tenth of it after epoch 10, a hundredth after 20.

    For `keras.callbacks.LearningRateScheduler`, or `fit(..., schedule=lr_schedule)`.

    Args:
        epoch: number of the epoch, from 0.

    Returns:
        The learning rate.

    Raises:
        ValueError: `epoch` is negative.

    Example:

    >>> [lr_schedule(epoch) for epoch in (0, 10, 11, 20, 21)]
    [0.001, 0.001, 0.0001, 0.0001, 1e-05]
    """
    if epoch < 0:
        raise ValueError(f"epoch is {epoch}; expected 0 or more")
    # The longest first: asked in the other order, the last branch never runs.
    if epoch > 20:
        return 0.00001
    if epoch > 10:
        return 0.0001
    return 0.001


def cosine_schedule(learning_rate: float, epochs: int) -> Callable[[int], float]:
    """Half a cosine from `learning_rate` to near zero, a step an epoch.

    Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983, equation 5 without restarts,
    taken at the middle of each epoch.

    Args:
        learning_rate: where the cosine starts.
        epochs: where it ends; later epochs keep the last rate.

    Returns:
        A function of the epoch, from 0.

    Raises:
        ValueError: `learning_rate` is not above 0, or `epochs` is below 1.

    Example:

    >>> [round(cosine_schedule(1.0, 3)(epoch), 2) for epoch in range(4)]
    [0.93, 0.5, 0.07, 0.07]
    """
    checked_rate(learning_rate)
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; expected 1 or more")

    def schedule(epoch: int) -> float:
        done = (min(epoch, epochs - 1) + 0.5) / epochs
        return learning_rate * (1 + math.cos(math.pi * done)) / 2

    return schedule


def warmup_schedule(
    schedule: Callable[[int], float], epochs: int
) -> Callable[[int], float]:
    """Another schedule, begun at a fraction of its rate: Adam's first steps are rough.

    The rate rises in a straight line, as in Vaswani et al. 2017, arXiv:1706.03762,
    section 5.3; after that it is the other schedule's own.

    Args:
        schedule: learning rate by epoch, such as `cosine_schedule` returns.
        epochs: number of epochs below the full rate; 0 changes nothing.

    Returns:
        A function of the epoch, from 0.

    Raises:
        ValueError: `epochs` is negative.

    Example:

    >>> rate = warmup_schedule(lambda epoch: 0.8, 3)
    >>> [round(rate(epoch), 2) for epoch in range(5)]
    [0.2, 0.4, 0.6, 0.8, 0.8]
    """
    if epochs < 0:
        raise ValueError(f"epochs is {epochs}; expected 0 or more")

    def warmed(epoch: int) -> float:
        return schedule(epoch) * min(1.0, (epoch + 1) / (epochs + 1))

    return warmed
