"""The garbage collector, set for a program whose objects are many, plain and long-lived."""

import gc

_YOUNG = 100_000
"""A page of a thousand records makes tens of thousands of objects, none of them in circles: walking them over and over
cost a tenth of a first load, measured. Memory is freed by counting references all the same."""


def tune_collector() -> None:
    """Leave what was imported out of collections, and collect the young less often. Repeating is harmless."""
    gc.freeze()
    gc.set_threshold(_YOUNG, 50, 100)
