"""Runs of each task that are resumed behind their training: whole results, once.

One training a task; its end is cut off at each place where something is written.
"""

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tensorflow as tf

from keras_seq import cli
from keras_seq.tasks import run as ending
from tests.tasks.scripts import (
    load_script,
    write_prices,
    write_sentences,
    write_words,
)

VERSE = "To be, or not to be: that is the question.\n"
OTHER_VERSE = "The lady doth protest too much, methinks.\n"
REVIEWS = [
    (
        f"{'good' if n % 2 else 'bad'} film number {n % 17} of {n % 9}",
        "yes" if n % 2 else "no",
    )
    for n in range(160)
]


def write_reviews(path: Path, rows: list) -> None:
    lines = ["text,label", *(f"{text},{label}" for text, label in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_inputs(folder: Path) -> None:
    write_reviews(folder / "train.csv", REVIEWS[:100])
    write_reviews(folder / "validation.csv", REVIEWS[100:130])
    write_reviews(folder / "test.csv", REVIEWS[130:])
    write_prices(folder / "AAPL.csv", rows=400)
    write_words(folder / "words", 0, 10)
    write_words(folder / "more", 1, 4)
    for name, seed in (("words.conll", 0), ("more.conll", 1)):
        write_sentences(folder / name, seed, 80)
    (folder / "verse.txt").write_text(VERSE * 60)
    (folder / "held_out.txt").write_text(OTHER_VERSE * 20)


TASKS = {
    "sentiment": (
        "--data",
        "train.csv",
        "--validation-data",
        "validation.csv",
        "--test-data",
        "test.csv",
        "--documented",
    ),
    "stock": ("--data", "*.csv", "--lookback", "20", "--documented"),
    "speech": ("--data", "words", "--test-data", "more", "--batch-size", "8"),
    "text_generation": (
        "--data",
        "verse.txt",
        "--test-data",
        "held_out.txt",
        "--rnn-units",
        "8",
        "--embedding-dim",
        "4",
        "--batch-size",
        "4",
    ),
    "tagging": ("--data", "words.conll", "--test-data", "more.conll", "--documented"),
}


class Killed(BaseException):
    """What stands for a kill."""


def run(task: ModuleType, *arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            verbs = {"evaluate": task.evaluate, "predict": task.predict}
            cli.run("", train=task.train, argv=["train", *arguments], **verbs)
        except SystemExit as stop:
            status = int(stop.code or 0)
    return status, out.getvalue(), err.getvalue()


# The others take as long each, and share all but what they read and score.
ALL = [
    name if name == "sentiment" else pytest.param(name, marks=pytest.mark.slow)
    for name in TASKS
]


@pytest.fixture(scope="module", params=ALL)
def ended(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, str]:
    """A task, the folder it ran in and what it printed."""
    folder = tmp_path_factory.mktemp(request.param)
    write_inputs(folder)
    if request.param == "stock":
        for path in folder.glob("t*.csv"):
            path.unlink()
        (folder / "validation.csv").unlink()
    with contextlib.chdir(folder):
        status, out, err = run(load_script(request.param), *asked(request.param))
    assert status == 0, err
    return request.param, folder, out


def asked(task: str, *more: str) -> tuple[str, ...]:
    return *TASKS[task], "--epochs", "1", "--run-dir", "run", *more


def state_of(folder: Path) -> dict[str, Any]:
    """What a run leaves: scores, versions, and how often TensorBoard shows a thing."""
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    for part in ("validation", "test"):
        metrics[part].pop("real_time_factor", None)  # measured each time
    shown: dict[str, int] = {}
    for path in (folder / "run" / "tensorboard").rglob("events.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                key = f"{path.parent.name} {value.tag} {event.step}"
                shown[key] = shown.get(key, 0) + 1
    versions = sorted(path.name for path in (folder / "saved_models").glob("*/*/*"))
    return {"metrics": metrics, "shown": shown, "versions": versions}


def kill_at(module: ModuleType, name: str, when: str) -> Callable:
    """Replaces a function by one that is killed before or after its work."""
    whole = getattr(module, name)

    def killed(*arguments: Any, **options: Any) -> Any:
        if when == "after":
            whole(*arguments, **options)
        raise Killed

    return killed


PLACES = {
    "before the scores": ("write_facts", "before"),
    "after the scores": ("write_facts", "after"),
    "before the export": ("export", "before"),
    "after the export": ("export", "after"),
}


def test_the_end_of_a_run_is_reached_once(
    ended: tuple[str, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name, original, printed = ended
    expected, task = state_of(original), load_script(name)
    assert expected["versions"] == ["1"]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    status, out, err = run(task, *asked(name, "--resume"))
    assert (status, out) == (0, printed), err
    assert state_of(tmp_path) == expected
    shutil.rmtree("saved_models")
    (tmp_path / "run" / "metrics.json").unlink()
    for function, when in PLACES.values():
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(ending, function, kill_at(ending, function, when))
            run(task, *asked(name, "--resume"))
    (tmp_path / "run" / "metrics.json").write_text('{"test": ')
    status, out, err = run(task, *asked(name, "--resume"))
    assert status == 0 and (out == printed or name == "speech"), err
    assert state_of(tmp_path) == expected
    (facts,) = Path("saved_models", name).rglob("model.json")
    content = facts.read_text()
    run_id = json.loads(Path("run", "config.json").read_text())["run_id"]
    assert json.loads(content)["run_id"] == run_id


def other_test_data(task: str, folder: Path) -> str:
    """Changes what is scored, and names the part."""
    if task == "sentiment":
        write_reviews(
            folder / "test.csv",
            [(t, {"yes": "no", "no": "yes"}[label]) for t, label in REVIEWS[130:]],
        )
    elif task == "stock":
        lines = (folder / "AAPL.csv").read_text().splitlines()
        lines[-2] = lines[-2][:-1] + ("1" if lines[-2][-1] != "1" else "2")
        (folder / "AAPL.csv").write_text("\n".join(lines) + "\n")
    elif task == "speech":
        path = sorted((folder / "more").rglob("*.wav"))[0]
        sound = bytearray(path.read_bytes())
        sound[-2] ^= 8
        path.write_bytes(sound)
    elif task == "tagging":
        path = folder / "more.conll"
        path.write_text(path.read_text().replace(". PUNCT", "? PUNCT", 1))
    else:
        (folder / "held_out.txt").write_text(OTHER_VERSE * 20 + "Or not.\n")
    return "test"


def other_validation_data(task: str, folder: Path) -> str:
    if task == "sentiment":
        write_reviews(folder / "validation.csv", REVIEWS[100:129])
    elif task == "stock":  # a row in the second part of a table
        lines = (folder / "AAPL.csv").read_text().splitlines()
        row = len(lines) - 80
        lines[row] = lines[row][:-1] + ("1" if lines[row][-1] != "1" else "2")
        (folder / "AAPL.csv").write_text("\n".join(lines) + "\n")
    elif task == "speech":
        for path in (folder / "words").rglob("*.wav"):  # it is cut from them
            path.write_bytes(path.read_bytes()[:-2] + b"\0\1")
    elif task == "tagging":  # it is cut from them
        path = folder / "words.conll"
        path.write_text(path.read_text().replace(". PUNCT", "? PUNCT"))
    else:
        text = (folder / "verse.txt").read_text()
        at = len(text) - 20
        (folder / "verse.txt").write_text(text[:at] + "b" + text[at + 1 :])
    return "validation"


@pytest.mark.parametrize("change", [other_test_data, other_validation_data])
def test_other_data_of_any_part_is_named(
    change: Callable,
    ended: tuple[str, Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    name, original, _ = ended
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    part = change(name, tmp_path)
    status, _, err = run(load_script(name), *asked(name, "--resume"))
    last = err.splitlines()[-1]
    assert status == 2 and last.startswith("error: run: cannot be resumed with other")
    assert f"content of the {part} data was " in last


def test_other_settings_are_named_and_moved_files_are_not(
    ended: tuple[str, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name, original, printed = ended
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    task = load_script(name)
    for options, line in (
        (("--epochs", "9"), "epochs was 1, is 9"),
        (("--seed", "4"), "seed was 0, is 4"),
    ):
        status, _, err = run(task, *asked(name, "--resume"), *options)
        assert status == 2 and line in err.splitlines()[-1]
    if name == "speech":
        return  # parts are cut by the place of a recording, so they are others then
    moved = TASKS[name][1].replace("*", "AAPL")
    Path("elsewhere").mkdir()
    shutil.move(moved, f"elsewhere/{moved}")
    options = ("--data", f"elsewhere/{moved}")
    status, out, err = run(task, *asked(name, "--resume"), *options)
    assert (status, out) == (0, printed), err
