"""What the task scripts share at the shell: verbs, output and exit codes.

A task hands over three functions; `cli_options` makes a command line of them, this
module runs it. Of models and runs it knows their folders alone: a wrong one is refused
before the verb begins. TensorFlow is imported by the verb that runs, so that `--help`
answers at once.
"""

import contextlib
import errno
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_seq.cli_options import parse_verb
from keras_seq.errors import UserError
from keras_seq.files import plain
from keras_seq.invocation import running
from keras_seq.log import warnings_logged
from keras_seq.quiet import quiet_tensorflow
from keras_seq.serving.exported import describe_exported
from keras_seq.training.run_places import check_export_dir, check_run_dir

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
READER_LEFT = 141  # 128 + SIGPIPE
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
    values: dict[str, Any] = {}
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
            warnings_logged(),
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
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = INTERRUPTED
    except Exception as error:
        if (fault := _fault_of_disk(error)) is None:
            raise
        fault += ", and go on with --resume" if "resume" in values else ""
        print("error:", fault, file=sys.stderr)
        status = 2
    sys.exit(status)


def _fault_of_disk(error: Exception) -> str | None:
    """What a user can mend of a disk or a name, in one line; None for a bug.

    TensorFlow and HDF5 have errors of their own for a full disk.
    """
    if isinstance(error, OSError) and error.errno in (*DISK_FULL, *UNUSABLE):
        where = f"{error.filename}: " if error.filename else ""
        what = "make room" if error.errno in DISK_FULL else "give another name"
        return f"{where}{error.strerror}; {what}"
    if any(os.strerror(number) in str(error) for number in DISK_FULL):
        return "the disk is full; make room"
    return None


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


def _call(function: Callable, values: dict[str, Any]) -> Any:
    """Calls with what stands before `*texts` by position, as Python asks."""
    # What is wrong with folders is said before TensorFlow is imported.
    if "model" in values:
        own = inspect.signature(function).parameters["model"].default
        describe_exported(values["model"], task=getattr(own, "name", None))
    if "run_dir" in values:
        check_run_dir(values["run_dir"], resume=values.get("resume", False))
    if "export_dir" in values:
        check_export_dir(values["export_dir"])
    bound = inspect.signature(function).bind_partial()
    bound.arguments.update(values)
    return function(*bound.args, **bound.kwargs)


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
