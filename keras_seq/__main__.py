"""`keras-seq TASK VERB ...`: finds the script of a task and runs it, or copies it."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_seq.errors import UserError

USAGE = """usage: keras-seq TASK VERB [options]
       keras-seq new TASK [FILE]          write the script of a task, to change it
       keras-seq completion bash|zsh|fish print what a shell completes by

Each task trains, evaluates and predicts; `keras-seq TASK --help` says how.

tasks:
"""
WORDS = "train evaluate predict --help"
COMPLETIONS = {
    "bash": "complete -W '{words}' keras-seq\n",
    "zsh": "#compdef keras-seq\ncompadd -- {words}\n",
    "fish": "complete -c keras-seq -f -a '{words}'\n",
}


def scripts() -> dict[str, Path]:
    """Task to script, of all that are installed."""
    folder = Path(__file__).parent / "scripts"
    if not folder.is_dir():  # a link in a checkout, which Windows writes as a file
        folder = Path(__file__).parents[1] / "tasks"
    paths = sorted(folder.glob("*.py"))
    return {path.stem: path for path in paths if path.stem != "__init__"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line.

    Args:
        arguments: those after the command's name; default those of the process.

    Raises:
        SystemExit: With the exit status of the script; 2 for what the user must mend.
    """
    asked = list(sys.argv[1:] if arguments is None else arguments)
    if hasattr(sys.stdout, "reconfigure"):  # any name of a file can be printed
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _run(asked)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _run(asked: list[str]) -> None:
    known = scripts()
    if not asked or asked[0] in ("-h", "--help"):
        print(USAGE + _listed(known), end="")
    elif asked[0] == "--version":
        from keras_seq import __version__

        print(__version__)
    elif asked[0] == "new":
        _copy_script(known, asked[1:])
    elif asked[0] == "completion":
        _print_completion(known, asked[1:])
    else:
        script = _script(known, asked[0])
        sys.argv = [f"keras-seq {script.stem}", *asked[1:]]
        code = compile(script.read_bytes(), str(script), "exec")
        exec(code, {"__name__": "__main__", "__file__": str(script)})


def _listed(known: dict[str, Path]) -> str:
    lines = []
    for stem, path in known.items():
        about = path.read_text("utf-8").removeprefix('"""').partition("\n")[0]
        lines.append(f"  {stem:<16}  {about}\n")
    return "".join(lines)


def _script(known: dict[str, Path], stem: str) -> Path:
    if stem not in known:
        raise UserError(f"no task '{stem}'; there are {', '.join(known)}")
    return known[stem]


def _copy_script(known: dict[str, Path], asked: list[str]) -> None:
    if not 1 <= len(asked) <= 2:
        raise UserError("new takes a task and, if you like, a file to write")
    source = _script(known, asked[0])
    target = Path(asked[1] if len(asked) == 2 else f"{source.stem}.py")
    try:
        with open(source, "rb") as given, open(target, "xb") as made:
            shutil.copyfileobj(given, made)
    except FileExistsError:
        raise UserError(f"{target}: is there already; name another file") from None
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from error
    print(f"{target}: change it, then run: python {target} train")


def _print_completion(known: dict[str, Path], asked: list[str]) -> None:
    if len(asked) != 1 or asked[0] not in COMPLETIONS:
        raise UserError(f"completion takes one of {', '.join(COMPLETIONS)}")
    words = " ".join([*known, "new", "completion", WORDS])
    print(COMPLETIONS[asked[0]].format(words=words), end="")


if __name__ == "__main__":
    main()
