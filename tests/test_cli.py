"""The shell of a task: options from signatures, answers on stdout, exit codes."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from keras_seq import cli
from keras_seq.cli_inputs import input_texts
from keras_seq.cli_options import parse_verb
from keras_seq.errors import UserError
from keras_seq.invocation import command
from keras_seq.tasks.result import Evaluation


def train(
    *,
    data: str | None = None,
    epochs: int = 3,
    max_seconds: float | None = None,
    run_dir: Path = Path("runs"),
    mode: Literal["fast", "good"] = "good",
    columns: Sequence[int] = (1,),
    documented: bool = False,
    shuffle: bool = True,
) -> dict:
    """Trains the toy.

    More about it.

    Args:
        mode (str): How long to search,
            in 100 % of the cases.
        columns: Which columns.
        documented: The tutorial's own model.
        shuffle: Keep the order.

    Returns:
        epochs: How many there were.
    """
    print("noise of a training")
    return {"run": run_dir, "epochs": epochs, "unset": None, "table": "a b\n1 2"}


def evaluate(*, data: str, fail: str | None = None) -> dict:
    """Scores the toy.

    Args:
        fail: Which way to fail.
    """
    print("noise of an evaluation")
    if fail == "user":
        raise UserError("rows.csv:3:\n  no label")
    if fail == "bug":
        raise RuntimeError("a bug")
    if fail == "stop":
        raise KeyboardInterrupt
    return {"n": np.int64(2), "loss": float("nan"), "scores": np.array([0.5, 1])}


def predict(*texts: str, file: str | None = None) -> Iterator[dict]:
    """Answers."""
    for text in input_texts(texts, file):
        print("noise of a prediction")
        yield {"input": text, "length": len(text)}


VERBS = {"train": train, "evaluate": evaluate, "predict": predict}


def run(*argv: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        cli.run("A toy.", **VERBS, argv=argv)
    return exit_.value.code


def script(**env: str) -> dict:
    """Settings of a process that runs the toy as a script, like any task."""
    folders = [Path(__file__).parent, Path(cli.__file__).parents[1]]
    path = os.pathsep.join(map(str, folders))
    return {
        # Buffered as at a shell, whatever the caller set.
        "env": os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": ""} | env,
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }


SCRIPT = "import test_cli; test_cli.cli.run('A toy.', **test_cli.VERBS)"


def shell(*argv: str, **env: str) -> subprocess.CompletedProcess:
    settings = script(**env) | {"stdin": subprocess.DEVNULL}
    return subprocess.run([sys.executable, "-c", SCRIPT, *argv], **settings, timeout=60)


def test_options_are_read_from_the_signature():
    verb, values = parse_verb(
        "A toy.",
        VERBS,
        "train --data a.csv --epochs 5 --max-seconds 1.5 --run-dir out --mode fast "
        "--columns 2 3 --documented --no-shuffle".split(),
    )
    assert verb == "train"
    assert values == {
        "data": "a.csv",
        "epochs": 5,
        "max_seconds": 1.5,
        "run_dir": Path("out"),
        "mode": "fast",
        "columns": [2, 3],
        "documented": True,
        "shuffle": False,
    }


@pytest.mark.parametrize("argv", [[], ["--epochs", "3"], ["train"]])
def test_no_verb_means_train_with_its_defaults(argv: list[str]):
    verb, values = parse_verb("A toy.", VERBS, argv)
    assert (verb, values["epochs"], values["shuffle"]) == ("train", 3, True)
    assert (values["data"], values["columns"]) == (None, (1,))


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["trian"], "unknown verb 'trian'; choose train, evaluate, predict"),
        (["--epochs", "many"], "--epochs: invalid int value: 'many'"),
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--max-seconds", "nan"], "--max-seconds must be at least 0, got nan"),
        (["--mode", "best"], "--mode: invalid choice: 'best'"),
        (["--run-dir", ""], "--run-dir: invalid place value: ''"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["evaluate"], "the following arguments are required: --data"),
        (["train", "--data"], "--data: expected one argument"),
        (["predict", "hi", "--file", "a"], "texts as arguments or in --file, not both"),
        (["predict", "--file", "absent.txt"], "absent.txt: No such file"),
        (["evaluate", "--data", "a", "--fail", "user"], "rows.csv:3: no label"),
    ],
)
def test_what_the_user_must_mend_is_one_line_and_exit_2(argv, words, capsys):
    assert run(*argv) == 2
    out, err = capsys.readouterr()
    line = err.splitlines()[-1]
    assert out == ""
    assert line.startswith("error: ") and words in line
    assert [text for text in err.splitlines() if "noise" not in text] == [line]


def test_help_takes_texts_from_the_docstring(capsys):
    assert run("train", "--help") == 0
    help_ = " ".join(capsys.readouterr().out.split())
    assert "Trains the toy. More about it." in help_
    assert "--mode {fast,good} How long to search, in 100 % of the cases." in help_
    assert "--epochs EPOCHS most passes over the training samples (default: 3)" in help_
    assert "How many there were" not in help_
    assert run("--help") == 0
    help_ = " ".join(capsys.readouterr().out.split())
    assert "A toy." in help_ and "evaluate Scores the toy." in help_


def test_an_option_of_several_verbs_is_documented_once(capsys):
    def learn(*, depth: int = 1):
        """Learns.

        Args:
            depth: How deep.
        """

    def score(*, depth: int = 2):
        """Scores."""

    with pytest.raises(SystemExit):
        parse_verb("", {"learn": learn, "score": score}, ["score", "--help"])
    help_ = " ".join(capsys.readouterr().out.split())
    assert "--depth DEPTH How deep. (default: 2)" in help_


def test_parameters_that_no_option_can_have_are_refused():
    def undocumented(*, depth: int = 1):
        """Says nothing of depth."""

    def odd(*, data: dict | None = None):
        """Takes a dict."""

    with pytest.raises(ValueError, match="parameter 'depth' has no help; add a line"):
        parse_verb("", {"undocumented": undocumented}, [])
    with pytest.raises(ValueError, match="odd: parameter 'data' is annotated dict"):
        parse_verb("", {"odd": odd}, [])


def test_train_prints_a_summary_and_nothing_else(capsys):
    assert run("--run-dir", "out", "--epochs", "2") == 0
    out, err = capsys.readouterr()
    assert out == "run     out\nepochs  2\ntable\na b\n1 2\n"
    assert err == "noise of a training\n"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_evaluate_prints_its_table_on_a_terminal_alone(
    is_terminal: bool, capsys, monkeypatch
):
    report = Evaluation({"n": 3}, lambda given: f"{given['n']} samples\n  0.5")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    verbs = VERBS | {"evaluate": lambda: report}
    with pytest.raises(SystemExit):
        cli.run("A toy.", **verbs, argv=["evaluate"])
    shown = "3 samples\n  0.5\n" if is_terminal else '{"n": 3}\n'
    assert capsys.readouterr().out == shown


def test_a_run_knows_its_command(capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "argv", ["keras-seq toy"])
    verbs = VERBS | {"train": lambda: seen.append(command())}
    with pytest.raises(SystemExit):
        cli.run("A toy.", **verbs, argv=["train"])
    assert seen == ["keras-seq toy train"] and command() is None


def test_evaluate_prints_one_strict_json_object(capsys):
    assert run("evaluate", "--data", "a") == 0
    out, err = capsys.readouterr()
    assert out == '{"n": 2, "loss": null, "scores": [0.5, 1.0]}\n'
    assert err == "noise of an evaluation\n"


def test_texts_come_from_arguments_or_a_file(tmp_path, capsys):
    lines = tmp_path / "lines.txt"
    lines.write_bytes("好吃\r\n\nfine".encode())
    for argv in (["好吃", "", "fine"], ["--file", str(lines)]):
        assert run("predict", *argv) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(row["input"], row["length"]) for row in rows] == [
            ("好吃", 2),
            ("", 0),
            ("fine", 4),
        ]


@pytest.mark.parametrize("name", ["n" * 300, "~nosuchuser/a.txt", "a\0b"])
def test_names_that_no_file_can_have_are_one_line(name: str, capsys):
    assert run("predict", "--file", name) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1


def test_a_closed_stderr_does_no_harm():
    command = 'exec "$0" -c "$1" predict hi 2>&-'
    settings = script() | {"stderr": None, "stdin": subprocess.DEVNULL}
    asked = ["bash", "-c", command, sys.executable, SCRIPT]
    done = subprocess.run(asked, **settings, timeout=60)
    assert done.returncode == 0
    assert done.stdout == b'{"input": "hi", "length": 2}\n'


TABLES = {
    "Tweets.csv": b"tweet_id,airline_sentiment,text\n1,bad,late\n",
    "a.tsv.gz": b"\x1f\x8b",
    "a.jsonl": b'{"text": "fine"}\n',
    "a.parquet": b"PAR1",
    "a.xlsx": b"PK",
    "reviews.txt": b"\xef\xbb\xbfReview;Sentiment\nfine;good\n",
    "rows": b'"id"\t"text"\t"label"\r\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_no_file_of_lines(name: str, tmp_path: Path, capsys):
    (tmp_path / name).write_bytes(TABLES[name])
    assert run("predict", "--file", str(tmp_path / name)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert "table: give --data instead of --file" in err


def test_a_table_that_is_typed_in_is_none_of_lines(monkeypatch, capsys):
    stdin = io.TextIOWrapper(io.BytesIO(b"text,label\nfine,good\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert run("predict") == 2
    assert "standard input: its first line 'text,label' is" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_text(encoding: str, tmp_path: Path, capsys):
    path = tmp_path / "lines.txt"
    path.write_bytes("good, texts\nbäd\n".encode(encoding))
    assert run("predict", "--file", str(path)) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["input"] for row in rows] == ["good, texts", "bäd"]


def test_a_line_that_is_not_utf8_is_named(monkeypatch, capsys):
    stdin = io.TextIOWrapper(io.BytesIO(b"fine\n\xff\xfe\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert run("predict") == 2
    out, err = capsys.readouterr()
    assert out == '{"input": "fine", "length": 4}\n'
    assert err.splitlines()[-1] == "error: standard input:2: not UTF-8 text"


@pytest.mark.parametrize("given", [None, "deep/er", "there"])
@pytest.mark.parametrize(
    "error", [UserError("no such layer"), RuntimeError("a bug"), KeyboardInterrupt()]
)
def test_a_run_that_trained_nothing_leaves_no_folder(
    given: str | None,
    error: BaseException,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    from keras_seq.training.run_folder import begin_run

    def train(*, run_dir: Path | None = None, resume: bool = False):
        """Fails before its first step."""
        begin_run("toy", {"run_dir": run_dir, "resume": resume, "seed": 0})
        raise error

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    argv = ["--run-dir", given] if given else []
    for _ in range(2):  # the folder and its lock are free again
        with pytest.raises((SystemExit, RuntimeError)):
            cli.run("A toy.", **(VERBS | {"train": train}), argv=argv)
        assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_run_that_trained_keeps_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from keras_seq.training.run_folder import begin_run

    def train(*, resume: bool = False):
        """Fails after its first step."""
        folder = begin_run("toy", {"run_dir": None, "resume": resume, "seed": 0})
        (folder / "faulty_batch.npz").touch()
        raise UserError("training broke")

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        cli.run("A toy.", **(VERBS | {"train": train}), argv=[])
    (folder,) = tmp_path.glob("runs/toy/*")
    assert {"config.json", "faulty_batch.npz"} <= {x.name for x in folder.iterdir()}


def test_a_run_is_not_begun_with_numbers_out_of_range(tmp_path: Path):
    from keras_seq.training.run_folder import begin_run

    settings = {"run_dir": tmp_path / "run", "resume": False, "dropout": float("nan")}
    with pytest.raises(ValueError, match="dropout must be at least 0, got nan"):
        begin_run("toy", settings)
    assert list(tmp_path.iterdir()) == []


def test_exit_codes_of_a_bug_and_of_an_interrupt():
    bug = shell("evaluate", "--data", "a", "--fail", "bug")
    assert (bug.returncode, bug.stdout) == (1, b"")
    assert b"Traceback" in bug.stderr and b"RuntimeError: a bug" in bug.stderr
    stopped = shell("evaluate", "--data", "a", "--fail", "stop")
    assert (stopped.returncode, stopped.stdout) == (130, b"")
    assert stopped.stderr.splitlines()[-1] == b"interrupted"
    assert b"Traceback" not in stopped.stderr


def test_any_argument_gives_json_in_any_locale():
    text = os.fsdecode(b"\xff") + "谢谢😀"
    answered = shell("predict", text, PYTHONIOENCODING="latin-1")
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout) == {"input": text, "length": 4}


@pytest.mark.parametrize("ending", ["reader leaves", "interrupt"])
def test_answers_come_one_by_one_and_the_end_is_quiet(ending: str):
    command = [sys.executable, "-c", SCRIPT, "predict"]

    def interruptible() -> None:  # a suite in the background has its SIGINT ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(command, **script(), preexec_fn=interruptible) as process:
        # An answer that is held back fails the test instead of hanging it.
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        process.stdin.write(b"one\n")
        process.stdin.flush()
        # The first answer is here while the input is still open.
        assert json.loads(process.stdout.readline())["input"] == "one"
        if ending == "interrupt":
            process.send_signal(signal.SIGINT)
        else:
            process.stdout.close()
            process.stdin.write(b"two\n")
            process.stdin.flush()
        errors = process.stderr.read().decode().splitlines()
        watchdog.cancel()
    assert process.returncode == {"reader leaves": 141, "interrupt": 130}[ending]
    said = [line for line in errors if "noise" not in line]
    assert said == {"reader leaves": [], "interrupt": ["interrupted"]}[ending]


def test_warnings_of_other_packages_are_lines_of_the_log(
    capsys: pytest.CaptureFixture,
):
    def train():
        """Does what pandas and NumPy warn of."""
        warnings.warn("of two\n  lines", FutureWarning)
        _ = np.float64(1) / np.float64(0)
        pd.to_datetime(["a", "b"], errors="coerce")

    shown = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.raises(SystemExit):
            cli.run("A toy.", **(VERBS | {"train": train}), argv=[])
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "FutureWarning: of two lines"
    assert second.startswith("RuntimeWarning: divide by zero")
    assert third.startswith("UserWarning: Could not infer format")
    assert warnings.showwarning is shown


FULL = [
    (OSError(errno.ENOSPC, "No space left on device", "a/b"), "a/b: No space left on"),
    (RuntimeError("SaveV2: part-0; No space left on device"), "the disk is full; make"),
    (OSError("Can't write data (errno = 28, No space left on device)"), "the disk is"),
    (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), "xxx"),
]


@pytest.mark.parametrize(("error", "line"), FULL)
def test_a_full_disk_is_one_line(error: Exception, line: str, capsys):
    def train():
        """Writes much."""
        raise error

    with pytest.raises(SystemExit) as stop:
        cli.run("A toy.", **(VERBS | {"train": train}), argv=[])
    told = capsys.readouterr().err
    assert stop.value.code == 2 and told.startswith(f"error: {line}")
    assert told.count("\n") == 1


def test_a_model_that_is_not_there_is_told_without_tensorflow(tmp_path: Path):
    code = "import sys\nfrom tests.tasks.scripts import load_script\n"
    code += "from keras_seq import cli\ntask = load_script('sentiment')\ntry:\n"
    code += "    cli.run('', train=task.train, evaluate=task.evaluate, "
    code += "predict=task.predict, argv=['predict', '--model', '~nosuchuser/m', 'a'])\n"
    code += "finally:\n    print('tensorflow' in sys.modules)\n"
    root = Path(cli.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert done.stderr.startswith("error: ~nosuchuser/m: no such user")
