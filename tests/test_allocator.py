"""What a step frees stays with the process, unless the user has said otherwise."""

import subprocess
import sys

import pytest

from keras_seq.allocator import CHOSEN, keep_freed_memory

# Blocks of a batch: 64 MB, 25 times. Pages that the system had to map anew.
FAULTS = """
import resource
import numpy as np
from keras_seq.allocator import keep_freed_memory

def mapped():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(25):
        np.ones(2**23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(mapped(), keep_freed_memory(), mapped())
"""


def numbers_around(script: str) -> tuple[int, int]:
    """What a fresh process prints before and behind a call that glibc answers."""
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    before, answered, after = answer.stdout.split()
    if answered == "False":
        pytest.skip("this C library is not glibc")
    return int(before), int(after)


def test_pages_are_mapped_once():
    before, after = numbers_around(FAULTS)
    assert after < before / 5


@pytest.mark.parametrize("name", CHOSEN)
def test_the_users_environment_decides(name: str, monkeypatch):
    monkeypatch.setenv(name, "1000000")
    assert keep_freed_memory.__wrapped__() is False


KEPT = """
import gc
import resource
import numpy as np
from keras_seq.allocator import give_back_memory, keep_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

keep_freed_memory()
blocks = [np.ones(2**20) for _ in range(16)]  # 128 MB, less than what stays by itself
behind = np.ones(2**10)
del blocks
gc.collect()
print(resident(), give_back_memory(), resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_training_gives_back_what_it_kept():
    before, after = numbers_around(KEPT)
    assert before - after > 100e6
