"""Garbage collector and allocator, set for a program whose objects are many, plain and long-lived."""

import ctypes
import gc
import sys

_YOUNG = 100_000
"""A page of a thousand records makes tens of thousands of objects, none of them in circles: walking them over and over
cost a tenth of a first load, measured. Memory is freed by counting references all the same."""

_M_ARENA_MAX = -8  # of <malloc.h>
_ARENAS = 2


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
            mallopt(_M_ARENA_MAX, _ARENAS)
