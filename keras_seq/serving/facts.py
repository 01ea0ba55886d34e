"""model.json and its SavedModel: a digest in the graph shows whether they are a pair.

Labels, units and sizes are read from model.json, which anybody can edit; the SavedModel
holds a SHA-256 of what it said at the export.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq import __version__
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.serving.graph import plain_specs

DIGEST = "facts_digest"  # attribute of the saved module
RESERVED = ("signatures", "versions", "proof")  # which the export adds to the facts


def versions() -> dict[str, str]:
    """What made an export or a run, for whoever must read it in two years."""
    packages = {"tensorflow": tf, "keras": keras, "numpy": np}
    found = {name: package.__version__ for name, package in packages.items()}
    return {"python": platform.python_version(), "keras_seq": __version__} | found


def facts_digest(facts: Mapping[str, Any]) -> np.ndarray:
    """SHA-256 of facts in plain values, but for what an export adds: uint8 (32,).

    Example:

    >>> one, other = facts_digest({"n": 1, "proof": {}}), facts_digest({"n": 1})
    >>> bool((one == other).all()), bool((one == facts_digest({"n": 2})).all())
    (True, False)
    """
    own = {name: value for name, value in facts.items() if name not in RESERVED}
    text = json.dumps(own, sort_keys=True, ensure_ascii=True)
    return np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8)


def check_facts(path: Path, facts: Mapping[str, Any], module: Any) -> None:
    """Refuses the facts of a model.json at `path` that are not those of a loaded
    SavedModel.

    Raises:
        UserError: The file was changed after the export, or is another model's.
    """
    digest = getattr(module, DIGEST, None)
    if digest is None:
        log.info(f"{path}: exported by an older version, so nothing can check it")
        return
    same = np.array_equal(tf.convert_to_tensor(digest).numpy(), facts_digest(facts))
    if not same or not _are_served(facts.get("signatures"), module):
        raise UserError(
            f"{path}: was changed after the export, or is of another model; put it "
            "back, or export again"
        )


def _are_served(described: Any, module: Any) -> bool:
    """Whether the signatures are the module's, by name, dtype and shape."""
    served = {
        name: {
            "inputs": plain_specs(signature.structured_input_signature[1]),
            "outputs": plain_specs(signature.structured_outputs),
        }
        for name, signature in module.signatures.items()
    }
    return described == served
