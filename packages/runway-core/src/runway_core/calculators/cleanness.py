"""Cleanness: how much of the money behind the figures no finding casts doubt on."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import FlowSort, read_flows
from runway_core.calculators.readiness import STANDING
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Severity, TrackedFinding
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.money import ZERO

FLOW_DAYS = 30
WEIGHTS = {
    Severity.CRITICAL: Decimal(1),
    Severity.HIGH: Decimal("0.7"),
    Severity.MEDIUM: Decimal("0.4"),
    Severity.LOW: Decimal("0.1"),
}
"""How much of a record's money a finding makes doubtful."""


def compute_cleanness(books: Books, findings: Sequence[TrackedFinding]) -> int:
    """100 × (1 − dirty ÷ base), rounded down, 0 to 100.

    Base is open bills, open invoices and the bank flow of 30 days. Each record is dirty once, at its worst finding's
    weight; accepted findings take no part. Books without money are clean.
    """
    rates = HomeRates.of(books)
    base = sum((_home(rates, bill.open_balance, bill.currency) for bill in books.open_bills), ZERO)
    base += books.derive(_sum_beside_bills)
    if base <= 0:
        return 100
    worst = _find_worst(findings)
    dirty = sum((amount * WEIGHTS[worst[key]] for key, amount in _find_amounts(books, worst.keys(), rates)), ZERO)
    return int(max(ZERO, 100 * (base - dirty)) // base)


def _sum_beside_bills(books: Books) -> Decimal:
    rates = HomeRates.of(books)
    base = sum((_home(rates, i.open_balance, i.currency) for i in books.open_invoices), ZERO)
    since = books.as_of - timedelta(days=FLOW_DAYS)
    for flow in books.derive(read_flows).past(books.as_of):
        if flow.on > since and flow.sort is FlowSort.OPERATING and flow.home is not None:
            base += abs(flow.home)
    return base


def _home(rates: HomeRates, amount: Decimal, currency: str) -> Decimal:
    return rates.convert(amount, currency) or ZERO


def _find_worst(findings: Sequence[TrackedFinding]) -> dict[RecordKey, Severity]:
    worst: dict[RecordKey, Severity] = {}
    for tracked in findings:
        if tracked.state in STANDING:
            severity = tracked.finding.severity
            for subject in tracked.finding.subjects:
                held = worst.get(subject)
                if held is None or severity.rank < held.rank:
                    worst[subject] = severity
    return worst


def _find_amounts(books: Books, keys: Iterable[RecordKey], rates: HomeRates) -> Iterable[tuple[RecordKey, Decimal]]:
    """The money of each record: what is open of bills and invoices, all of an entry that moved cash."""
    wanted: dict[RecordKind, set[str]] = {}
    for key in keys:
        wanted.setdefault(key.kind, set()).add(key.external_id)
    for records in (
        books.bills,
        books.invoices,
        books.bill_payments,
        books.customer_payments,
        books.purchases,
        books.deposits,
        books.transfers,
    ):
        ids = wanted.get(records[0].kind) if records else None
        for record in records if ids else ():
            if ids and record.external_id in ids:
                amount = record.open_balance if isinstance(record, Bill | Invoice) else record.total
                home = _home(rates, max(amount, ZERO), record.currency)
                yield record.key, home
