"""Compiles and loads the C++ kernels of the recurrent layers; done once a machine.

An option, never a requirement: where there is no compiler, or it fails, `library` gives
the reason and the layers go another way. The compiled file lies in the user's cache, or
else in a folder for temporary files, under a name made of the sources, the compiler,
TensorFlow's version and the CPU.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import tensorflow as tf

from keras_seq.layers import native_cache

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
    if sys.platform == "win32":  # TensorFlow there is not built with g++ or clang++
        return None, "no C++ kernels on Windows"
    compiler = shutil.which(os.environ.get("CXX") or "g++") or shutil.which("clang++")
    if compiler is None:
        return None, "no C++ compiler"
    try:
        return _loaded(compiler), f"C++ kernels, {Path(compiler).name}"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.splitlines() or ["no message"]
        return None, f"{compiler} failed: {lines[0]}"
    except (OSError, subprocess.TimeoutExpired, tf.errors.OpError) as error:
        return None, f"C++ kernels: {error}"


def operations() -> ModuleType:
    """The operations as Python functions, for those who have seen that there are."""
    found, why_not = library()
    assert found is not None, why_not
    return found


def _loaded(compiler: str) -> ModuleType:
    """From the first folder that can be written, and that libraries may run from."""
    name = f"recurrent-{_fingerprint(compiler)}.so"
    failures = []
    for folder in native_cache.folders():
        try:
            build = functools.partial(_compile, compiler)
            path = native_cache.library(folder / name, build)
            return tf.load_op_library(str(path))
        except (OSError, tf.errors.OpError) as error:
            failures.append(str(error).splitlines()[0])
    raise OSError("; ".join(failures))


def _compile(compiler: str, path: Path) -> None:
    options = "-std=c++17 -O3 -march=native -ffp-contract=fast -shared -fPIC -pthread"
    files = [str(SOURCES / "ops.cc"), "-o", str(path)]
    tensorflow = tf.sysconfig.get_compile_flags() + tf.sysconfig.get_link_flags()
    _run([compiler, *options.split(), *files, *tensorflow], check=True)


def _run(command: list[str], check: bool = False) -> str:
    done = subprocess.run(
        command,
        check=check,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS,
    )
    return done.stdout


def _fingerprint(compiler: str) -> str:
    version = _run([compiler, "--version"])
    parts = [compiler, version, tf.version.VERSION, _cpu()]
    parts += [path.read_text("utf-8") for path in sorted(SOURCES.iterdir())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cpu() -> str:
    """What `-march=native` depends on: a cache in a home folder may serve machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        import platform

        return " ".join(platform.uname())
    names = ("model name", "flags", "CPU implementer", "CPU part", "Features")
    return "\n".join(sorted({line for line in lines if line.startswith(names)}))
