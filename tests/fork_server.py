"""Processes forked from one that has imported TensorFlow, and started nothing of it.

Importing it takes about six seconds of a processor, which most of what is run in a
process of its own need not pay each time. Run as a script, this file is the server: it
imports the modules that its arguments name, then forks for each line of its input.
"""

import atexit
import functools
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class ForkServer:
    """Runs scripts as `subprocess.run` does, but not from a fresh interpreter.

    It ends with the process that has started it.

    Args:
        modules: what the server imports.
        environment: of the server, and of what it runs.
        flags: of its interpreter.
    """

    def __init__(
        self,
        modules: Sequence[str],
        environment: Mapping[str, str],
        flags: Sequence[str] = (),
    ):
        command = [sys.executable, *flags, __file__, *modules]
        self.server = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        script: Sequence[str],
        *,
        input: str = "",
        cwd: str | Path = ".",
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess:
        """Runs a script with its arguments, and waits for its end.

        Args:
            script: its file and its arguments, or "-c", code and arguments.
            input: its standard input.
            cwd: its working directory.
            environment: None is that of this process.
        """
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, name) for name in ("in", "out", "err")]
            Path(files[0]).write_text(input, "utf-8")
            request = {
                "argv": list(map(str, script)),
                "files": files,
                "cwd": os.path.abspath(cwd),
                "environment": dict(os.environ if environment is None else environment),
            }
            print(json.dumps(request), file=self.server.stdin, flush=True)
            status = int(self.server.stdout.readline())
            out, err = (Path(file).read_text("utf-8", "replace") for file in files[1:])
        return subprocess.CompletedProcess(list(script), status, out, err)


@functools.cache
def bare() -> ForkServer:
    """What forks processes that have TensorFlow, and nothing of ours."""
    hidden_gpu = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return ForkServer(["tensorflow"], os.environ | hidden_gpu, ["-I"])


@functools.cache
def with_keras() -> ForkServer:
    """What forks processes that have Keras and pandas, too, and find keras_seq."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return ForkServer(["tensorflow", "keras", "pandas"], environment)


def serve(modules: Sequence[str]) -> None:
    """Imports, then forks for each line of standard input; answers exit codes."""
    for name in modules:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_run(**json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(
    argv: list[str], files: list[str], cwd: str, environment: dict[str, str]
) -> int:
    """What the interpreter does with a script, up to its exit code."""
    for number, path in enumerate(files):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout = open(0), open(1, "w")
    sys.stderr = open(2, "w", buffering=1)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    status = 0
    try:
        if argv[0] == "-c":
            sys.argv = ["-c", *argv[2:]]
            exec(compile(argv[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = argv
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1:])
