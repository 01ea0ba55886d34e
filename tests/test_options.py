"""Options as a dataclass: the keywords of a function, and the options of the shell."""

import inspect
from dataclasses import dataclass
from pathlib import Path

import pytest

from keras_seq.cli_options import parse_verb
from keras_seq.data.table_format import TableFormat
from keras_seq.options import TrainOptions, takes


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions):
    data: str | None = None
    batch_size: int = 8
    table_format: TableFormat = TableFormat()


@takes(Options)
def train(options: Options) -> Options:
    """Trains.

    Args:
        data: A file.
    """
    return options


def test_it_is_a_function_of_the_fields():
    assert train(data="a.csv", seed=3) == Options(data="a.csv", seed=3)
    assert train() == Options() and train().batch_size == 8
    with pytest.raises(TypeError, match="'sed'"):
        train(sed=3)
    with pytest.raises(TypeError, match="positional"):
        train("a.csv")


def test_its_signature_has_what_is_its_own_first():
    signature = inspect.signature(train)
    names = list(signature.parameters)
    assert names[:3] == ["data", "table_format", "epochs"]
    assert signature.parameters["batch_size"].default == 8
    assert signature.return_annotation is Options and train.__name__ == "train"


def test_the_shell_has_all_of_them_those_of_a_dataclass_within_too():
    argv = ["--data", "a.csv", "--separator", ";", "--run-dir", "run", "--resume"]
    verb, values = parse_verb("", {"train": train}, argv)
    wanted = Options(
        data="a.csv",
        table_format=TableFormat(separator=";"),
        run_dir=Path("run"),
        resume=True,
    )
    assert (verb, train(**values)) == ("train", wanted)
