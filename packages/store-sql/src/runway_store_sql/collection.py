"""Keeps Python's cycle collector still while many values are made that live on.

It would walk through all of them several times to find nothing: reading many documents takes thrice as long then.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holders = 0
_was_enabled = False


@contextmanager
def paused_collection() -> Iterator[None]:
    """Pause collection until the last of those who asked is done; harmless where it was off already."""
    global _holders, _was_enabled  # noqa: PLW0603 - the collector itself is one for the process
    with _lock:
        if _holders == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _was_enabled:
                gc.enable()
