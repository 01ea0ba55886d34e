"""TensorFlow's start-up remarks, kept off the terminal.

TensorFlow 2.21 writes several lines to the error output while it is imported, before it
reads TF_CPP_MIN_LOG_LEVEL. They would stand around the one line that names what a user
has to mend, and fill the first cell of a notebook. This module does not import
TensorFlow: it waits until somebody does.
"""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def quiet_tensorflow(find_devices: bool = False) -> None:
    """Makes the first `import tensorflow` of this process a silent one.

    What it writes is shown only when the import fails; later remarks are held back by
    TF_CPP_MIN_LOG_LEVEL, which becomes 3. Where TensorFlow is imported already, or that
    variable asks for remarks (0 or 1), nothing changes.

    Args:
        find_devices: looks for devices at once, which has remarks of its own. Then
            CUDA_VISIBLE_DEVICES has to be set before the import.

    Example:

    >>> quiet_tensorflow()
    """
    if os.environ.setdefault(LOG_LEVEL, "3") in ("0", "1"):
        return
    _Finder.finds_devices |= find_devices
    waiting = any(isinstance(finder, _Finder) for finder in sys.meta_path)
    if "tensorflow" not in sys.modules and not waiting:
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds TensorFlow once, as Python would, and wraps the running of its module."""

    finds_devices = False

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module: ModuleType) -> None:
                with _held_back_errors():
                    execute(module)
                    if self.finds_devices:
                        module.config.list_physical_devices()

            # This one loader alone is changed.
            spec.loader.exec_module = execute_quietly  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def _held_back_errors() -> Iterator[None]:
    """Holds back what the process writes to descriptor 2; shows it after a failure."""
    import shutil
    import tempfile

    try:
        terminal = os.dup(2)
    except OSError:  # a process without an error output
        yield
        return
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
