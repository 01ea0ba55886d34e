"""What the task scripts share at the shell: verbs, answers and exit codes.

A task hands over three functions; `options` makes a command line of them, this module
runs it. Nothing here knows of models or data, and TensorFlow is imported by the verb
that runs, so that `--help` answers at once.
"""

import contextlib
import errno
import inspect
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_seq.cli_options import parse_verb
from keras_seq.data.answers import (
    Answer,
    Read,
    Row,
    answer_table,
    check_output,
    write_rows,
)
from keras_seq.data.columns import TEXT_COLUMNS, is_header
from keras_seq.data.files import plain
from keras_seq.data.places import error_at, exists, user_path
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS
from keras_seq.data.text_files import read_lines
from keras_seq.errors import UserError
from keras_seq.invocation import running
from keras_seq.quiet import quiet_tensorflow

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
READER_LEFT = 141  # 128 + SIGPIPE
READS_TABLES = "give --data instead of --file, which reads its column of texts"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNUSABLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP, errno.EROFS, errno.EACCES)


def run(
    doc: str,
    *,
    train: Callable,
    evaluate: Callable,
    predict: Callable,
    argv: Sequence[str] | None = None,
    directions: int = 1,
    **further: Callable,
) -> None:
    """Runs the verb that the command line asks for, then exits.

    Parameter `batch_size: int = 32` becomes `--batch-size`; `bool` a flag, `Literal` a
    choice, a keyword-only sequence an option of several values; `*texts` or
    `texts: Sequence[str]` take the arguments without an option. No verb means train.

    The answer alone goes to stdout: for train a summary, for the others JSON objects,
    one a line, and for evaluate a table where stdout is a terminal. All that a verb
    prints goes to stderr. Exit status: 0 success, 2 for what the user must mend
    (`UserError`, one line), 130 interrupted, 1 a bug.

    Args:
        doc: The script's docstring, shown by `--help`.
        train: Returns a mapping of what the run left, what has one as `summary()`, or
            None.
        evaluate: Returns a mapping.
        predict: Returns a mapping or an iterable of them, printed as they come.
        argv: Arguments after the script's name; default `sys.argv[1:]`.
        directions: Ways in which the model reads at once, so that each has its share of
            the cores.
        further: Verbs that a task has beside these, each returning as predict does.

    Raises:
        SystemExit: Always, with the exit status.
        ValueError: A parameter has no help, or a type that no option can have.

    Example:

    >>> def lengths(texts: Sequence[str] = ()):
    ...     return ({"input": text, "length": len(text)} for text in texts)
    >>> with contextlib.suppress(SystemExit):
    ...     run("Lengths.", train=lengths, evaluate=lengths, predict=lengths,
    ...         argv=["predict", "ab", "谢谢你"])
    {"input": "ab", "length": 2}
    {"input": "谢谢你", "length": 3}
    """
    verbs = {"train": train, "evaluate": evaluate, "predict": predict, **further}
    _share_cores(directions)
    if sys.stderr is None:  # closed
        sys.stderr = open(os.devnull, "w")
    stdout, status = sys.stdout, 0
    # Any text can be printed; what UTF-8 has no bytes for becomes a JSON escape.
    if hasattr(stdout, "reconfigure"):
        stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        argv = sys.argv[1:] if argv is None else argv
        verb, values = parse_verb(doc, verbs, argv)
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        quiet_tensorflow(find_devices=True)
        with (
            contextlib.redirect_stdout(sys.stderr),
            _without_untrained_runs(),
            running(sys.argv[0], argv),
        ):
            result = _call(verbs[verb], values)
            for line in _lines(verb, result, stdout.isatty()):
                print(line, file=stdout, flush=True)
    except UserError as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        status = 2
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        status = READER_LEFT
    except OSError as error:
        if error.errno not in (*DISK_FULL, *UNUSABLE):
            raise
        where = f"{error.filename}: " if error.filename else ""
        what = "make room" if error.errno in DISK_FULL else "give another name"
        print(f"error: {where}{error.strerror}; {what}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = INTERRUPTED
    sys.exit(status)


@contextlib.contextmanager
def _without_untrained_runs() -> Iterator[None]:
    """A verb that fails before it trained leaves no folder of a run behind."""
    try:
        yield
    except BaseException:
        # Only a verb that has imported it can have begun a run.
        runs = sys.modules.get("keras_seq.training.run_folder")
        if runs is not None:
            runs.discard_untrained()
        raise


def _share_cores(directions: int) -> None:
    """Operations that run side by side only wait for each other's threads if each has
    as many as there are cores: 6 % of a training step of two BiLSTMs on two cores."""
    if directions > 1 and "tensorflow" not in sys.modules:
        threads = max(1, (os.cpu_count() or 1) // directions)
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))


