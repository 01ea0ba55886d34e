"""The package as a whole: light to import, whole in its names, clean in its files."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_seq

PACKAGE = Path(keras_seq.__file__).parent
ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "matplotlib", "pyarrow", "scipy")
TASKS = sorted((ROOT / "tasks").glob("[!_]*.py"))
COMMON = "data epochs batch-size max-seconds limit seed run-dir export-dir strategy"
# A folder of one machine, and not a part of an address or of a longer path.
MACHINE_PATH = re.compile(
    r"(?<![\w.~)}-])/(work|tmp|root|home|opt|farm|mnt|Users)/\w|file:/{2}"
)
PROBE = """
import json, runpy, sys
argv = sys.argv[1:]
if argv:
    sys.argv = argv
    try:
        runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as exit_:
        assert not exit_.code, exit_.code
else:
    import keras_seq
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def probe(*argv: str) -> tuple[str, set[str]]:
    """(stdout, heavy modules loaded) of a script or of `import keras_seq`."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *argv],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1])) & set(HEAVY)


def test_importing_the_package_is_light():
    assert probe()[1] == set()


@pytest.mark.parametrize("verb", ["", "train", "evaluate", "predict"])
@pytest.mark.parametrize("task", TASKS, ids=lambda path: path.stem)
def test_help_answers_without_what_is_slow_to_import(task: Path, verb: str):
    out, heavy = probe(str(task), *filter(None, [verb]), "--help")
    assert heavy == set()
    assert out.startswith("usage: ")
    if verb == "train":
        assert [name for name in COMMON.split() if f"--{name} " not in out] == []


ROOMS = ["", *sorted(path.parent.name for path in PACKAGE.glob("*/__init__.pyi"))]


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_of_a_room_is_there_and_listed(room: str):
    module = importlib.import_module(f"keras_seq.{room}".rstrip("."))
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None, name
        assert name in dir(module)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No keras_seq attribute Tokeniser"):
        keras_seq.Tokeniser


def test_layers_are_there_after_importing_the_package_alone():
    code = "import keras_seq as ks; print(ks.layers.LSTM, ks.text.Tokenizer)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def repository_files() -> list[Path]:
    """What a commit would hold; all the source where there is no git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        cwd=ROOT,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = list((ROOT / "keras_seq").rglob("*.py"))
    # This file spells out the paths that it looks for.
    return [path for path in found if path.is_file() and path != Path(__file__)]


def test_no_file_names_a_folder_of_one_machine():
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
            for match in MACHINE_PATH.finditer(text)
        ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("cd /home/me", True),
        ("'/tmp/runs'", True),
        ("file:" + "///a", True),
        ("https://example.org/home/me", False),
        ("../work/it", False),
        ("$OUT/tmp/it and {folder}/tmp/it", False),
    ],
)
def test_machine_paths_are_told_from_addresses(text: str, seen: bool):
    assert bool(MACHINE_PATH.search(text)) is seen
