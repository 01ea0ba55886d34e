"""The order of the folders: a room imports rooms on lower floors, and nothing else.

The source is parsed, never run, so the rule holds for branches that no test enters.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "keras_seq"
# From the ground up. A folder or a module at the top of keras_seq is a room.
FLOORS = (
    {"allocator", "errors", "files", "invocation", "log", "quiet", "__version__"},
    {"constants", "ranges", "keras_internals", "small_ops"},
    {"layers", "losses", "metrics"},
    {"models"},
    {"data"},
    {"text", "series", "audio", "images"},
    {"evaluation", "decoding"},
    {"training", "serving"},
    {"tasks"},
    {"cli_options", "cli_inputs", "options"},
    {"cli"},
)
# Rooms that are read before anything is computed: no TensorFlow while they load.
LIGHT = {"constants", "errors", "models", "ranges"}
LIGHT |= {"cli", "cli_inputs", "cli_options", "options"}
BUILDERS_CALL = {"keras", "keras_seq", "lazy_loader"}
BUILDERS_CALL |= {"collections", "functools", "math", "typing"}
TYPES = {"keras", "tensorflow"}  # whose names stand in signatures of scripts
SLOW = {"sklearn", "matplotlib", "pyarrow", "optuna", "soundfile", "soxr", "jiwer"}
SLOW |= {"pandas", "pycrfsuite", "statsmodels", "tokenizers"}


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether it is imported while the file loads)."""
    tree = ast.parse(path.read_text("utf-8"))
    late = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        or isinstance(node, ast.If)
        and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from ((name, node not in late) for name in names)


def broken_rules(path: Path, package: Path = PACKAGE) -> list[str]:
    own = path.relative_to(package).with_suffix("").parts
    found = []
    for name, at_once in imports(path):
        top, *rest = name.split(".")
        if top == "keras_seq" and rest and rest[0] != own[0]:
            known = any(rest[0] in rooms for rooms in FLOORS)
            if not known or floor_of(rest[0]) >= floor_of(own[0]):
                found.append(f"{name} is not on a lower floor")
        elif top == "keras_seq" and own[0] == "tasks" != own[1] and len(rest) > 1:
            if rest[1] != own[1] and (package / "tasks" / rest[1]).is_dir():
                found.append(f"{name} is another task's")
        elif top == "tensorflow" and at_once and own[0] in LIGHT:
            found.append("TensorFlow is imported where it is used")
        elif top in SLOW and at_once:
            found.append(f"{top} is imported where it is used")
        if own[0] == "models" and top not in BUILDERS_CALL:
            found.append(f"{name}: a builder is pure Keras")
    return found


@pytest.mark.parametrize(
    "path",
    # `keras_seq` itself names rooms of all floors; `__main__` starts scripts.
    sorted({*PACKAGE.rglob("*.py")} - {*PACKAGE.glob("__*__.py")}),
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_a_room_imports_lower_floors_alone(path: Path):
    assert broken_rules(path) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("tasks/*.py")), ids=lambda p: p.stem)
def test_a_script_imports_keras_seq_and_the_standard_library(path: Path):
    found = [(name.split(".")[0], at_once) for name, at_once in imports(path)]
    tops = {top for top, at_once in found if at_once or top not in TYPES}
    assert tops <= {"keras_seq", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("models/a.py", "import numpy as np"),
        ("models/b.py", "from pathlib import Path"),
        ("data/a.py", "def f():\n    from keras_seq.text.tokenizer import Tokenizer"),
        ("audio/a.py", "from keras_seq.text.batches import plan"),
        ("training/a.py", "from keras_seq.serving import folder"),
        ("tasks/stock/a.py", "from keras_seq.tasks.speech import server"),
        ("evaluation/a.py", "import sklearn.metrics"),
        ("models/c.py", "def f():\n    import tensorflow"),
        ("data/c.py", "import keras_seq.stray"),
    ],
)
def test_a_broken_rule_is_seen(name: str, source: str, tmp_path: Path):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    (tmp_path / "tasks" / "speech").mkdir(parents=True)
    path.write_text(source)
    assert len(broken_rules(path, tmp_path)) == 1
