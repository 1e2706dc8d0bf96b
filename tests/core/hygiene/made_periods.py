"""Made-up companies whose past is closed, whose rails were read or not, and whose card takings a processor pays out.

The books are the sandbox's. Entries change and go, some of them in the closed period and since it was closed;
connections are of all ages; payouts are deposited in one line, in several, or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from runway_core.calculators.postings import ENTRY_FIELDS
from runway_core.domain.books import Books
from runway_core.domain.company import Connection, ConnectionState
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.field_changes import WHOLE_RECORD, FieldChange
from runway_core.domain.identity import ConnectionId, RecordKey
from runway_core.domain.ledger import AccountKind, CompanyInfo, Deposit
from runway_core.domain.processor import Payout, PayoutPart, PayoutPartKind
from runway_sandbox.economy import build_company
from runway_testkit.books_making import connection

from tests.core.hygiene.planted import AS_OF, HISTORY_FROM, Defects
from tests.core.sandbox_books import read_sandbox_books

JUDGED = frozenset({"GL03", "SY01", "SY04"})
CLOSED_THROUGH = AS_OF - timedelta(days=61)
CLOSED_DAYS_AGO = 30


@dataclass(slots=True)
class MadePeriods:
    """One company in the making."""

    rng: Random
    books: Books
    planted: Defects = field(default_factory=set)
    changes: list[FieldChange] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    gone: set[RecordKey] = field(default_factory=set)

    def plant(self, check: str, *records: RecordKey) -> None:
        self.planted.add((check, frozenset((key.kind.value, key.external_id) for key in records)))

    def note(self, key: RecordKey, name: str, before: str | None, after: str | None, *, days_ago: int) -> None:
        """A change that the log saw."""
        seen_at = self.books.read_at - timedelta(days=days_ago)
        self.changes.append(
            FieldChange(record=key, field=name, before=before, after=after, seen_at=seen_at, rail="qbo")
        )


def make_periods_company(seed: int, *, bills: int = 120) -> tuple[Books, Defects]:
    """One company's books on the day they are looked at, and what of `JUDGED` is wrong with them."""
    company = build_company(index=seed, seed=seed * 5 + 2, bills=bills, as_of=AS_OF)
    books = read_sandbox_books(company, as_of=AS_OF, history_from=HISTORY_FROM)
    made = MadePeriods(Random(f"periods:{seed}"), books)
    planters: tuple[Callable[[MadePeriods], None], ...] = (_change_entries, _age_connections, _pay_out)
    for planter in planters:
        planter(made)
    return _close(made), made.planted


def _change_entries(made: MadePeriods) -> None:
    """Entries of all ages that changed or went; whether that is late depends on their day and on when it was."""
    closing = CompanyInfo(external_id="1", name="Made").key
    made.note(closing, "books_closed_through", None, CLOSED_THROUGH.isoformat(), days_ago=CLOSED_DAYS_AGO)
    entries = [
        record
        for name in sorted(ENTRY_FIELDS)
        for record in getattr(made.books, name)
        if (AS_OF - record.document_date).days > 35  # entered before the books were closed, so that this says nothing
    ]
    for record in made.rng.sample(entries, 12):
        days_ago, is_closed = made.rng.randint(1, 58), record.document_date <= CLOSED_THROUGH
        is_deleted = made.rng.random() < 0.5
        if is_deleted:
            made.gone.add(record.key)
            made.note(record.key, WHOLE_RECORD, record.content().decode(), None, days_ago=days_ago)
        else:
            before = made.rng.choice((record.total + 5, record.total))  # half of them are as they were
            made.note(record.key, "total", str(before), str(record.total), days_ago=days_ago)
            is_closed = is_closed and before != record.total
        if is_closed and days_ago < CLOSED_DAYS_AGO:
            made.plant("GL03", record.key)


