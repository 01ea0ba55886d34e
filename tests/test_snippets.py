"""Every snippet of the READMEs and docs: Python runs, commands are parsed.

A snippet is a block that stands four spaces in. What a comment behind a `print(...)`
claims has to be printed. Where a page asks an export, a model that has learned nothing
stands in its place. The tutorial's code is the same in both languages, and runs once.
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
from types import SimpleNamespace
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_seq as ks
from keras_seq import cli
from keras_seq.evaluation.conformal import Calibration
from keras_seq.serving.graph import trace_signatures
from keras_seq.tasks.captioning.server import Captioner
from keras_seq.tasks.speech.server import SpeechRecognizer
from keras_seq.tasks.stock.server import PriceForecaster
from keras_seq.tasks.tagging.server import Tagger
from keras_seq.tasks.text_generation.server import TextGenerator
from keras_seq.tasks.translation.server import Translator

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("[RC]*.md")), *sorted(DOCS.rglob("*.md"))]
PAGES = [page for page in PAGES if page.name != "CHANGELOG.md"]
TUTORIAL, TRANSLATED = (DOCS / name / "tutorial.md" for name in ("en", "zh"))
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


def classifier() -> tf.Module:
    tokenizer = ks.Tokenizer()
    tokenizer.fit_on_texts(["what a film"])
    model = ks.build_lstm_model(tokenizer.vocab_size, 2, 2, num_classes=2)
    return ks.tasks.sentiment.TextClassifier(model, tokenizer, ["bad", "good"], 9)


def forecaster() -> tf.Module:
    window = keras.Input((17, 1))
    steps = keras.layers.Reshape((5, 1, 3))(keras.layers.Dense(15)(window[:, -1]))
    shifts = Calibration(np.zeros((5, 1)), np.zeros((5, 1)))
    return PriceForecaster(keras.Model(window, steps), shifts)


def recognizer() -> tf.Module:
    model = ks.build_speech_model(4, num_features=20, lstm_units=2, logits=True)
    extractor = ks.audio.LogMel(8000, 20, "utterance")
    return SpeechRecognizer(model, extractor, ks.audio.Alphabet([" ", "a", "b"]))


def generator() -> tf.Module:
    coder = ks.text.Characters.fit(["Return the"])
    model = ks.build_text_generation_model(coder.vocab_size, 2, 2)
    return TextGenerator(model, coder)


def tagger() -> tf.Module:
    encoder = ks.text.WordEncoder(["our", "visit"], with_features=False)
    return Tagger(ks.build_tagging_model(4, 2, 2, 2), encoder, ["DET", "NOUN"])


def translator() -> tf.Module:
    coder = ks.text.Bytes()
    size = coder.vocab_size
    return Translator(ks.models.build_transformer(size, size, 4, 1, 1), coder)


def captioner() -> tf.Module:
    coder = ks.text.Bytes()
    reads = ks.models.build_image_encoder((16, 16, 3), (4,))
    shape = reads.output_shape[1:]
    model = ks.models.build_captioning_model(
        shape, coder.vocab_size, 4, 4, encoder=reads
    )
    return Captioner(model, coder, most_tokens=5)


STAND_INS = {
    "sentiment": classifier,
    "stock": forecaster,
    "speech": recognizer,
    "text_generation": generator,
    "tagging": tagger,
    "translation": translator,
    "captioning": captioner,
}


def load_stand_in(path: str) -> SimpleNamespace:
    """What `tf.saved_model.load` gives of the folder that a page names."""
    folder, task, *_, version = Path(path).parts
    assert folder == "saved_models" and version == "1", path
    server = STAND_INS[task]()
    # Traced, never written: saving would take most of the time of this test.
    return SimpleNamespace(
        server=server, signatures=trace_signatures(server.signatures())
    )


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page != TRANSLATED],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_python_runs_and_prints_what_it_claims(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    snippets = python_blocks(page.read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tf.saved_model, "load", load_stand_in)
    keras.utils.set_random_seed(0)
    names = {"ks": ks, "tf": tf}
    for snippet in snippets:
        exec(compile(snippet, page.name, "exec"), names)
        printed = capsys.readouterr().out
        for claim in CLAIM.findall(snippet):
            missing = [word for word in claim.split(", ") if word not in printed]
            assert missing == [], printed


def test_the_tutorial_has_the_same_code_in_both_languages():
    english, chinese = (
        [*blocks(page.read_text("utf-8"))] for page in (TUTORIAL, TRANSLATED)
    )
    assert english == chinese and len(python_blocks(TUTORIAL.read_text("utf-8"))) > 10


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
