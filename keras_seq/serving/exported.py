"""An exported version: what model.json says of it, and its signatures, loaded again.

TensorFlow is imported once there is something to load.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_seq.allocator import keep_freed_memory
from keras_seq.data.places import exists, user_path
from keras_seq.errors import UNREADABLE, UserError
from keras_seq.log import log
from keras_seq.serving.folder import GRAPH, newest_version

if TYPE_CHECKING:
    import tensorflow as tf

DEFAULT = "serving_default"
EXTRA = "assets.extra"
MODEL_JSON = "model.json"


class Described(NamedTuple):
    """A version's folder, and `assets.extra/model.json` as a dict."""

    path: Path
    metadata: dict[str, Any]


def describe_exported(path: str | Path, task: str | None = None) -> Described:
    """Reads what `export` wrote beside the SavedModel, which is not loaded.

    Args:
        path: a model's folder, whose highest version is taken; a task's folder
            `saved_models/<stem>`, whose newest model is taken; or one version.
        task: what it must have learned; None takes any.

    Raises:
        UserError: There is no such folder, it is no export, or one of another task.

    Example:

    >>> describe_exported("nowhere/sentiment")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere/sentiment: no such folder; run train first
    """
    path = user_path(path)
    if not exists(path):
        raise UserError(f"{path}: no such folder; run train first")
    if not path.is_dir():
        raise UserError(f"{path}: a file; give the folder of an export")
    version: Path | None = path
    if not (path / GRAPH).exists():
        version = newest_version(path)
    if version is None:
        raise UserError(
            f"{path}: not an export; give saved_models/<stem> or a version in it"
        )
    try:
        metadata = json.loads((version / EXTRA / MODEL_JSON).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{version}: not an export of keras_seq: {EXTRA}/{MODEL_JSON}: "
            f"{getattr(error, 'strerror', None) or error}"
        ) from error
    if not isinstance(metadata, dict):
        raise UserError(
            f"{version}: not an export of keras_seq: {EXTRA}/{MODEL_JSON}: holds a "
            f"{type(metadata).__name__} where facts by name are expected"
        )
    if task is not None and metadata.get("task") != task:
        what = f"is a model of {metadata.get('task')!r}, not of {task!r}"
        raise UserError(f"{version}: {what}; name another with --model")
    return Described(version, metadata)


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
    keep_freed_memory()
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
