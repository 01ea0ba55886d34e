"""Compiles and loads the C++ kernels of the recurrent layers; done once a machine.

An option, never a requirement: where there is no compiler, or it fails, `library` gives
the reason and the layers go another way. The compiled file lies in the user's cache,
under a name made of the sources, the compiler, TensorFlow's version and the CPU.
"""

import contextlib
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import tensorflow as tf

SOURCES = Path(__file__).resolve().parent / "native"
SECONDS = 300  # most that the compiler may take; it needs about five


@functools.cache
def library() -> tuple[ModuleType | None, str]:
    """The operations as Python functions, and how they came about.

    Returns:
        (module, what it was made with), or (None, why there is none).
    """
    if os.environ.get("KERAS_SEQ_NATIVE", "1") == "0":
        return None, "KERAS_SEQ_NATIVE=0"
    compiler = shutil.which(os.environ.get("CXX") or "g++") or shutil.which("clang++")
    if compiler is None:
        return None, "no C++ compiler"
    try:
        path = _compiled(compiler)
        return tf.load_op_library(str(path)), f"C++ kernels, {Path(compiler).name}"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.splitlines() or ["no message"]
        return None, f"{compiler} failed: {lines[0]}"
    except (OSError, subprocess.TimeoutExpired, tf.errors.OpError) as error:
        return None, f"C++ kernels: {error}"


def _compiled(compiler: str) -> Path:
    """The library's path; compiles what is not there."""
    folder = Path(os.environ.get("KERAS_SEQ_CACHE") or Path.home() / ".cache/keras_seq")
    folder = folder / "native"
    path = folder / f"recurrent-{_fingerprint(compiler)}.so"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder / "lock"):
            if not path.exists():  # another process may have been first
                _compile(compiler, path)
    return path


def _compile(compiler: str, path: Path) -> None:
    """Compiles aside and renames, so that the file is whole or absent."""
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        built = Path(aside, path.name)
        command = [
            compiler, "-std=c++17", "-O3", "-march=native", "-ffp-contract=fast",
            "-shared", "-fPIC", "-pthread", str(SOURCES / "ops.cc"), "-o", str(built),
            *tf.sysconfig.get_compile_flags(), *tf.sysconfig.get_link_flags(),
        ]  # fmt: skip
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=SECONDS
        )
        built.replace(path)


def _fingerprint(compiler: str) -> str:
    version = subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, timeout=SECONDS
    ).stdout
    parts = [compiler, version, tf.version.VERSION, _cpu()]
    parts += [path.read_text() for path in sorted(SOURCES.iterdir())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cpu() -> str:
    """What `-march=native` depends on: a cache in a home folder may serve machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        import platform

        return " ".join(platform.uname())
    names = ("model name", "flags", "CPU implementer", "CPU part", "Features")
    return "\n".join(sorted({line for line in lines if line.startswith(names)}))


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """One process compiles, the others wait for it."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
