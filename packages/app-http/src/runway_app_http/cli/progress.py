"""What a person sees while companies are pulled: how many are done, how fast records come. On standard error only."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from runway_core.domain.identity import CompanyId
from runway_core.domain.sync_run import PageCounts
from runway_core.sync.reports import ProgressListener, SyncProgress

from runway_app_http.cli.session import stderr_console


class PullTally:
    """Adds up what the pulls of many companies report."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._counts: dict[tuple[CompanyId, str], PageCounts] = {}
        self._done: set[CompanyId] = set()

    def note(self, progress: SyncProgress) -> None:
        """Take one report."""
        self._counts[progress.company.company_id, progress.rail] = progress.counts
        if progress.is_done:
            self._done.add(progress.company.company_id)

    @property
    def done(self) -> int:
        """How many companies have ended a pull."""
        return len(self._done)

    @property
    def records(self) -> int:
        """How many records came, changed or not."""
        return sum(c.changed + c.unchanged + c.outdated + c.quarantined for c in self._counts.values())

    @property
    def records_per_second(self) -> int:
        """The average since the beginning."""
        elapsed = time.monotonic() - self._began
        return int(self.records / elapsed) if elapsed > 0 else 0


@contextmanager
def show_progress(*, companies: int, title: str = "Pulling") -> Iterator[ProgressListener]:
    """Show a bar while the block runs; where standard error is no terminal, show nothing."""
    tally = PullTally()
    console = stderr_console()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("companies", markup=False),
        TextColumn("{task.fields[records]:,} records  {task.fields[rate]:,}/s", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        bar = display.add_task(title, total=companies, records=0, rate=0)

        def listen(progress: SyncProgress) -> None:
            tally.note(progress)
            display.update(bar, completed=tally.done, records=tally.records, rate=tally.records_per_second)

        yield listen
