"""An exported version, loaded again: its signatures, and what model.json says of it.

TensorFlow is imported once there is something to load.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_seq.errors import UNREADABLE, UserError
from keras_seq.log import log
from keras_seq.serving.described import EXTRA, MODEL_JSON, describe_exported

if TYPE_CHECKING:
    import tensorflow as tf

DEFAULT = "serving_default"


class Exported:
    """One exported version, loaded; `load_exported` makes it.

    Attributes:
        path: the version's folder.
        metadata: `assets.extra/model.json` as a dict.
    """

    def __init__(self, path: Path, module: Any, metadata: dict[str, Any]) -> None:
        self.path = path
        self.metadata = metadata
        self._module = module  # its signatures do not keep its variables alive

    def signature(self, name: str = DEFAULT) -> Callable[..., "dict[str, tf.Tensor]"]:
        """A served function: tensors by keyword in, a dict of tensors out.

        Args:
            name: one of `metadata["signatures"]`.

        Raises:
            ValueError: there is no such signature; the message lists those there are.
        """
        if name not in self._module.signatures:
            known = ", ".join(sorted(self._module.signatures))
            raise ValueError(f"{self.path}: no signature {name!r}; it has {known}")
        return self._module.signatures[name]


def load_exported(path: str | Path) -> Exported:
    """Load what `export` wrote.

    Args:
        path: as `describe_exported` takes it.

    Returns:
        The version with `.signature(name)`, `.metadata` and `.path`.

    Raises:
        UserError: there is no such folder, it is no export, it cannot be read, or its
            model.json is not what was exported.

    Example:

    >>> load_exported("nowhere/sentiment")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere/sentiment: no such folder; run train first
    """
    version, metadata = describe_exported(path)  # what is wrong is said at once
    import tensorflow as tf

    from keras_seq.serving.facts import check_facts

    try:
        module = tf.saved_model.load(str(version))
    except (*UNREADABLE, AssertionError, tf.errors.OpError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{version}: cannot be read ({reason}); export it again"
        ) from error
    check_facts(version / EXTRA / MODEL_JSON, metadata, module)
    log.info(f"model: {version}")
    return Exported(version, module, metadata)
