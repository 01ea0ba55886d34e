"""What `predict` answers: texts as arguments, lines of a file or of stdin, or a table.

Nothing here knows of models. TensorFlow is not imported.
"""

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from keras_seq.data.answers import (
    Answer,
    Read,
    Row,
    answer_table,
    check_output,
    write_rows,
)
from keras_seq.data.columns import TEXT_COLUMNS, is_header
from keras_seq.data.places import error_at, exists, user_path
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS
from keras_seq.data.text_files import read_lines
from keras_seq.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")

READS_TABLES = "give --data instead of --file, which reads its column of texts"


@dataclass(frozen=True)
class Inputs:
    """What is to be answered, said in one of three ways.

    Args:
        texts: arguments of the command line; without them a file's lines, or stdin's.
        file: text file, one text a line.
        data: file or glob of a table, in place of texts.
        text_column: of `data`; default found by its usual names.
        output: table to write what `data` becomes to; None yields the rows.
        table_format: how `data` is to be read.
    """

    texts: Sequence[str] = ()
    file: Path | None = None
    data: str | None = None
    text_column: str | None = None
    output: Path | None = None
    table_format: TableFormat = AS_FOUND


def takes_inputs(function: Callable[Concatenate[Inputs, P], R]) -> Callable[..., R]:
    """Makes a function of `Inputs` one of `*texts` and of the fields, as keywords.

    Example:

    >>> @takes_inputs
    ... def predict(inputs: Inputs, *, top_k: int = 0) -> Inputs:
    ...     return inputs
    >>> predict("so good", "so bad", top_k=1).texts
    ('so good', 'so bad')
    >>> [*inspect.signature(predict).parameters]
    ['texts', 'top_k', 'file', 'data', 'text_column', 'output', 'table_format']
    """
    names = {field.name for field in fields(Inputs)}

    @functools.wraps(function)
    def call(*texts: str, **options: object) -> R:
        given = {name: options.pop(name) for name in names & set(options)}
        return function(Inputs(texts, **given), **options)  # type: ignore

    own = inspect.signature(function, eval_str=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    texts = inspect.Parameter("texts", inspect.Parameter.VAR_POSITIONAL, annotation=str)
    shared = inspect.signature(Inputs).parameters.values()
    further = [each.replace(kind=keyword) for each in shared if each.name != "texts"]
    parameters = [texts, *list(own.parameters.values())[1:], *further]
    call.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=parameters
    )
    return call


def input_texts(texts: Sequence[str], file: str | Path | None = None) -> Iterator[str]:
    """Yields the texts to answer: the arguments, else a file's lines, else stdin's.

    A line stays a line, also when it is empty: answers keep the order of the input.

    Yields:
        One text at a time, without its line end.

    Raises:
        UserError: Both kinds were given, or the file is missing or not UTF-8.

    Example:

    >>> list(input_texts(["so good", "so bad"]))
    ['so good', 'so bad']
    """
    if texts and file is not None:
        raise UserError("give the texts as arguments or in --file, not both")
    if texts:
        yield from texts
        return
    if file is None and sys.stdin.isatty():
        print("reading one text a line; Ctrl-D ends", file=sys.stderr)
    lines = _stdin_lines() if file is None else _file_lines(user_path(file))
    for number, line in enumerate(lines):
        if number == 0 and is_header(line):
            given = "standard input" if file is None else file
            what = f"its first line {line.strip()[:60]!r} is the header of a table"
            raise error_at(given, f"{what}: {READS_TABLES}")
        yield line.rstrip("\r\n")


def answers(
    answer: Answer,
    inputs: Inputs,
    *,
    kind: str = "text",
    usual: Sequence[str] = TEXT_COLUMNS,
    read: Read | None = None,
) -> Iterator[Row]:
    """Answers texts, or those of a table, whose columns all stay before the answers.

    Args:
        answer: texts in, an answer to each out, in order. It is called once the first
            text is read, so that what is wrong with that one is said before a model is
            loaded.
        inputs: what is answered.
        kind: what the column of a table holds, as its option is called.
        usual: names of such columns.
        read: makes of a text, its table and its row what is answered; None leaves it.

    Yields:
        The rows, or one line about the file that was written.

    Raises:
        UserError: Several inputs were given, or options of a table without one.

    Example:

    >>> answered = answers(lambda texts: ({"n": len(t)} for t in texts), Inputs(["ab"]))
    >>> list(answered)
    [{'input': 'ab', 'n': 2}]
    """
    texts, data, output = inputs.texts, inputs.data, inputs.output
    column, table_format = inputs.text_column, inputs.table_format
    if data is None:
        if output is not None or column is not None or table_format != AS_FOUND:
            what = f"--output, --{kind}-column and how a table is read need a table"
            raise UserError(f"{what}; name it with --data")
        asked, shown = itertools.tee(input_texts(texts, inputs.file))
        given = asked if read is None else (read(name, None, 0) for name in asked)
        for text, answered in zip(shown, _once_read(answer, given)):
            yield {"input": text, **answered}
        return
    if texts or inputs.file is not None:
        raise UserError("give the texts as arguments, in --file or in --data: one way")
    path = None if output is None else check_output(output, data)
    rows = answer_table(
        data,
        partial(_once_read, answer),
        column=column,
        usual=usual,
        kind=kind,
        table_format=table_format,
        read=read,
    )
    yield from rows if path is None else [write_rows(rows, path)]


def _once_read(answer: Answer, asked: Iterator[Any]) -> Iterator[Mapping[str, object]]:
    """Answers after the first text has been read."""
    first = [*itertools.islice(asked, 1)]
    yield from answer(itertools.chain(first, asked))


def _file_lines(path: Path) -> Iterator[str]:
    """Lines of a text file; a table is none."""
    if not exists(path):
        raise error_at(path, "No such file")
    if Path(path.name.lower().removesuffix(".gz")).suffix in KINDS:
        raise error_at(path, f"is a table: {READS_TABLES}")
    return read_lines(path)


def _stdin_lines() -> Iterator[str]:
    with sys.stdin.buffer as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                what = f"standard input:{number}: not UTF-8 text"
                raise UserError(what) from error
