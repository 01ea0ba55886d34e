"""How the C library hands memory out: freed blocks stay with the process."""

import ctypes
import functools
import os

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
KEPT = 512 * 2**20  # bytes of free memory at the end of the heap; more is given back
CHOSEN = "GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"


@functools.cache
def keep_freed_memory() -> bool:
    """Has glibc keep what is freed, in place of giving large blocks back at once.

    A block of some megabytes, as activations of a batch are, comes from the system by
    default and goes back to it: each page is then cleared and mapped anew. Where
    batches differ in length that was half of a training step on a virtual machine.

    Returns:
        Whether it does; not where there is no glibc, or where the user has chosen by
        the environment.

    Example:

    >>> keep_freed_memory() in (True, False)
    True
    """
    if any(name in os.environ for name in CHOSEN):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # of another C library
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, KEPT))


def give_back_memory() -> bool:
    """Gives to the system what was freed and kept, as when a training ends.

    Returns:
        Whether anything was; not where `keep_freed_memory` keeps nothing.

    Example:

    >>> give_back_memory() in (True, False)
    True
    """
    return keep_freed_memory() and bool(ctypes.CDLL(None).malloc_trim(0))