def _age_connections(made: MadePeriods) -> None:
    """Read within a day and two hours or not; one that was switched off may be as old as it likes."""
    is_stale = False
    for number in range(made.rng.randint(1, 3)):
        state = made.rng.choice((ConnectionState.ACTIVE, ConnectionState.FAILING, ConnectionState.DISCONNECTED))
        hours = made.rng.choice((made.rng.randint(0, 26), made.rng.randint(0, 26), made.rng.randint(27, 51)))
        read_at = made.books.read_at - timedelta(hours=hours)
        rail = ("qbo", "plaid", "stripe")[number]
        made.connections.append(
            connection(connection_id=ConnectionId(rail), rail=rail, state=state, last_success_at=read_at)
        )
        is_stale = is_stale or (hours > 26 and state is not ConnectionState.DISCONNECTED)
    if is_stale:
        made.plant("SY01")


def _pay_out(made: MadePeriods) -> None:
    """Payouts of odd amounts: booked as one sale, taken apart, as another amount, on another day, or not at all."""
    income = next(a.external_id for a in made.books.accounts if a.account_kind is AccountKind.INCOME)
    checking = next(a.external_id for a in made.books.accounts if a.account_kind is AccountKind.BANK)
    for number in range(4):
        nets = [Decimal(made.rng.randint(2_000, 90_000)).scaleb(-2) + Decimal("0.03") for _ in range(3)]
        amount, on = sum(nets, Decimal(0)), AS_OF - timedelta(days=7 * number + made.rng.randint(3, 8))
        made.payouts.append(_make_payout(f"po_{number}", amount, nets, on=on))
        way = made.rng.choice(("one sale", "taken apart", "other amount", "other day", "not booked"))
        if way == "not booked":
            continue
        booked = amount + (Decimal("1.10") if way == "other amount" else 0)
        lines = [(booked, income)] if way != "taken apart" else [(booked + 9, income), (Decimal(-9), "fees")]
        late = 3 if way == "other day" else made.rng.randint(-2, 2)
        deposit = _make_deposit(f"po-deposit-{number}", booked, lines, on=on + timedelta(days=late))
        made.deposits.append(Deposit.trusted({**deposit.__dict__, "account_id": checking, "currency": made.books.home}))
        if way == "one sale":
            made.plant("SY04", deposit.key)


def _make_payout(payout_id: str, amount: Decimal, nets: list[Decimal], *, on: Any) -> Payout:
    parts = tuple(
        PayoutPart(
            external_id=f"{payout_id}-{place}", part_kind=PayoutPartKind.CHARGE, gross=net + 3, fee=Decimal(3), net=net
        )
        for place, net in enumerate(nets)
    )  # fmt: skip
    return Payout(
        rail="stripe", external_id=payout_id, account_id=None, currency="USD", amount=amount, arrives_on=on,
        has_arrived=True, parts=parts,
    )  # fmt: skip


def _make_deposit(external_id: str, total: Decimal, lines: list[tuple[Decimal, str]], *, on: Any) -> Deposit:
    return Deposit(
        external_id=external_id, document_date=on, currency="USD", total=total,
        lines=tuple(
            DocumentLine(line_kind=LineKind.ACCOUNT, amount=amount, account_id=account_id, description="Deposit")
            for amount, account_id in lines
        ),
    )  # fmt: skip


def _close(made: MadePeriods) -> Books:
    """The books with all that was made up, every new list in an order of its own."""
    left = {
        name: tuple(record for record in getattr(made.books, name) if record.key not in made.gone)
        for name in ENTRY_FIELDS
    }
    deposits = [*left["deposits"], *made.deposits]
    info = (made.books.company_info or CompanyInfo(external_id="1", name="Made")).model_copy(
        update={"books_closed_through": CLOSED_THROUGH}
    )
    payouts = [payout.model_copy(update={"currency": made.books.home}) for payout in made.payouts]
    return made.books.model_copy(
        update={
            **left,
            "deposits": tuple(made.rng.sample(deposits, len(deposits))),
            "company_info": info,
            "changes": tuple(made.rng.sample(made.changes, len(made.changes))),
            "connections": tuple(made.connections),
            "payouts": tuple(made.rng.sample(payouts, len(payouts))),
        }
    )