def input_texts(texts: Sequence[str], file: str | Path | None = None) -> Iterator[str]:
    """Yields the texts to answer: the arguments, else a file's lines, else stdin's.

    A line stays a line, also when it is empty: answers keep the order of the input.

    Args:
        texts: Arguments of the command line, possibly none.
        file: text file, one text a line; default standard input.

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
    texts: Sequence[str] = (),
    file: str | Path | None = None,
    *,
    data: str | None = None,
    output: Path | None = None,
    text_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
    kind: str = "text",
    usual: Sequence[str] = TEXT_COLUMNS,
    read: Read | None = None,
) -> Iterator[Row]:
    """Answers texts, or those of a table, whose columns all stay before the answers.

    Args:
        answer: texts in, an answer to each out, in order.
        texts: Arguments of the command line, possibly none.
        file: text file, one text a line; default standard input.
        data: file or glob of a table, in place of texts.
        output: table to write what `data` becomes to; None yields the rows.
        text_column: of `data`; default found by its usual names.
        table_format: how `data` is to be read.
        kind: what the column holds, as its option is called.
        usual: names of such columns.
        read: makes of a text, its table and its row what is answered; None leaves it.

    Yields:
        The rows, or one line about the file that was written.

    Raises:
        UserError: Several inputs were given, or options of a table without one.

    Example:

    >>> list(answers(lambda texts: ({"n": len(text)} for text in texts), ["ab"]))
    [{'input': 'ab', 'n': 2}]
    """
    if data is None:
        if output is not None or text_column is not None or table_format != AS_FOUND:
            what = f"--output, --{kind}-column and how a table is read need a table"
            raise UserError(f"{what}; name it with --data")
        asked, shown = itertools.tee(input_texts(texts, file))
        given = asked if read is None else (read(name, None, 0) for name in asked)
        for text, answered in zip(shown, answer(given)):
            yield {"input": text, **answered}
        return
    if texts or file is not None:
        raise UserError("give the texts as arguments, in --file or in --data: one way")
    path = None if output is None else check_output(output, data)
    rows = answer_table(
        data,
        answer,
        column=text_column,
        usual=usual,
        kind=kind,
        table_format=table_format,
        read=read,
    )
    yield from rows if path is None else [write_rows(rows, path)]


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


def _call(function: Callable, values: dict[str, Any]) -> Any:
    """Calls with what stands before `*texts` by position, as Python asks."""
    positional: list[object] = []
    keywords = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional.extend(values[name])
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keywords[name] = values[name]
        else:
            positional.append(values[name])
    return function(*positional, **keywords)


def _lines(verb: str, result: Any, is_terminal: bool) -> Iterator[str]:
    """What a verb answered, as it is printed.

    JSON for programs; for a person what train has left, and on a terminal the table of
    evaluate.
    """
    if verb == "train":
        return _summary(result)
    if is_terminal and hasattr(result, "as_table"):
        return iter([result.as_table()])
    return _json_lines(result)


def _summary(result: Mapping[str, object] | None) -> Iterator[str]:
    """What train gives a person to read: one aligned `name  value` line each."""
    summary = getattr(result, "summary", None)
    left = summary() if summary else result or {}
    shown = {name: value for name, value in left.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        if isinstance(value, Mapping | list | tuple):
            value = json.dumps(plain(value, name, shown=True), ensure_ascii=False)
        if "\n" in str(value):  # a table starts on a line of its own
            yield f"{name}\n{value}"
        else:
            yield f"{name:<{width}}  {value}"


def _json_lines(result: Mapping | Iterable[Mapping] | None) -> Iterator[str]:
    rows = [result] if isinstance(result, Mapping) else result or []
    for row in rows:
        shown = plain(row, "an answer", shown=True)
        yield json.dumps(shown, ensure_ascii=False, allow_nan=False)
