"""A learning rate that ends with the time there is. It knows nothing of models."""

import math
import time
from collections.abc import Callable


def budget_schedule(
    learning_rate: float,
    epochs: int,
    max_seconds: float | None = None,
    warmup: int = 2,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[int], float]:
    """Half a cosine over the epochs, or over the seconds where they run out first.

    Without this, a run that its time limit stops has never seen a small rate, which is
    where most of the last errors go. The time counts from the first epoch.

    Args:
        learning_rate: where the cosine starts, after the warm-up.
        epochs: most epochs of the run.
        max_seconds: time limit of the run; None leaves it to the epochs.
        warmup: epochs with a rising rate.
        clock: seconds, for tests.

    Returns:
        A function of the epoch, from 0.

    Raises:
        ValueError: `epochs` or `warmup` is below 1.

    Example:

    >>> schedule = budget_schedule(1.0, 4, warmup=1)
    >>> [round(schedule(epoch), 2) for epoch in range(4)]
    [0.96, 0.69, 0.31, 0.04]
    """
    if epochs < 1 or warmup < 1:
        raise ValueError(
            f"epochs is {epochs} and warmup {warmup}; expected 1 or more of both"
        )
    started: list[float] = []

    def schedule(epoch: int) -> float:
        started[:] = started or [clock()]
        done = (min(epoch, epochs - 1) + 0.5) / epochs
        if max_seconds:
            passed = (clock() - started[0]) / max_seconds
            # The middle of an epoch as long as those so far, which it mostly is.
            passed += 0.5 * passed / epoch if epoch else 0.0
            done = max(done, min(passed, 1 - 0.5 / epochs))
        rise = min(1.0, (epoch + 1) / warmup)
        return learning_rate * rise * (1 + math.cos(math.pi * done)) / 2

    return schedule
