"""DESIGN's layers, read from the source: imports point down, TensorFlow stays put.

The source is parsed, never run, so a rule holds for branches that no test enters.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax"}

# The longest prefix decides; a new module at the top of keras_seq asks for a line here.
LAYERS = {
    "keras_seq.constants": 0,
    "keras_seq.errors": 0,
    "keras_seq.keras_internals": 0,
    "keras_seq.ranges": 0,
    "keras_seq.layers": 1,
    "keras_seq.losses": 1,
    "keras_seq.losses_ctc": 1,
    "keras_seq.metrics": 1,
    "keras_seq.data": 1,
    "keras_seq.models": 2,
    "keras_seq.decoding": 3,
    "keras_seq.evaluation": 3,
    "keras_seq.text.cleaning": 4,
    "keras_seq.text.tokenizer": 4,
    "keras_seq.text.lengths": 4,
    "keras_seq.audio.log_mel": 4,
    "keras_seq.audio.augment": 4,
    "keras_seq.audio.batches": 4,
    "keras_seq.audio.wav": 4,
    "keras_seq.text.batches": 4,
    "keras_seq.data.prefetch": 4,
    "keras_seq.text.coders": 4,
    "keras_seq.text.subwords": 4,
    "keras_seq.text.streams": 4,
    "keras_seq.series.window_batches": 4,
    "keras_seq.tasks.stock.server": 4,
    "keras_seq.tasks.stock.data": 4,
    "keras_seq.tasks.stock.scores": 4,
    "keras_seq.tasks.stock.figures": 4,
    "keras_seq.tasks.stock.units": 4,
    "keras_seq.tasks.stock.finish": 4,
    "keras_seq.tasks.stock.exported": 4,
    "keras_seq.tasks.stock.backtest": 4,
    "keras_seq.tasks.stock.training": 4,
    "keras_seq.training": 4,
    "keras_seq.cli_options": 4,
    "keras_seq.quiet": 4,
    "keras_seq.cli": 4,
    "keras_seq.serving.saved_model": 4,
    "keras_seq.serving.folder": 4,
    "keras_seq.serving.graph": 4,
    "keras_seq.serving.proof": 4,
    "keras_seq.tasks.sentiment.server": 4,
    "keras_seq.serving.checks": 4,
    "keras_seq.tasks.speech.labels": 4,
    "keras_seq.tasks.speech.server": 4,
    "keras_seq.tasks.speech.stream": 4,
    "keras_seq.tasks.speech.data": 4,
    "keras_seq.tasks.speech.exported": 4,
    "keras_seq.tasks.speech.scores": 4,
    "keras_seq.decoding.draws": 4,
    "keras_seq.tasks.text_generation.server": 4,
    "keras_seq.tasks.text_generation.checks": 4,
    "keras_seq.tasks.text_generation.client": 4,
    "keras_seq.tasks.sentiment.data": 4,
    "keras_seq.tasks.text_generation.data": 4,
    "keras_seq.serving.warmup": 4,
    "keras_seq.search": 4,
    "tasks": 5,
    "benchmarks": 5,
}
# Where TensorFlow may be imported while the module itself is.
TENSORFLOW = (
    "keras_seq.audio.augment",
    "keras_seq.audio.batches",
    "keras_seq.audio.wav",
    "keras_seq.layers.native_build",
    "keras_seq.layers.recurrent_native",
    "keras_seq.layers.recurrent_shapes",
    "keras_seq.layers.recurrent_steps",
    "keras_seq.text.cleaning",
    "keras_seq.text.tokenizer",
    "keras_seq.text.lengths",
    "keras_seq.audio.log_mel",
    "keras_seq.text.batches",
    "keras_seq.data.prefetch",
    "keras_seq.text.coders",
    "keras_seq.text.subwords",
    "keras_seq.text.streams",
    "keras_seq.series.window_batches",
    "keras_seq.tasks.stock.server",
    "keras_seq.tasks.stock.scores",
    "keras_seq.tasks.stock.figures",
    "keras_seq.tasks.stock.units",
    "keras_seq.tasks.stock.finish",
    "keras_seq.tasks.stock.exported",
    "keras_seq.tasks.stock.training",
    "keras_seq.training",
    "keras_seq.serving.saved_model",
    "keras_seq.serving.graph",
    "keras_seq.tasks.sentiment.server",
    "keras_seq.serving.checks",
    "keras_seq.tasks.speech.labels",
    "keras_seq.tasks.speech.server",
    "keras_seq.tasks.speech.stream",
    "keras_seq.decoding.draws",
    "keras_seq.tasks.text_generation.server",
    "keras_seq.tasks.text_generation.checks",
    "keras_seq.tasks.text_generation.client",
    "keras_seq.serving.warmup",
    "keras_seq.tasks.speech.data",
    "keras_seq.tasks.speech.exported",
    "keras_seq.tasks.speech.scores",
    "keras_seq.search",
    "benchmarks",
)
# Where it may be imported inside a function alone.
TENSORFLOW_INSIDE = (
    "keras_seq.cli",
    "keras_seq.serving.proof",
    "keras_seq.keras_internals",
    "keras_seq.layers.loop",
    "keras_seq.layers.recurrent",
)
KERAS = TENSORFLOW + (
    "keras_seq.keras_internals",
    "keras_seq.tasks.sentiment.data",
    "keras_seq.tasks.text_generation.data",
    "keras_seq.tasks.stock.backtest",
    "keras_seq.layers",
    "keras_seq.losses",
    "keras_seq.losses_ctc",
    "keras_seq.metrics",
    "keras_seq.models",
    "keras_seq.decoding",
    "keras_seq.evaluation",
)
# Slow to import, so they wait for the function that needs them.
LATE = {"sklearn", "matplotlib", "pyarrow", "optuna", "soundfile", "soxr", "jiwer"}
LATE |= {"pandas", "statsmodels", "tokenizers"}
# What a builder may call upon beside Keras: nothing that reads, writes or computes.
BUILDER_IMPORTS = ("keras", "keras_seq.layers", "keras_seq.constants")
BUILDER_STANDARD = {"__future__", "collections", "functools", "math", "typing"}
FORBIDDEN_CALLS = {"compile", "open", "save", "load_model", "save_weights"}


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def layer_of(name: str) -> int | None:
    found = [prefix for prefix in LAYERS if under(name, (prefix,))]
    return LAYERS[max(found, key=len)] if found else None


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, root: Path) -> Iterator[tuple[str, bool, int]]:
    """(imported module or name, whether importing the file skips it, line)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    package = module_name(path, root).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node in skipped, node.lineno


