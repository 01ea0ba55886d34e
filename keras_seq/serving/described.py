"""What model.json says of an export, read without TensorFlow: to look at first."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from keras_seq.data.places import exists, user_path
from keras_seq.errors import UserError
from keras_seq.serving.folder import GRAPH, newest_version

EXTRA = "assets.extra"
MODEL_JSON = "model.json"


class Described(NamedTuple):
    """A version's folder, and `assets.extra/model.json` as a dict."""

    path: Path
    metadata: dict[str, Any]


def describe_exported(path: str | Path) -> Described:
    """Reads what `export` wrote beside the SavedModel, which is not loaded.

    Args:
        path: a model's folder, whose highest version is taken; a task's folder
            `saved_models/<stem>`, whose newest model is taken; or one version.

    Raises:
        UserError: There is no such folder, or it is no export.

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
    return Described(version, metadata)
