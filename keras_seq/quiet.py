"""TensorFlow's start-up remarks, kept off the terminal.

TensorFlow 2.21 writes several lines to the error output while it is imported and while
it looks for devices, before it reads TF_CPP_MIN_LOG_LEVEL. They would stand around the
one line that tells a user what to mend. This module does not import TensorFlow: it
waits until somebody does.
"""

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType


def quiet_tensorflow() -> None:
    """Makes the first `import tensorflow` of this process a silent one.

    What it says is shown only when the import fails. Where TensorFlow is imported
    already, nothing changes.

    Example:

    >>> quiet_tensorflow()
    """
    waiting = any(isinstance(finder, _Finder) for finder in sys.meta_path)
    if "tensorflow" not in sys.modules and not waiting:
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds TensorFlow once, as Python would, and wraps the running of its module."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module: ModuleType) -> None:
                with _held_back_errors():
                    execute(module)
                    # The search for devices has remarks of its own.
                    module.config.list_physical_devices()

            spec.loader.exec_module = execute_quietly
        return spec


@contextlib.contextmanager
def _held_back_errors() -> Iterator[None]:
    """Holds back what the process writes to descriptor 2; shows it after a failure."""
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as remarks:
        os.dup2(remarks.fileno(), 2)
        try:
            yield
        except Exception:
            remarks.seek(0)
            with open(terminal, "wb", closefd=False) as shown:
                shutil.copyfileobj(remarks, shown)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
