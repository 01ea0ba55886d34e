"""Learning rates by epoch. They know nothing of models or optimizers."""


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
