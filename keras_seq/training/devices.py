"""What a run trains on and starts from: devices and seeds. Knows nothing of models."""

import keras
import tensorflow as tf

from keras_seq.errors import UserError


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
