"""The event loop of the app: libuv's where it can be had, which is faster at sockets and at waking threads."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

if sys.platform != "win32":
    import uvloop

    _new_loop = uvloop.new_event_loop
else:
    _new_loop = asyncio.new_event_loop

Result = TypeVar("Result")


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work` to its end in a loop of its own."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(work)
