"""A broker as a port: it carries word between processes that there is work, and nothing else.

The job table is the truth. A word that is lost, late or doubled delays work or makes someone look in vain.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

WorkDue = Callable[[], Awaitable[object]]
"""Does what is due in the job table, up to a share, and returns."""

OpenWork = Callable[[], AbstractAsyncContextManager[WorkDue]]
"""Opens what working needs; called in the process that works."""


class Broker(Protocol):
    """Brings word from whoever plans to whoever works. Found through the entry point group `runway.brokers`."""

    async def announce(self, due: int) -> int:
        """Tell workers that so many jobs are due; returns how many words were sent.

        Never raises for a broker that is silent, and never lets words pile up without end.
        """
        ...

    def run_worker(self, open_work: OpenWork, *, processes: int) -> None:
        """Work in so many processes whenever word comes, until stopped. Blocks."""
        ...

    def close(self) -> None:
        """Let go of connections. Repeating is harmless."""
        ...