def broken_rules(path: Path, root: Path) -> list[str]:
    """One line for every import or call of a file that its layer does not allow."""
    name, found = module_name(path, root), []
    own = layer_of(name)
    if own is None and name != "keras_seq":
        return [f"{path.name}: {name} has no layer; add it to LAYERS"]
    for target, inside, line in imports(path, root):
        top = target.split(".")[0]
        why = None
        if top in ("keras_seq", "tasks", "benchmarks"):
            why = broken_layer(name, own, target)
        elif top == "tensorflow" and not (
            under(name, TENSORFLOW) or inside and under(name, TENSORFLOW_INSIDE)
        ):
            why = "TensorFlow is not imported here"
        elif top in FRAMEWORKS - {"tensorflow"} and not under(name, KERAS):
            why = f"{top} is not imported here"
        elif top in LATE and not inside and own != 5:
            why = f"{top} is imported inside the function that needs it"
        if under(name, ("keras_seq.models",)):
            standard = top in sys.stdlib_module_names and top in BUILDER_STANDARD
            if not (standard or under(target, BUILDER_IMPORTS + ("keras_seq.models",))):
                why = "a builder imports layers, constants and keras alone"
        if why:
            found.append(f"{name}:{line}: {target}: {why}")
    return found


def broken_layer(name: str, own: int | None, target: str) -> str | None:
    if own is None:
        return "the package imports its modules when a name is asked for"
    if own == 5 and not target.startswith("keras_seq"):
        # benchmarks are scripts of one folder; a task never knows another.
        same = name.split(".")[0] == target.split(".")[0] == "benchmarks"
        return None if same else "a script imports keras_seq, never another script"
    if target.count(".") == 1 and layer_of(target) is None and own != 5:
        return "inside the package, import from the module that defines the name"
    layer = layer_of(target)
    if layer is not None and layer > own:
        return f"layer {own} imports layer {layer}: imports point down only"
    if under(name, ("keras_seq.decoding",)) and under(target, ("keras_seq.models",)):
        return "decoding takes callables, never a model"
    return None


def files(root: Path) -> list[Path]:
    folders = ("keras_seq", "tasks", "benchmarks")
    return sorted(path for name in folders for path in (root / name).rglob("*.py"))


@pytest.mark.parametrize("path", files(ROOT), ids=lambda path: module_name(path, ROOT))
def test_imports_point_down_and_tensorflow_stays_in_its_place(path: Path):
    assert broken_rules(path, ROOT) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "keras_seq" / "models").glob("*.py")), ids=lambda p: p.stem
)
def test_builders_neither_compile_nor_touch_files(path: Path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
    assert names & FORBIDDEN_CALLS == set()


RULE_BREAKERS = {
    "keras_seq/models/a.py": "import tensorflow as tf",
    "keras_seq/models/b.py": "from pathlib import Path",
    "keras_seq/models/c.py": "def f():\n    from keras_seq.training.trainer import fit",
    "keras_seq/layers/a.py": "def f():\n    import tensorflow",
    "keras_seq/layers/recurrent.py": "import tensorflow",
    "keras_seq/data/sources.py": "import keras",
    "keras_seq/series/windows.py": "from keras_seq.text.tokenizer import Tokenizer",
    "keras_seq/text/tokenizer.py": "from keras_seq import fit",
    "keras_seq/evaluation/scores.py": "import sklearn.metrics",
    "keras_seq/evaluation/figures.py": "from ..export import export",
    "keras_seq/decoding/beam.py": "from keras_seq.models import rnn",
    "keras_seq/cli.py": "import tensorflow.compat",
    "keras_seq/stray.py": "import math",
    "keras_seq/__init__.py": "from keras_seq.cli import run",
    "tasks/a.py": "from tasks import b",
    "tasks/b.py": "def f():\n    import tensorflow",
}


@pytest.mark.parametrize("name", RULE_BREAKERS)
def test_each_rule_is_seen_when_it_is_broken(name: str, tmp_path: Path):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(RULE_BREAKERS[name])
    assert len(broken_rules(path, tmp_path)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("keras_seq/models/a.py", "import keras\nfrom ..layers import recurrent"),
        ("keras_seq/layers/recurrent.py", "def f():\n    import tensorflow"),
        ("keras_seq/cli.py", "def f():\n    import tensorflow"),
        ("keras_seq/training/trainer.py", "import tensorflow\nfrom . import devices"),
        ("keras_seq/evaluation/scores.py", "def f():\n    import sklearn.metrics"),
        ("keras_seq/evaluation/a.py", "if TYPE_CHECKING:\n    import matplotlib"),
        ("tasks/a.py", "from keras_seq import Tokenizer, cli"),
    ],
)
def test_what_the_table_allows_passes(name: str, source: str, tmp_path: Path):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert broken_rules(path, tmp_path) == []
