"""What a run trains on and starts from: devices, precision and seeds.

Knows nothing of tasks.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_seq.errors import UserError

FAST_HALF = (7, 0)  # the first compute capability with cores for float16


def set_seed(seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow: same seed, same initial weights and dropout.

    Args:
        seed: from 0 to 2**32 - 1.

    Example:

    >>> set_seed(1)
    >>> first = keras.random.uniform(())
    >>> set_seed(1)
    >>> bool(keras.random.uniform(()) == first)
    True
    """
    keras.utils.set_random_seed(seed)


def get_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """The tf.distribute strategy for a name.

    Args:
        name: "auto" takes one GPU where there is one, else the CPU; "cpu" and "gpu" ask
            for that; "mirrored" copies the model to every GPU, or to every logical CPU
            where there is no GPU.

    Returns:
        A strategy; build and fit inside its scope.

    Raises:
        UserError: There is no GPU and one was asked for.
        ValueError: The name is unknown.

    Example:

    >>> get_strategy("cpu").num_replicas_in_sync
    1
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored":
        devices = gpus or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if name == "gpu" and not gpus:
        raise UserError("--strategy gpu: TensorFlow sees no GPU; try --strategy auto")
    if name not in ("auto", "cpu", "gpu"):
        raise ValueError(f"strategy is {name!r}; expected auto, cpu, gpu or mirrored")
    use_gpu = gpus and name != "cpu"
    return tf.distribute.OneDeviceStrategy("/gpu:0" if use_gpu else "/cpu:0")


def set_precision(mixed: str = "auto", strategy: str = "auto") -> str:
    """Sets the precision of layers that are built from now on.

    Mixed precision computes in float16 and keeps weights in float32; `fit` scales the
    loss so that small gradients do not vanish.

    Args:
        mixed: "on", "off", or "auto": on where the device gains by it, which takes
            an NVIDIA GPU of compute capability 7.0 or more; a CPU only loses.
        strategy: as `get_strategy` takes it.

    Returns:
        What was chosen and why, for people to read.

    Raises:
        ValueError: The name is unknown.

    Example:

    >>> set_precision("off")
    'precision: float32 (mixed precision off)'
    """
    if mixed not in ("auto", "on", "off"):
        raise ValueError(f"mixed is {mixed!r}; expected auto, on or off")
    gains, why = _gains_by_half(strategy)
    policy = "mixed_float16" if mixed == "on" or mixed == "auto" and gains else None
    keras.mixed_precision.set_dtype_policy(policy or "float32")
    reason = why if mixed == "auto" else f"mixed precision {mixed}"
    return f"precision: {policy or 'float32'} ({reason})"


def _gains_by_half(strategy: str) -> tuple[bool, str]:
    gpus = tf.config.list_physical_devices("GPU")
    if strategy == "cpu" or not gpus:
        return False, "a CPU gains nothing by mixed precision"
    facts = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    slowest = min(each.get("compute_capability", (0, 0)) for each in facts)
    name = facts[0].get("device_name", "GPU")
    if slowest >= FAST_HALF:
        return True, f"{name} gains by it"
    return False, f"{name} has no fast float16"


def tap_gradients(
    model: keras.Model,
    see: Callable[[Sequence[Any], Sequence[keras.Variable]], Sequence[Any]],
) -> Callable[[], None]:
    """Lets a function see, and change, every gradient just before it is clipped.

    There gradients are as they should be looked at: the loss scale is taken out and
    they are not clipped yet. With several replicas they are first put together as one
    device would have them. Keras alone clips the part of each replica, and gives parts
    of different sizes, as the last batch has them, the same weight.

    Args:
        model: compiled.
        see: from gradients and their variables to gradients; graph ops.

    Returns:
        A function that undoes it.
    """
    optimizer = innermost(model.optimizer)
    replicas = model.distribute_strategy.num_replicas_in_sync
    clip, apply = optimizer._clip_gradients, optimizer._backend_apply_gradients
    train_step = model.train_step
    told: list[keras.Variable] = []
    sizes: dict[int, tf.Tensor] = {}  # samples of each replica

    def measure(data: Any) -> dict[str, tf.Tensor]:
        sizes[_replica()] = tf.shape(tf.nest.flatten(data)[0])[0]
        return train_step(data)

    def remember(gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        told[:] = variables
        apply(gradients, variables)

    def see_then_clip(gradients: Sequence[Any]) -> Sequence[Any]:
        if replicas == 1:
            return clip(list(see(gradients, told)))
        context, size = tf.distribute.get_replica_context(), sizes[_replica()]
        all_sizes = context.all_reduce(tf.distribute.ReduceOp.SUM, size)
        share = replicas * size / all_sizes
        parts = [_times(gradient, share) for gradient in gradients]
        whole = context.all_reduce(tf.distribute.ReduceOp.SUM, parts)
        clipped = clip(list(see(whole, told)))
        # The optimizer sums over replicas once more.
        return [_times(gradient, 1 / replicas) for gradient in clipped]

    optimizer._clip_gradients = see_then_clip
    optimizer._backend_apply_gradients = remember
    if replicas > 1:
        model.train_step = measure

    def undo() -> None:
        optimizer.__dict__.pop("_clip_gradients", None)
        optimizer.__dict__.pop("_backend_apply_gradients", None)
        model.__dict__.pop("train_step", None)

    return undo


def _replica() -> int:
    context = tf.distribute.get_replica_context()
    return int(tf.get_static_value(context.replica_id_in_sync_group))


def innermost(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer that moves the weights, without the one that scales the loss."""
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    return optimizer


def _times(gradient: Any, factor: Any) -> Any:
    """Of a replica without samples, whose gradient is no number, nothing is left."""
    values = gradient
    if isinstance(gradient, tf.IndexedSlices):
        values = gradient.values
    scaled = tf.math.multiply_no_nan(values, tf.cast(factor, values.dtype))
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(scaled, gradient.indices, gradient.dense_shape)
    return scaled
