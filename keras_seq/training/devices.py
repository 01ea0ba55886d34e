"""What a run trains on and starts from: devices, precision and seeds.

Independent of tasks.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.keras_internals import SUMS_GRADIENTS, optimized_variables
from keras_seq.log import log
from keras_seq.training.train_step import inner_optimizer, replace, wrapping

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
    """Sets the precision of layers that are built from now on, and logs it.

    Mixed precision computes in float16 and keeps weights in float32; `fit` scales the
    loss so that small gradients do not vanish.

    Args:
        mixed: "on", "off", or "auto": on where the device gains by it, which takes
            an NVIDIA GPU of compute capability 7.0 or more; a CPU only loses.
        strategy: as `get_strategy` takes it.

    Returns:
        The line of the log: what was chosen and why.

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
    chosen = f"precision: {policy or 'float32'} ({reason})"
    log.info(chosen)
    return chosen


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
    may_apply: Callable[[Sequence[Any], Sequence[keras.Variable]], tf.Tensor],
) -> Callable[[], None]:
    """Lets a function look at every gradient and say whether it is applied at all.

    A step that is left out changes nothing of the optimizer: no weight, no moment, no
    average, no counter. Gradients come as they should be looked at: the loss scale is
    taken out and they are not clipped yet. With several replicas they are first put
    together as one device would have them. Keras alone clips the part of each replica,
    and gives parts of different sizes, as the last batch has them, the same weight.

    Args:
        model: compiled.
        may_apply: from gradients and their variables to bool (); graph operations.

    Returns:
        A function that undoes it.
    """
    optimizer = inner_optimizer(model.optimizer)
    replicas = model.distribute_strategy.num_replicas_in_sync
    apply, train_step = optimizer.apply, model.train_step
    sizes: dict[int, tf.Tensor] = {}  # samples of each replica

    def measure(data: Any) -> dict[str, tf.Tensor]:
        sizes[_replica()] = tf.shape(tf.nest.flatten(data)[0])[0]
        return train_step(data)

    def look_first(grads: Sequence[Any], trainable_variables: Any = None) -> None:
        variables = list(trainable_variables or optimized_variables(optimizer))
        if not optimizer.built:
            optimizer.build(variables)  # never within a condition
        if replicas > 1:
            grads = _whole(grads, sizes[_replica()], replicas)
        found = [(g, v) for g, v in zip(grads, variables) if g is not None]
        if not found:
            return apply(grads, variables)  # Keras has the words for it
        scale = optimizer.loss_scale_factor
        shown = [_times(g, 1 / scale) if scale else g for g, _ in found]
        fine = may_apply(shown, [variable for _, variable in found])
        _apply_where(fine, apply, list(grads), variables)

    undo = contextlib.ExitStack()
    undo.callback(replace(optimizer, "apply", look_first))
    if replicas > 1:
        undo.callback(replace(model, "train_step", wrapping(measure, train_step)))
        # The gradients are whole already.
        for each in getattr(optimizer, "optimizers", [optimizer]):
            undo.callback(replace(each, SUMS_GRADIENTS, list))
    return undo.close


def _apply_where(
    fine: tf.Tensor,
    apply: Callable[..., None],
    grads: list[Any],
    variables: list[keras.Variable],
) -> None:
    """Applies gradients, or does nothing; replicas decide together."""
    if not tf.distribute.has_strategy():
        tf.cond(fine, lambda: apply(grads, variables), lambda: None)
        return

    def decide(strategy: tf.distribute.Strategy, fine: Any, *arguments: Any) -> None:
        # A condition within one replica cannot hold what replicas do together.
        first = strategy.experimental_local_results(fine)[0]
        each = strategy.extended.call_for_each_replica
        tf.cond(first, lambda: each(apply, args=arguments), lambda: None)

    context = tf.distribute.get_replica_context()
    context.merge_call(decide, args=(fine, grads, variables))


def _whole(grads: Sequence[Any], size: tf.Tensor, replicas: int) -> list[Any]:
    """The gradients that one device would have for all samples of the batch."""
    context = tf.distribute.get_replica_context()
    share = replicas * size / context.all_reduce(tf.distribute.ReduceOp.SUM, size)
    parts = [_times(each, share) for each in grads if each is not None]
    if not parts:
        return list(grads)
    whole = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, parts))
    return [None if each is None else next(whole) for each in grads]


def _replica() -> int:
    context = tf.distribute.get_replica_context()
    return int(tf.get_static_value(context.replica_id_in_sync_group))


def _times(gradient: Any, factor: Any) -> Any:
    """Of a replica without samples, whose gradient is no number, nothing is left."""
    values = gradient
    if isinstance(gradient, tf.IndexedSlices):
        values = gradient.values
    scaled = tf.math.multiply_no_nan(values, tf.cast(factor, values.dtype))
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(scaled, gradient.indices, gradient.dense_shape)
    return scaled
