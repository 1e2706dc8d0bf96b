"""Processes that tests start and kill, forked from one server that has loaded what any of them needs."""

import multiprocessing
from multiprocessing.context import ForkServerContext

LOADED = [
    "tests.kills.actors",
    "tests.store.archive_worker",
    "tests.store.calling_worker",
    "tests.store.crash_writer",
    "tests.store.engine_worker",
    "tests.store.inbox_writer",
    "tests.store.webhook_worker",
]


def processes() -> ForkServerContext:
    """Where processes come from. There is one server a test run, and what its first caller asks for is all it loads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context
