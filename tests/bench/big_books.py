"""A portfolio of large companies written straight into a store: what a year of mirroring leaves behind."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from runway_core import Runway
from runway_core.domain.bills import Bill
from runway_core.domain.changes import Attribution, Cause, Change, ChangePage, Cursor
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import CompanyId
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.parties import Term, Vendor
from runway_core.domain.record import Record
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.ports.store import Store

PAGE = 1000
VENDORS = 80
OPEN_SHARE = 25  # one bill in so many is open


@dataclass(frozen=True)
class Mirrored:
    """A company whose records are written without a rail."""

    store: Store
    connection: Connection

    @property
    def company_id(self) -> CompanyId:
        """Whose records they are."""
        return self.connection.company_id

    async def write(self, name: str, pages: Iterable[Sequence[Change]]) -> None:
        """One pull, named `name`, that brings these pages."""
        store, connection, now = self.store, self.connection, datetime.now(UTC)
        lease = await store.registry.take_lease(connection, holder="bench", now=now, lasts_seconds=3600)
        run = SyncRun(
            run_id=name, company_id=connection.company_id, connection_id=connection.connection_id,
            rail=connection.rail, cause=Cause.PULL, started_at=now,
        )  # fmt: skip
        await store.registry.begin_run(lease, run)
        by = Attribution(cause=Cause.PULL, actor="bench", correlation_id=name)
        for number, changes in enumerate(pages):
            page = ChangePage(changes=tuple(changes), next_cursor=Cursor(f"{name}-{number}"), source_time=now)
            await store.mirror.commit_page(lease, page, run_id=name, attribution=by, seen_at=now)
        ended = run.model_copy(update={"ended_at": now, "outcome": RunOutcome.SUCCEEDED})
        await store.registry.end_run(
            lease, ended, state=ConnectionState.ACTIVE, source_read_at=now, was_full=True, attribution=by
        )


async def add_mirrored(runway: Runway, store: Store, name: str) -> Mirrored:
    """A company with nothing in it yet."""
    company = await runway.companies.add(name, home_currency="USD", time_zone="America/Chicago")
    settings = {"folder": "/nowhere"}
    return Mirrored(
        store, await runway.connections.add(company.company_id, rail="sample", settings=settings, secrets={})
    )


async def fill_portfolio(runway: Runway, store: Store, *, companies: int, bills: int) -> list[CompanyId]:
    """Add companies with `bills` bills each, pages of a thousand, then compute every position."""
    added = []
    for index in range(companies):
        mirrored = await add_mirrored(runway, store, f"Bench Company {index:04d}")
        added.append(mirrored.company_id)
        await mirrored.write(f"run-{index}", _pages(index, bills))
        await runway.recompute(mirrored.company_id)
    return added


def _pages(seed: int, bills: int) -> Iterator[list[Change]]:
    dice = random.Random(seed)
    today = datetime.now(UTC).date()
    names: list[Record] = [
        _account(dice),
        Account(
            external_id="60", revision="0", revision_number=0, name="Supplies", full_name="Supplies", currency="USD",
            account_kind=AccountKind.EXPENSE, account_type="Expense", balance=Decimal(0),
        ),
        Term(external_id="3", revision="0", revision_number=0, name="Net 30", due_days=30),
    ]  # fmt: skip
    names += [
        Vendor(
            external_id=str(n), revision="0", revision_number=0, name=f"Vendor {n}", currency="USD", balance=Decimal(0)
        )
        for n in range(1, VENDORS + 1)
    ]
    yield [Change(record=record, raw=b'{"made":"up"}') for record in names]
    page: list[Change] = []
    for number in range(1, bills + 1):
        page.append(Change(record=_bill(number, dice, today), raw=b'{"made":"up","padding":"' + b"x" * 600 + b'"}'))
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _account(dice: random.Random) -> Account:
    return Account(
        external_id="35", revision="0", revision_number=0, name="Checking", full_name="Checking", currency="USD",
        account_kind=AccountKind.BANK, account_type="Bank", balance=Decimal(dice.randrange(20_000, 900_000)),
    )  # fmt: skip


def _bill(number: int, dice: random.Random, today: date) -> Bill:
    is_open = number % OPEN_SHARE == 0
    day = today - timedelta(days=dice.randrange(0, 45) if is_open else dice.randrange(30, 540))
    total = Decimal(dice.randrange(1_000, 900_000)) / 100
    entered = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    vendor = str(dice.randrange(1, VENDORS + 1))
    return Bill(
        external_id=str(number), revision="1", revision_number=1, created_at=entered, modified_at=entered,
        number=f"B-{number}", vendor_id=vendor, vendor_name=f"Vendor {vendor}", document_date=day,
        due_date=day + timedelta(days=30), currency="USD", total=total,
        open_balance=total if is_open else Decimal(0), term_id="3",
        lines=(DocumentLine(line_id="1", line_kind=LineKind.ACCOUNT, amount=total, account_id="60"),),
    )  # fmt: skip
