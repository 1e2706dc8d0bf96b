"""What must hold where others look in, whatever happened: figures, companies' walls, secrets, vendors' limits, totals.

I8   a stored position that is not due says what its books say
I9   nothing of one company is visible under another
I10  no secret stands in logs, errors or the database
I11  no window of a vendor's ever saw more calls than its limit
I12  amounts are exact, and a company's totals are those of its source, to the cent
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.calculators.hygiene.rerun import run_checks
from runway_core.calculators.hygiene.tracking import track_findings
from runway_core.calculators.position import compute_position
from runway_core.domain.books import Books
from runway_core.domain.call_budget import CallWindow
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import ZERO
from runway_core.domain.position import Position
from runway_core.domain.record import Record

from runway_testkit.invariants import Violation
from runway_testkit.remains import Remains

FIGURES = (
    *("opening_cash", "available_cash", "runway_days", "runway_falls_on", "low_28_days", "low_28_days_on", "weeks"),
    *("open_bills", "open_bill_count", "overdue_bills", "due_7_days", "due_14_days"),
    *("open_invoices", "open_invoice_count", "overdue_invoices", "ar_at_risk", "ar_at_risk_count"),
)
"""What of a position follows from books and day alone."""

RATES = frozenset({"exchange_rate", "discount_percent"})
"""Decimals of records that are no amounts."""


def compute_anew(books: Books, findings: Sequence[TrackedFinding]) -> Position:
    """A position from nothing but the books; `findings` are those that are tracked."""
    weighed = find_weighed_findings(books, run_checks(books, None))
    tracked = track_findings(findings, weighed, at=books.read_at, today=books.as_of)
    return compute_position(books, tracked, computed_at=books.read_at)


def find_wrong_positions(remains: Remains, fresh: Mapping[CompanyId, Position]) -> Iterator[Violation]:
    """I8; `fresh` are computed as of the same days as the stored ones."""
    for company_id, company in remains.companies.items():
        held, anew = company.position, fresh.get(company_id)
        if held is None or anew is None or company.is_due:
            continue
        for name in FIGURES:
            if getattr(held, name) != getattr(anew, name):
                yield Violation(
                    "I8", company_id, f"{name} is {getattr(held, name)}, the books say {getattr(anew, name)}"
                )


def find_strangers(shown: Mapping[CompanyId, bytes], canaries: Mapping[CompanyId, bytes]) -> Iterator[Violation]:
    """I9: each company's planted words are shown under no other."""
    for company_id, text in shown.items():
        for owner, canary in canaries.items():
            if owner != company_id and canary in text:
                yield Violation("I9", company_id, f"shows what is {owner}'s")


def find_secrets(texts: Mapping[str, bytes], planted: Sequence[bytes]) -> Iterator[Violation]:
    """I10: no planted secret stands in what was written, by the name of the place."""
    for where, text in texts.items():
        if any(secret in text for secret in planted):
            yield Violation("I10", where, "holds a secret in clear")


def find_overruns(calls: Mapping[str, Sequence[int]], windows: Sequence[CallWindow]) -> Iterator[Violation]:
    """I11: the moments of calls, in microseconds, by what they were counted for."""
    for name, moments in calls.items():
        ordered = sorted(moments)
        for window in windows:
            first = 0
            for last, at in enumerate(ordered):
                while ordered[first] <= at - window.span:
                    first += 1
                if last - first + 1 > window.calls:
                    sent = last - first + 1
                    yield Violation(
                        "I11", name, f"{sent} calls within {window.milliseconds} ms, {window.calls} allowed"
                    )
                    break


def find_unequal_totals(remains: Remains, shown: Mapping[CompanyId, Sequence[Record]]) -> Iterator[Violation]:
    """I12: the totals of what is mirrored against those of what the sources show."""
    for company_id, records in shown.items():
        rows = [row.record for row in remains.companies[company_id].rows.values() if not row.is_deleted]
        held, wanted = _sum_amounts(rows), _sum_amounts(records)
        for what in sorted(held.keys() | wanted.keys()):
            if held.get(what, ZERO) != wanted.get(what, ZERO):
                said = f"{' '.join(what)} is {held.get(what, ZERO)} here and {wanted.get(what, ZERO)} at the source"
                yield Violation("I12", company_id, said)


def find_inexact_amounts(remains: Remains) -> Iterator[Violation]:
    """I12: every amount is a decimal of four places at most."""
    for company_id, company in remains.companies.items():
        for key, row in company.rows.items():
            for name, value in row.record.__dict__.items():
                if isinstance(value, float) or (isinstance(value, Decimal) and name not in RATES and _is_finer(value)):
                    yield Violation("I12", company_id, f"{name} of {key} is {value!r}")


def _sum_amounts(records: Sequence[Record]) -> dict[tuple[str, str, str], Decimal]:
    """The sum of each amount, by kind, field and currency."""
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for record in records:
        held = record.__dict__
        for name, value in held.items():
            if isinstance(value, Decimal) and name not in RATES:
                sums[record.kind.value, name, str(held.get("currency", ""))] += value
    return sums


def _is_finer(amount: Decimal) -> bool:
    exponent = amount.as_tuple().exponent
    return not isinstance(exponent, int) or exponent < -4
