"""The outside of a kill trial: companies' books that outlive every process, and a record of each call to them.

What happens to a company's books follows from the seed and from how many things have happened; a file says that. So
every process sees the same books, and so does whoever checks afterwards.
"""

import asyncio
import mmap
import os
import random
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from runway_core.domain.bills import Bill
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.log_entry import to_microseconds
from runway_core.errors import RailThrottled, RailUnavailable
from runway_core.ports.clock import Clock, SystemClock
from runway_core.ports.ledger_rail import LedgerRail, RailContext
from runway_rail_kit import BudgetShelf, CallBudget, Window
from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory, MemorySettings
from runway_testkit.store_desk import START, make_account, make_bill

KEPT_BILLS = 13
PAGE_SIZE = 4
WINDOWS = (Window(12, 0.5), Window(40, 2.0))
AT_ONCE = 8
_CALL = struct.Struct("<q16s")
_COUNT = struct.Struct("<q")


def name_canary(company: str) -> str:
    """Words that stand in the books of one company alone."""
    return f"canary-of-{company}."


class LeapingClock:
    """The machine's clock and what was added to it, which all processes of a trial share."""

    def __init__(self, folder: Path) -> None:
        self._machine = SystemClock()
        file = folder / "leap"
        if not file.exists():
            file.write_bytes(_COUNT.pack(0))
        with file.open("r+b") as opened:
            self._leap = mmap.mmap(opened.fileno(), _COUNT.size)

    def now(self) -> datetime:
        """The time of the trial."""
        return self._machine.now() + timedelta(seconds=_COUNT.unpack(self._leap[:])[0])

    def leap(self, seconds: int) -> None:
        """Move on at once, for all processes."""
        self._leap[:] = _COUNT.pack(_COUNT.unpack(self._leap[:])[0] + seconds)


class Source:
    """The books of one company at the vendor."""

    def __init__(self, folder: Path, company: str, seed: int) -> None:
        self.company = company
        self._file = folder / f"{company}.events"
        self._chance = random.Random(f"{seed} {company}")
        self.ledger = MemoryLedger(name=company, now=START - timedelta(days=1))

    def change(self, times: int) -> None:
        """So many more things happen; every process sees them from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self._count() + times))
        fresh.replace(self._file)
        self.catch_up()

    def _count(self) -> int:
        return int(self._file.read_text()) if self._file.exists() else 0

    def catch_up(self) -> None:
        """Let happen here what has happened."""
        for _ in range(self._count() - len(self.ledger.events)):
            self._happen()

    def _happen(self) -> None:
        number = len(self.ledger.events)
        key = RecordKey(RecordKind.BILL, str(self._chance.randrange(KEPT_BILLS)))
        drawn = self._chance.random()
        if drawn < 0.1:
            self.ledger.put(make_account(balance=str(Decimal(self._chance.randint(1, 9_999_999)).scaleb(-2))))
        elif drawn < 0.2 and key in self.ledger.records:
            self.ledger.delete(key)
        else:
            self.ledger.put(self._make_bill(key.external_id, number))

    def _make_bill(self, external_id: str, number: int) -> Bill:
        amount = Decimal(self._chance.randint(1, 999_999)).scaleb(-2)
        rest = amount if self._chance.random() < 0.8 else Decimal(0)
        bill = make_bill(external_id, open_balance=f"{rest:.4f}", memo=f"{name_canary(self.company)} change {number}")
        return bill.model_copy(update={"total": amount.quantize(bill.total)})


class CallRecord:
    """Every call to the vendor of all processes, as it was sent."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "calls"
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, company: str, at: datetime) -> None:
        """Write one call down, whole."""
        os.write(self._descriptor, _CALL.pack(to_microseconds(at), company.encode()))

    def read(self) -> Sequence[int]:
        """When calls were sent, in microseconds."""
        return [at for at, _ in _CALL.iter_unpack(self._file.read_bytes())]


class PacedRail(MemoryRail):
    """Books at a vendor that counts calls, takes its time, and sometimes says no."""

    def __init__(self, source: Source, budget: CallBudget, calls: CallRecord, clock: Clock) -> None:
        super().__init__(source.ledger, page_size=PAGE_SIZE)
        self._source = source
        self._budget = budget
        self._record = calls
        self._clock = clock

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        async with aclosing(super().changes_since(cursor)) as pages:
            while True:
                async with self._budget.spend_one():
                    self._record.note(self._source.company, self._clock.now())
                    await asyncio.sleep(random.uniform(0.002, 0.03))
                    drawn = random.random()
                    if drawn < 0.01:
                        raise RailUnavailable("503", rail="memory")
                    if drawn < 0.015:
                        raise RailThrottled("slow down", rail="memory", retry_after_seconds=1)
                    self._source.catch_up()  # an answer shows what is there when it is asked for
                    page = await anext(pages, None)
                if page is None:
                    return
                yield page
                if page.is_last:
                    return


class SourceFactory(MemoryRailFactory):
    """Opens the books as they stand."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__()
        self._folder = folder
        self._seed = seed
        self._sources: dict[str, Source] = {}
        self._calls = CallRecord(folder)
        self._budgets = BudgetShelf("memory")

    def open(self, context: RailContext) -> LedgerRail:
        company = MemorySettings.model_validate(dict(context.settings)).books
        source = self._sources.get(company)
        if source is None:
            source = self._sources[company] = Source(self._folder, company, self._seed)
        budget = self._budgets.of("app", WINDOWS, at_once=AT_ONCE, context=context)
        return PacedRail(source, budget, self._calls, context.clock)
