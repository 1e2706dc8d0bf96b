"""A firm over fakes: companies whose books lie in memory, a rail that a test may stop at any page, a standing clock."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from runway_core.domain.bills import Bill
from runway_core.domain.changes import Change, ChangePage, Cursor
from runway_core.domain.company import Company, Connection
from runway_core.domain.identity import DEFAULT_FIRM, FirmId, RecordKey
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.record import Record
from runway_core.errors import OutcomeUnknown
from runway_core.ports.ledger_rail import LedgerRail, RailContext, RailFactory, RecordFix
from runway_core.runway import Runway
from runway_core.sync.health import USUAL_SERVICE, ServiceSettings
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger, MemoryRail, MemoryRailFactory, MemorySettings
from runway_testkit.memory_store import MemoryStore
from runway_testkit.sample import READ_AT, sample_books, sample_company

PageHook = Callable[[int], Awaitable[None]]
"""Awaited when a page was read and before it is handed over; told the page's number, from nil."""

OTHERS = FirmId("others")


class Killed(BaseException):
    """The process is gone: nobody tidies up behind it."""


class HookedRail(MemoryRail):
    """Books in memory, read one page at a time under the eyes of a test."""

    def __init__(self, ledger: MemoryLedger, *, page_size: int, hook: PageHook | None) -> None:
        super().__init__(ledger, page_size=page_size)
        self._hook = hook

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        async with aclosing(super().changes_since(cursor)) as pages:
            number = 0
            async for page in pages:
                if self._hook is not None:
                    await self._hook(number)
                yield page
                number += 1


class ForgetfulRail(HookedRail):
    """A rail that does what it is told, and whose answer is lost on the way."""

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:
        await super().apply_fix(fix, idempotency_key=idempotency_key)
        raise OutcomeUnknown("no answer came in time", rail="memory")


class HookedRailFactory(MemoryRailFactory):
    """Opens hooked rails; `hooks` are by the books' name. When it `loses_answers`, writes are done and not answered."""

    def __init__(self, *, page_size: int, name: str = "memory") -> None:
        super().__init__(page_size=page_size)
        self.page_size = page_size
        self.hooks: dict[str, PageHook] = {}
        self.loses_answers = False
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def open(self, context: RailContext) -> LedgerRail:
        books = MemorySettings.model_validate(dict(context.settings)).books
        ledger = self.ledgers.setdefault(books, MemoryLedger())
        kind = ForgetfulRail if self.loses_answers else HookedRail
        return kind(ledger, page_size=self.page_size, hook=self.hooks.get(books))


class FirmDesk:
    """One firm's `Runway`, and the other side of its rails."""

    def __init__(
        self,
        *,
        at: datetime = READ_AT,
        page_size: int = 3,
        firm_id: FirmId = DEFAULT_FIRM,
        service: ServiceSettings = USUAL_SERVICE,
    ) -> None:
        self.clock = FixedClock(at)
        self.store = MemoryStore(clock=self.clock)
        self.factory = HookedRailFactory(page_size=page_size)
        self.numbers = count(1)
        self.service = service
        self.runway = self.open(firm_id)

    def open(self, firm_id: FirmId, *more: RailFactory) -> Runway:
        """A firm's view of the one database; another process is another one of these."""
        return Runway.open(
            store=self.store,
            rails=[self.factory, *more],
            clock=self.clock,
            firm_id=firm_id,
            new_id=lambda: f"id-{next(self.numbers)}",
            service=self.service,
        )

    async def connect(self, name: str, *records: Record, runway: Runway | None = None, **details: Any) -> Company:
        """A company connected to books of its own that hold `records`; they were entered before now."""
        runway = runway or self.runway
        ledger = self.factory.ledgers[name] = MemoryLedger(name=name, now=self.clock.now() - timedelta(hours=5))
        ledger.put(*records)
        ledger.now = self.clock.now() - timedelta(minutes=2)
        company = await runway.companies.add(name, **{"home_currency": "USD", "time_zone": "America/Chicago"} | details)
        await runway.connections.add(company.company_id, rail="memory", settings={"books": name}, secrets={})
        return company

    async def connect_sample(self) -> Company:
        """The Sample company, as its ledger shows it."""
        return await self.connect("Sample", *sample_records(), settings=sample_company().settings, owner="ada")

    def ledger(self, name: str) -> MemoryLedger:
        """A company's books at the vendor."""
        return self.factory.ledgers[name]

    async def connection(self, company: Company) -> Connection:
        """The company's connection as it stands."""
        (connection,) = await self.runway.connections.of(company.company_id)
        return connection

    async def mirror(self, company: Company) -> dict[RecordKey, bytes]:
        """The live records that are held, by key."""
        held = {}
        for kind in RECORD_CLASSES:
            for placed in await self.store.mirror.find_records(company.company_id, kind, limit=10_000):
                held[placed.record.key] = placed.record.content()
        return held

    async def trail(self, company: Company) -> list[tuple[str, str, str]]:
        """What the log says of records, in order."""
        return [
            (entry.draft.kind, entry.draft.external_id, entry.draft.what)
            async for entry in self.store.log.entries(company.company_id)
            if entry.draft.kind in set(RECORD_CLASSES)
        ]

    def later(self, **by: float) -> datetime:
        """Let time pass, here and at the vendors."""
        step = timedelta(**by)
        for ledger in self.factory.ledgers.values():
            ledger.now += step
        return self.clock.advance(step)


def books_of(ledger: MemoryLedger) -> dict[RecordKey, bytes]:
    """What the vendor holds, by key."""
    return {key: record.content() for key, record in ledger.records.items()}


def sample_records() -> tuple[Record, ...]:
    """Every record of the Sample company's ledger."""
    books = sample_books(with_bank=False)
    return (
        *books.accounts, *books.terms, *books.vendors, *books.customers, *books.bills, *books.vendor_credits,
        *books.bill_payments, *books.invoices, *books.credit_memos, *books.customer_payments, *books.purchases,
        *books.deposits, *books.transfers, *books.journal_entries,
    )  # fmt: skip


def bill(external_id: str, total: int = 100, **fields: Any) -> Bill:
    """An open bill of one vendor, due in two weeks."""
    values: dict[str, Any] = {
        "external_id": external_id,
        "number": f"N-{external_id}",
        "vendor_id": "V1",
        "vendor_name": "Norton Lumber",
        "document_date": date(2026, 2, 16),
        "due_date": date(2026, 3, 16),
        "currency": "USD",
        "total": Decimal(total),
        "open_balance": Decimal(total),
    }
    return Bill(**values | fields)


def bank(balance: int = 10_000) -> Account:
    """The company's bank account."""
    return Account(
        external_id="A1",
        name="Checking",
        full_name="Checking",
        account_kind=AccountKind.BANK,
        account_type="Bank",
        currency="USD",
        balance=Decimal(balance),
    )


def bills(number: int) -> list[Bill]:
    """So many bills, no two of which look alike."""
    return [bill(f"B{index:02}", 100 + 7 * index, number=f"{1009 * (index + 3)}") for index in range(number)]
