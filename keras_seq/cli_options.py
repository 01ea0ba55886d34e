"""Typed functions as verbs of a command line: their signatures read as options.

This module knows no task and runs nothing: it turns arguments into values. TensorFlow
is not imported, so that `--help` answers at once.
"""

import argparse
import collections.abc
import dataclasses
import inspect
import re
import types
import typing
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from keras_seq.errors import UserError
from keras_seq.ranges import RANGES, Range, integer, number, shortened

# What these options mean in every task; a function's own "Args:" line goes before it,
# and what neither has stands under "Args:" of another verb.
COMMON_HELP = {
    "data": "file or glob of samples; without it, the embedded sample",
    "text_column": "column of the texts; default found by its usual names",
    "label_column": "column of the labels; default found by its usual names",
    "label_separator": "what stands between the labels of one text, such as comma or "
    "pipe: it has several",
    "label_columns": "columns of 0 and 1, one a label: a text has several",
    "validation_data": "samples of its own; default a part of the data",
    "test_data": "samples of its own; default a part of the data",
    "embeddings": "word vectors to start from: text of GloVe, word2vec or fastText, "
    "also .gz",
    "documented": "train the tutorial's own architecture instead",
    "epochs": "most passes over the training samples",
    "batch_size": "samples in one step",
    "max_seconds": "time limit of training; the best weights so far are kept",
    "limit": "use at most this many samples",
    "seed": "the one number that fixes splits, initial weights and shuffling",
    "run_dir": "folder for what the run leaves: metrics, TensorBoard, checkpoints; "
    "default runs/TASK/DATA-TIME",
    "export_dir": "folder of the exported model; default saved_models/TASK/DATA, by "
    "the name of the data",
    "resume": "go on with an interrupted run: that of --run-dir, or the newest",
    "strategy": "devices to train on",
    "mixed_precision": "float16 where it is faster; auto asks the device",
    "separator": "what stands between columns: a character, or comma, semicolon, tab, "
    "pipe, space; default found",
    "encoding": "of text files, such as cp1252 or gb18030; default UTF-8",
    "no_header": "the first row of a table holds data; columns are numbers from 1",
    "drop_missing": "leave out rows without a value; default is an error by row",
    "output": "table to write: all columns of --data, and the answers",
    "texts": "raw inputs; without them, one a line from --file or standard input",
    "file": "text file, one raw input a line",
}
# A finite number: what an option takes that no range was given for.
_ANY = {int: Range(-(2**63), 2**63 - 1), float: Range(-1e308, 1e308)}


def place(text: str) -> Path:
    """The path that a text names; none names nothing, as an unset variable does."""
    if not text:
        raise ValueError(text)
    return Path(text)


_READ = {int: integer, float: number, Path: place}
_SEQUENCES = (collections.abc.Sequence, list)


def parse_verb(
    doc: str, verbs: Mapping[str, Callable], argv: Sequence[str]
) -> tuple[str, dict[str, object]]:
    """Reads which verb is asked for, and the values of its function's parameters.

    Returns:
        The verb, and a value for each parameter of its function.

    Raises:
        UserError: The arguments do not fit; one line.
        ValueError: A parameter has no help, or a type that no option can have.
        SystemExit: `--help` was asked for and printed.

    Example:

    >>> def train(*, epochs: int = 3, max_seconds: float | None = None): ...
    >>> parse_verb("Demo.", {"train": train}, ["--max-seconds", "60"])
    ('train', {'epochs': 3, 'max_seconds': 60.0})
    """
    default_verb = next(iter(verbs))
    parser = _Parser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"No verb means {default_verb}. VERB --help lists a verb's options.",
    )
    commands = parser.add_subparsers(metavar="VERB", required=True)
    documented = {verb: _documented(function) for verb, function in verbs.items()}
    for verb, function in verbs.items():
        about = inspect.getdoc(function) or ""
        command = commands.add_parser(
            verb,
            help=about.partition("\n")[0],
            description=about.partition("\nArgs:")[0],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.set_defaults(_verb=verb)
        texts = ChainMap(documented[verb], COMMON_HELP, *documented.values())
        _add_parameters(command, function, texts)
    if not argv or argv[0] not in {*verbs, "-h", "--help"}:
        if argv and not argv[0].startswith("-"):
            parser.error(f"unknown verb '{argv[0]}'; choose {', '.join(verbs)}")
        argv = [default_verb, *argv]
    values = vars(parser.parse_args(argv))
    verb = values.pop("_verb")
    function = verbs[verb]
    for name, parameter in options_of(function).items():
        if not (kind := number_kind(function, parameter)):
            continue
        given, limits = values[name], range_of(parameter) or _ANY[kind]
        for value in given if isinstance(given, list | tuple) else [given]:
            if value is not None and (problem := limits.problem(value)):
                parser.error(f"{_flag(name)} {problem}, got {shortened(value)}")
    for name, parameter in _parameters(function).items():
        group = parameter.annotation
        if isinstance(group, type) and dataclasses.is_dataclass(group):
            own = {field: values.pop(field) for field in _parameters(group)}
            values[name] = group(**own)
    return verb, values


def options_of(function: Callable) -> dict[str, inspect.Parameter]:
    """What becomes an option: each parameter, and of a dataclass each of its fields.

    So options that several verbs share are said once, as a dataclass.

    Example:

    >>> from keras_seq.data.table_format import TableFormat
    >>> def train(*, epochs: int = 3, table_format: TableFormat = TableFormat()): ...
    >>> list(options_of(train))
    ['epochs', 'separator', 'encoding', 'no_header', 'drop_missing']
    """
    found: dict[str, inspect.Parameter] = {}
    for name, parameter in _parameters(function).items():
        is_group = dataclasses.is_dataclass(parameter.annotation)
        found |= _parameters(parameter.annotation) if is_group else {name: parameter}
    return found


def _parameters(function: Callable) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function, eval_str=True).parameters


