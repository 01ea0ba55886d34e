"""Every snippet of README, CONTRIBUTING and docs: Python runs, commands are parsed.

A snippet is a block that stands four spaces in. What a comment behind a `print(...)`
claims has to be printed.
"""

import argparse
import functools
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import keras
import pytest
import tensorflow as tf

import keras_seq as ks
from keras_seq import cli
from keras_seq.serving.graph import trace_signatures

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"(?<=\n\n)(?: {4}.*\n(?:\n(?= {4}))?)+")
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
COMMAND = re.compile(r"(?:\.venv\S*/bin/)?(python|pip|keras-seq|make|tensorboard)\s")
# What a picture of folders has not.
PYTHON = re.compile(r"(?m)^(import |from |def |class |@|\w+ = |[\w.]+\()")
CLAIM = re.compile(r"(?m)^print\(.*\)\s+# (.*)$")


def blocks(text: str) -> Iterator[str]:
    for match in BLOCK.finditer(text):
        yield textwrap.dedent(match.group())


def commands(text: str) -> Iterator[str]:
    """Command lines of blocks and between backticks, in one spelling."""
    for block in blocks(text):
        if COMMAND.match(block):
            yield from block.replace("\\\n", " ").splitlines()
    spans = (" ".join(span.split()) for span in INLINE.findall(text))
    yield from (span for span in spans if COMMAND.match(span))


def python_blocks(text: str) -> list[str]:
    found = (block for block in blocks(text) if not COMMAND.match(block))
    return [block for block in found if PYTHON.search(block)]


COMMANDS = sorted({c for page in PAGES for c in commands(page.read_text("utf-8"))})


class Parsed(Exception):
    """A program has accepted its command line."""


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Programs read their command lines, and end where the work would begin."""
    run, parse_args = cli.run, argparse.ArgumentParser.parse_args
    monkeypatch.setattr(cli, "describe_exported", lambda *_, **__: None)

    def idle(verb: Callable) -> Callable:
        return functools.wraps(verb)(lambda *_, **__: None)

    def run_idle(doc: str, **named: object) -> None:
        run(doc, **{n: idle(v) if callable(v) else v for n, v in named.items()})

    def parse_alone(parser: argparse.ArgumentParser, argv: object = None) -> object:
        parsed = parse_args(parser, argv)
        if type(parser) is argparse.ArgumentParser:  # of a benchmark, not of `cli`
            raise Parsed
        return parsed

    monkeypatch.setattr(cli, "run", run_idle)
    monkeypatch.setattr(cli, "describe_exported", lambda model: None)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_alone)
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(os.environ):
        yield


def ask(words: list[str]) -> None:
    """Gives a command to its program.

    Raises:
        SystemExit: With what the program exits with.
    """
    program, rest = Path(words[0]).name, words[1:]
    if program == "python" and rest[:2] in (["-m", "pytest"], ["-m", "pip"]):
        paths = [word for word in rest[2:] if "/" in word]
        assert [path for path in paths if not (ROOT / path).exists()] == []
    elif program == "python" and rest[0] == "-m":
        runpy.run_module(rest[1], run_name="__main__")
    elif program == "python":
        runpy.run_path(str(ROOT / rest[0]), run_name="__main__")
    elif program == "keras-seq":
        from keras_seq.__main__ import main

        main(rest)
    elif program == "make":
        if shutil.which("make"):
            done = subprocess.run(["make", "-n", *rest], cwd=ROOT, capture_output=True)
            assert done.returncode == 0, done.stderr
    else:  # of others
        assert (program, rest[0]) in {("pip", "install"), ("tensorboard", "--logdir")}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_its_program_takes(
    command: str, nothing_runs: None, monkeypatch: pytest.MonkeyPatch, capsys
):
    words = shlex.split(command, comments=True)
    monkeypatch.setattr(sys, "argv", words[1 + ("-m" in words[:2]) :])
    try:
        ask(words)
    except Parsed:
        pass
    except SystemExit as stopped:
        assert not stopped.code, capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "python tasks/sentiment.py trian",
        "python tasks/stock.py train --horizons 3",
        "keras-seq new sentimant",
        "python -m benchmarks.forecast --only nothing",
        "make demonstration",
        "pip uninstall keras_seq",
        "python -m pytest tests/test_nothing.py",
    ],
)
def test_a_wrong_command_is_seen(command: str, nothing_runs: None, monkeypatch):
    words = shlex.split(command)
    monkeypatch.setattr(sys, "argv", words[1 + ("-m" in words[:2]) :])
    with pytest.raises((SystemExit, AssertionError)) as stopped:
        ask(words)
    assert getattr(stopped.value, "code", 1)


def write_export(folder: Path) -> None:
    """A classifier where the pages have one; it has learned nothing."""
    tokenizer = ks.Tokenizer()
    tokenizer.fit_on_texts(["what a film"])
    model = ks.build_lstm_model(tokenizer.vocab_size, 2, 2, num_classes=2)
    classify = ks.tasks.sentiment.TextClassifier(model, tokenizer, ["bad", "good"], 9)
    signatures = trace_signatures(classify.signatures())
    tf.saved_model.save(classify, folder, signatures)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_runs_and_prints_what_it_claims(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    snippets = python_blocks(page.read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    if any("saved_models/sentiment/1" in snippet for snippet in snippets):
        write_export(Path("saved_models", "sentiment", "1"))
    names = {"ks": ks, "tf": tf}
    for snippet in snippets:
        exec(compile(snippet, page.name, "exec"), names)
        printed = capsys.readouterr().out
        for claim in CLAIM.findall(snippet):
            missing = [word for word in claim.split(", ") if word not in printed]
            assert missing == [], printed


def test_snippets_are_found():
    lines = [
        "Text.",
        "",
        "    make x",
        "    python -m a \\",
        "        --b",
        "",
        "And `pip",
    ]
    lines += [
        "install .`:",
        "",
        "    import ks",
        "",
        "    ks.f()",
        "",
        "    tree/  of files",
    ]
    text = "\n".join(lines) + "\n"
    assert list(commands(text)) == ["make x", "python -m a      --b", "pip install ."]
    assert python_blocks(text) == ["import ks\n\nks.f()\n\ntree/  of files\n"]
