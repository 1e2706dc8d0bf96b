"""Who does what by when: the steps that a digest asks for, drawn from the same reading as its figures."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from runway_core.calculators.calendar import add_business_days, monday_of
from runway_core.calculators.payables import compute_payables
from runway_core.calculators.readiness import find_readiness
from runway_core.calculators.receivables import compute_receivables
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, Severity, TrackedFinding
from runway_core.domain.identity import Subject
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Outlook
from runway_core.domain.policy import Role
from runway_core.experiences.view import View

PAYROLL_WATCH_DAYS = 14
DECIDE_DAYS = 7
MOST_CALLS = 3
MOST_FINDINGS = 3
FRIDAY = 4


class CallLine(View):
    """A receivable at risk, and why."""

    invoice_id: str
    number: str | None
    customer_name: str
    owed: Money
    days_late: int  # 0 while it is not due
    reason: str


class DigestTask(View):
    """One step: by whom, what, and until which day."""

    who: Role
    what: str  # verb first
    by: date
    record: Subject | None = None
    finding_id: str | None = None


def list_calls(books: Books) -> tuple[CallLine, ...]:
    """Receivables at risk, the largest first."""
    at_risk = [r for r in books.derive(compute_receivables) if r.is_at_risk and r.balance > 0]
    at_risk.sort(key=lambda r: (-(r.home or ZERO), r.due, r.invoice.external_id))
    return tuple(
        CallLine(
            invoice_id=r.invoice.external_id,
            number=r.invoice.number,
            customer_name=r.invoice.customer_name or "an unknown customer",
            owed=Money(amount=r.balance, currency=r.invoice.currency),
            days_late=max((books.as_of - r.due).days, 0),
            reason=r.risk_reason or "",
        )
        for r in at_risk
    )


def list_tasks(
    books: Books,
    outlook: Outlook,
    findings: Sequence[TrackedFinding],
    *,
    calls: Sequence[CallLine],
) -> tuple[DigestTask, ...]:
    """The steps by day, then in the order: payroll, bills to decide, calls, findings. `findings` are those to clear."""
    tasks = [
        *_cover_payroll(outlook),
        *_decide_bills(books, findings),
        *_call(books, calls),
        *_clear(books, findings),
    ]
    return tuple(sorted(tasks, key=lambda task: task.by))


def _cover_payroll(outlook: Outlook) -> list[DigestTask]:
    last = outlook.as_of + timedelta(days=PAYROLL_WATCH_DAYS)
    lows = {day.day: day.low for day in outlook.days}
    for payday in outlook.paydays:
        if payday.on <= last and not payday.is_covered:
            short = Money(amount=-lows[payday.on], currency=outlook.currency)
            what = f"Cover the payroll of {payday.on:%-d %b}: {short} are missing"
            return [DigestTask(who=Role.OWNER, what=what, by=payday.on)]
    return []


def _decide_bills(books: Books, findings: Sequence[TrackedFinding]) -> list[DigestTask]:
    last = books.as_of + timedelta(days=DECIDE_DAYS)
    pressing = [r for r in find_readiness(books, findings) if r.is_ready and r.pay_by <= last]
    if not pressing:
        return []
    homes = {payable.bill.external_id: payable.home for payable in books.derive(compute_payables)}
    total = sum((homes[r.bill_id] or ZERO for r in pressing), Decimal(0))
    by = max(min(r.pay_by for r in pressing), books.as_of)
    count = f"{len(pressing)} bill{'' if len(pressing) == 1 else 's'}"
    what = f"Decide about {count} of {Money(amount=total, currency=books.home)} to be released by {last:%-d %b}"
    return [DigestTask(who=Role.CONTROLLER, what=what, by=by)]


def _call(books: Books, calls: Sequence[CallLine]) -> list[DigestTask]:
    by = add_business_days(books.as_of, 1)
    return [
        DigestTask(
            who=Role.CONTROLLER,
            what=f"Call {call.customer_name} about invoice {call.number or call.invoice_id}: "
            f"{call.owed}, {call.reason}",
            by=by,
        )
        for call in calls[:MOST_CALLS]
    ]


def _clear(books: Books, findings: Sequence[TrackedFinding]) -> list[DigestTask]:
    friday = monday_of(books.as_of) + timedelta(days=FRIDAY)
    return [
        DigestTask(
            who=Role.BOOKKEEPER,
            what=_say_fix(tracked.finding),
            by=add_business_days(books.as_of, 1)
            if tracked.finding.severity is Severity.CRITICAL
            else max(friday, books.as_of),
            finding_id=tracked.finding_id,
        )
        for tracked in findings[:MOST_FINDINGS]
    ]


def _say_fix(finding: Finding) -> str:
    return f"{finding.fixes[0].label}: {finding.summary}" if finding.fixes else f"Look into it: {finding.summary}"
