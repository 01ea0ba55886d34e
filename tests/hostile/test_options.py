"""Bad numbers at the shell: every numeric option of every verb turns them away.

The tables are scripts x verbs x options x values; a new numeric option without a range
fails here.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest

from keras_seq import cli
from keras_seq.cli_options import number_kind, options_of, parse_verb, range_of
from keras_seq.errors import UserError
from keras_seq.ranges import RANGES, Range, check_settings
from tests.tasks.scripts import ROOT, environment, load_script, script_of

SCRIPTS = sorted(path.stem for path in (ROOT / "tasks").glob("[!_]*.py"))
VERBS = ("train", "evaluate", "predict", "backtest")
# What no option of numbers takes, whatever its range is.
NEVER = (
    "nan",
    "NaN",
    "-nan",
    "inf",
    "-inf",
    "infinity",
    "1e400",
    "-1e400",
    "9" * 50,
    "1" * 5000,
    "",
    " ",
    " 5",
    "5\n",
    "abc",
    "1_000",
    "1,5",
    "0x10",
    "٣",
    "５",
    "²",
    "5e",
    "--5",
    "None",
)
NO_INTEGER = ("1.0", "2.5", "1e3", "1e9", ".5")
# (option, value, what the line says), of the issue and of other shapes.
SAID = [
    ("--learning-rate", "nan", "--learning-rate must be above 0, got nan"),
    ("--learning-rate", "0", "--learning-rate must be above 0, got 0.0"),
    ("--learning-rate", "-1", "--learning-rate must be above 0, got -1.0"),
    ("--learning-rate", "1e400", "--learning-rate must be at most 10, got inf"),
    ("--dropout", "5", "--dropout must be below 1, got 5.0"),
    ("--dropout", "1", "--dropout must be below 1, got 1.0"),
    ("--dropout", "-0.1", "--dropout must be at least 0, got -0.1"),
    ("--weight-drop", "1e-400x", "--weight-drop: invalid float value: '1e-400x'"),
    ("--label-smoothing", "1.0", "--label-smoothing must be below 1, got 1.0"),
    ("--rnn-units", "-3", "--rnn-units must be at least 1, got -3"),
    ("--embedding-dim", "0", "--embedding-dim must be at least 1, got 0"),
    ("--seed", "99999999999", "--seed must be at most 4294967295, got 99999999999"),
    ("--seed", "-1", "--seed must be at least 0, got -1"),
    ("--num-layers", "0", "--num-layers must be at least 1, got 0"),
    ("--epochs", "1_000", "--epochs: invalid int value: '1_000'"),
    ("--batch-size", "1e9", "--batch-size: invalid int value: '1e9'"),
    ("--batch-size", "1000000000", "--batch-size must be at most 1000000, got 1000"),
    ("--max-seconds", "-1", "--max-seconds must be at least 0, got -1.0"),
    ("--limit", "1", "--limit must be at least 3, got 1"),
    ("--vocab-size", "3", "--vocab-size must be at least 4, got 3"),
    ("--steps", "٣", "--steps: invalid int value: '٣'"),
]


@pytest.fixture(scope="module")
def tasks() -> dict[str, ModuleType]:
    return {name: load_script(name) for name in SCRIPTS}


def verbs_of(task: ModuleType) -> dict[str, Callable]:
    return {verb: getattr(task, verb) for verb in VERBS if hasattr(task, verb)}


def numbers_of(function: Callable) -> Iterator[tuple[str, type, Range | None]]:
    """Flag, int or float, and range of each option that takes numbers."""
    for name, parameter in options_of(function).items():
        if kind := number_kind(function, parameter):
            yield "--" + name.replace("_", "-"), kind, range_of(parameter)


def bad_values(kind: type, limits: Range) -> Iterator[str]:
    yield from NEVER
    yield from NO_INTEGER if kind is int else ()
    step = 1 if kind is int else 0.25
    for end, beyond, is_left_out in (
        (limits.low, -step, limits.without_low),
        (limits.high, step, limits.without_high),
    ):
        yield str(kind(end + beyond))
        if is_left_out:
            yield str(kind(end))


def refused(verbs: dict[str, Callable], *argv: str) -> str:
    with pytest.raises(UserError) as stop:
        parse_verb("", verbs, argv)
    return str(stop.value)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_number_of_every_verb_has_a_range_that_is_kept(
    name: str, tasks: dict[str, ModuleType]
):
    seen = 0
    verbs = verbs_of(tasks[name])
    for verb, function in verbs.items():
        for flag, kind, limits in numbers_of(function):
            assert limits is not None, f"{name} {verb} {flag} has no range"
            for value in bad_values(kind, limits):
                # With "=" argparse takes what begins with a minus for a value, too.
                line = refused(verbs, verb, f"{flag}={value}")
                assert flag in line and len(line) < 300, (verb, flag, value, line)
                seen += 1
    assert seen > 50


@pytest.mark.parametrize("value", NEVER)
def test_values_of_their_own_argument_are_refused_likewise(
    value: str, tasks: dict[str, ModuleType]
):
    verbs = {"train": tasks["speech"].train}
    assert "--max-seconds" in refused(verbs, "--max-seconds", value)


@pytest.mark.parametrize(("flag", "value", "line"), SAID)
def test_the_line_says_what_came_and_what_was_expected(
    flag: str,
    value: str,
    line: str,
    tasks: dict[str, ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    monkeypatch.chdir(tmp_path)
    verbs = verbs_of(tasks["text_generation"])
    with pytest.raises(SystemExit) as stop:
        cli.run("", **verbs, argv=["train", flag, value])
    said = capsys.readouterr()
    assert (stop.value.code, said.out) == (2, "")
    assert said.err.count("\n") == 1 and line in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["train", "predict"])
@pytest.mark.parametrize(("flag", "value"), [("--seed", "0"), ("--seed", "2147483647")])
def test_the_ends_of_a_range_are_taken(
    verb: str, flag: str, value: str, tasks: dict[str, ModuleType]
):
    _, values = parse_verb("", verbs_of(tasks["text_generation"]), [verb, flag, value])
    assert values["seed"] == int(value)


def test_a_shell_is_answered_before_tensorflow_is_imported(tmp_path: Path):
    trap = tmp_path / "trap"
    trap.mkdir()
    for module in ("tensorflow", "keras"):
        (trap / f"{module}.py").write_text("raise SystemExit('imported')")
    paths = {"PYTHONPATH": f"{trap}:{ROOT}"}
    script = str(script_of("sentiment"))
    done = subprocess.run(
        [sys.executable, script, "train", "--seed", "99999999999", "--run-dir", "run"],
        cwd=tmp_path,
        env=environment() | paths,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "--seed must be at most" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["trap"]


def test_a_range_of_its_own_goes_before_that_of_the_name():
    def train(*, dropout: Annotated[float, Range(0, 9)] | None = None, gain: int = 1):
        """Trains.

        Args:
            dropout: With a range of its own.
            gain: Without a range: any whole number.
        """

    verbs = {"train": train}
    assert parse_verb("", verbs, ["--dropout", "8.5"])[1]["dropout"] == 8.5
    assert "--dropout must be at most 9" in refused(verbs, "--dropout", "10")
    assert parse_verb("", verbs, ["--gain", "-7"])[1]["gain"] == -7
    assert "--gain: invalid int" in refused(verbs, "--gain", "1_000")
    ranges = {flag: limits for flag, _, limits in numbers_of(train)}
    assert ranges["--gain"] is None  # which fails a task's table above


def test_a_list_is_checked_value_by_value():
    def train(*, quantiles: Sequence[float] = (0.5,), steps: list[int] | None = None):
        """Trains.

        Args:
            quantiles: Some.
            steps: Some.
        """

    verbs = {"train": train}
    assert parse_verb("", verbs, ["--steps", "2", "3"])[1]["steps"] == [2, 3]
    assert "--steps must be at least 1, got 0" in refused(verbs, "--steps", "2", "0")
    assert "got nan" in refused(verbs, "--quantiles", "0.1", "nan")


@pytest.mark.parametrize("name", sorted(RANGES))
def test_python_is_held_to_the_same_ranges(name: str):
    limits = RANGES[name]
    check_settings(**{name: limits.high if not limits.without_high else 0.5})
    check_settings(**{name: None})
    for value in (float("nan"), float("inf"), float("-inf"), limits.low - 1, 10**40):
        with pytest.raises(ValueError, match=f"^{name} must be "):
            check_settings(**{name: value})
