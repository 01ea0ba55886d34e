"""What every test stands on: the backend, quiet logs, capped threads, seeds, data."""

import logging
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# Read by TensorFlow and Keras when they are first imported, so set before any test is.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# Two processes of pytest-xdist have a core each.
THREADS = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, THREADS)

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from keras_seq.serving import proof  # noqa: E402
from tests.fork_server import bare  # noqa: E402

# A machine busy with other work is slow, which is no fault of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Run by hand, each in an environment of its own.
collect_ignore_glob = ["**/record_*.py"]
ROOT = Path(__file__).resolve().parent.parent


# What trains stands in these folders, the longest first.
LONG = ("tasks", "training", "layers", "hostile", "serving", "models")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files run first: one that starts last would leave a core idle."""

    def turn(item: pytest.Item) -> int:
        place = item.path.relative_to(ROOT).parts
        return LONG.index(place[1]) if place[1] in LONG else len(LONG)

    items.sort(key=turn)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository, wherever it lies."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder: $KERAS_SEQ_DATA, else ../shared/data; skips where none is."""
    folder = Path(os.environ.get("KERAS_SEQ_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no data folder; set KERAS_SEQ_DATA to one")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Downloads of a test never touch the user's own cache.

    All processes of pytest-xdist share it, so that kernels are compiled once.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    os.environ["KERAS_SEQ_CACHE"] = str(folder / "cache")


@pytest.fixture(scope="session", autouse=True)
def forked_proofs() -> Iterator[Callable]:
    """Proofs are forked from one process that has TensorFlow and nothing of ours.

    The scripts' own runs and `tests/serving/test_proof.py` start fresh ones.
    """

    def run_forked(script: list[str], request: str) -> subprocess.CompletedProcess:
        environment = os.environ | proof.HIDDEN_GPU
        return bare().run(script, input=request, environment=environment)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "run_isolated", run_forked)
        yield run_forked


@pytest.fixture(autouse=True)
def seeds() -> None:
    """Every test starts from the same random state; only those that use Keras pay."""
    random.seed(0)
    np.random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture
def remarks() -> Iterator[list[str]]:
    """What the library logs while the test runs, but for how many rows a file has."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not re.fullmatch(
                r".*: [\d,]+ (row|sentence|pair)s?", record.getMessage()
            ):
                lines.append(record.getMessage())

    handler, logger = Kept(), logging.getLogger("keras_seq")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)
