"""What a pull reports to whoever asked for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.company import Company
from runway_core.domain.sync_run import NOTHING_READ, PageCounts, SyncRun


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How the pulls of one company ended, one run a connection."""

    company: Company
    runs: tuple[SyncRun, ...]
    ask_again_at: datetime | None = None  # a rail was not even asked, because it keeps giving no answer

    @property
    def counts(self) -> PageCounts:
        """All runs together."""
        return sum((run.counts for run in self.runs), NOTHING_READ)

    @property
    def failed(self) -> tuple[SyncRun, ...]:
        """Runs that did not end well; their error says what to do."""
        return tuple(run for run in self.runs if run.error_code is not None)


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """One step of a pull, for displays: `pages` and `records` so far of this connection."""

    company: Company
    rail: str
    counts: PageCounts
    is_done: bool = False


ProgressListener = Callable[[SyncProgress], None]
"""Called in the event loop after each page; must not block."""


def ignore_progress(progress: SyncProgress) -> None:
    """Listen to nothing."""
