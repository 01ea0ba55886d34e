"""The command `keras-seq`: it finds, runs and copies the scripts of the tasks."""

import subprocess
import sys
from pathlib import Path

import pytest

from keras_seq.__main__ import COMPLETIONS, main, scripts


def test_help_lists_every_task_and_what_it_is(capsys, root: Path):
    main(["--help"])
    out = capsys.readouterr().out
    for stem, path in scripts().items():
        assert f"  {stem} " in out
        assert path.read_bytes() == (root / "tasks" / f"{stem}.py").read_bytes()


def test_a_task_runs_with_its_own_verbs_and_name(root: Path):
    command = [sys.executable, "-m", "keras_seq", "stock", "predict", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: keras-seq stock predict ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["sentimant", "train"],
            "no task 'sentimant'; there are captioning, sentiment",
        ),
        (["new"], "new takes a task"),
        (["new", "a", "b", "c"], "new takes a task"),
        (["new", "nothing"], "no task 'nothing'"),
        (["completion"], "completion takes one of bash, zsh, fish"),
        (["completion", "tcsh"], "completion takes one of"),
        (["-v"], "no task '-v'"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], said: str, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stopped.value.code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_new_writes_the_script_once(tmp_path: Path, capsys):
    target = tmp_path / "mine.py"
    main(["new", "sentiment", str(target)])
    assert target.read_bytes() == scripts()["sentiment"].read_bytes()
    target.write_text("changed")
    with pytest.raises(SystemExit):
        main(["new", "sentiment", str(target)])
    assert "is there already" in capsys.readouterr().err
    assert target.read_text() == "changed"


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_completion_names_the_tasks(shell: str, capsys):
    main(["completion", shell])
    assert "speech stock tagging text_generation" in capsys.readouterr().out