class _Parser(argparse.ArgumentParser):
    """Reports misuse as `UserError`: one line, like every other thing to mend."""

    def error(self, message: str) -> typing.NoReturn:
        # A value of a thousand characters is no line to read.
        message = re.sub(r"\S{300,}", lambda found: f"{found[0][:100]}...", message)
        raise UserError(f"{message} (see {self.prog} --help)")


def _add_parameters(
    parser: argparse.ArgumentParser, function: Callable, texts: Mapping[str, str]
) -> None:
    for name, parameter in options_of(function).items():
        if name not in texts:
            raise ValueError(
                f"{function.__name__}: parameter '{name}' has no help; add a line "
                f"'{name}: ...' under 'Args:' in its docstring."
            )
        settings: dict[str, typing.Any] = {"help": texts[name].replace("%", "%%")}
        if parameter.annotation is bool:
            # `--name` for what is off by default, `--no-name` for what is on.
            flag, stores = _flag(name), "store_true"
            if parameter.default is True:
                flag, stores = _flag(f"no_{name}"), "store_false"
            parser.add_argument(flag, dest=name, action=stores, **settings)
            continue
        settings |= _value_settings(function, parameter)
        if _is_positional(parameter):
            parser.add_argument(name, **(settings | {"nargs": "*"}))
            continue
        if parameter.default is inspect.Parameter.empty:
            settings["required"] = True
        else:
            settings["default"] = parameter.default
            if parameter.default is not None and "default" not in texts[name]:
                settings["help"] += " (default: %(default)s)"
        parser.add_argument(_flag(name), dest=name, **settings)


def _value_settings(function: Callable, parameter: inspect.Parameter) -> dict:
    """argparse's `type`, `nargs` and `choices` for an annotation."""
    settings: dict[str, object] = {}
    kind = _without_range(parameter.annotation)
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        # An object is what Python alone can give, such as a DataFrame.
        members = set(typing.get_args(kind)) - {types.NoneType, object}
        if members == {str, Path}:
            members = {str}
        kind = members.pop() if len(members) == 1 else None
    if typing.get_origin(kind) in _SEQUENCES:
        settings["nargs"] = "+"
        (kind,) = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        settings["choices"] = choices
        kind = type(choices[0])
    if kind in _READ:
        return settings | {"type": _READ[kind]}
    if kind is not str:
        raise ValueError(
            f"{function.__name__}: parameter '{parameter.name}' is annotated "
            f"{parameter.annotation!r}; an option takes bool, str, int, float, Path, "
            f"Literal, a Sequence of one of them, and `| None`."
        )
    return settings | {"type": kind}


def range_of(parameter: inspect.Parameter) -> Range | None:
    """The range of a numeric option: its annotation's, else that of its name."""
    for kind in (parameter.annotation, *typing.get_args(parameter.annotation)):
        for note in getattr(kind, "__metadata__", ()):
            if isinstance(note, Range):
                return note
    return RANGES.get(parameter.name)


def number_kind(function: Callable, parameter: inspect.Parameter) -> type | None:
    """int or float where an option takes numbers, one or several; else None."""
    if parameter.annotation is bool:
        return None
    read = _value_settings(function, parameter)["type"]
    return {integer: int, number: float}.get(read)


def _without_range(annotation: typing.Any) -> typing.Any:
    """`int | None` of `Annotated[int, Range(...)] | None`."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _without_range(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        members = map(_without_range, typing.get_args(annotation))
        return typing.Union[tuple(members)]
    return annotation


def _is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind is inspect.Parameter.VAR_POSITIONAL or (
        parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and typing.get_origin(parameter.annotation) in _SEQUENCES
    )


def _documented(function: Callable) -> dict[str, str]:
    """{parameter: its text} of a docstring's "Args:" section."""
    _, _, section = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    section = re.split(r"(?m)^(?=\S)", section, maxsplit=1)[0]
    # An entry stands four spaces in, its further lines deeper.
    entry = r"(?m)^ {4}\*?(\w+)(?: \([^)]*\))?:(.*(?:\n {5,}.*)*)"
    return {name: " ".join(text.split()) for name, text in re.findall(entry, section)}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
