"""Garbage collector and allocator, set for a program whose objects are many, plain and long-lived."""

import ctypes
import gc
import sys

_YOUNG = 100_000
"""A page of a thousand records makes tens of thousands of objects, none of them in circles: walking them over and over
cost a tenth of a first load, measured. Memory is freed by counting references all the same."""

_MALLOPT = {
    -8: 2,  # M_ARENA_MAX
    -3: 2**20,  # M_MMAP_THRESHOLD
    -1: 2**23,  # M_TRIM_THRESHOLD
}
"""What is freed is kept up to 8 MiB, and what sockets are read into (256 KiB) is not mapped anew for each read."""


def collect_less_often() -> None:
    """Look for circles less often, also while modules load: looking was a quarter of that, and there are none."""
    gc.set_threshold(_YOUNG, 50, 100)


def tune_collector() -> None:
    """Leave what was imported out of collections, and collect the young less often. Repeating is harmless."""
    gc.freeze()
    collect_less_often()


def tune_allocator() -> None:
    """Let the threads that read and write the database share what they free. Only glibc keeps it apart."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            for parameter, value in _MALLOPT.items():
                mallopt(parameter, value)
