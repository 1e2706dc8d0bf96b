"""The position of a company: every figure of the portfolio's row, from its books and tracked findings."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from runway_core.calculators.burn import compute_burn
from runway_core.calculators.calendar import monday_of
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.cash_history import trace_cash
from runway_core.calculators.cleanness import compute_cleanness
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids, read_flows
from runway_core.calculators.freshness import TOO_OLD, find_source_read_at
from runway_core.calculators.hygiene.impact import compute_band
from runway_core.calculators.large_bank_lines import find_large_bank_lines
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.payables import Payable, compute_payables
from runway_core.calculators.readiness import find_readiness
from runway_core.calculators.receivables import Receivable, compute_receivables
from runway_core.calculators.tasks import find_tasks
from runway_core.domain.books import Books
from runway_core.domain.findings import WAITING, Severity, TrackedFinding
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Outlook
from runway_core.domain.position import WEEK, PastRunway, Position, PositionStatus

PAYROLL_WATCH_DAYS = 14
PAST_WEEKS = 8


class Verdict(NamedTuple):
    """A status with its reason in one sentence."""

    status: PositionStatus
    reason: str


class _Owed(NamedTuple):
    open_total: Decimal  # before credits
    overdue: Decimal  # after credits
    due_7: Decimal
    due_14: Decimal


def compute_position(
    books: Books,
    findings: Sequence[TrackedFinding],
    *,
    computed_at: datetime,
    before: Position | None = None,
    last_digest_on: date | None = None,
) -> Position:
    """The stored answer to "are we okay?".

    Open totals are before credits; what is overdue, due and at risk counts after them, and due within 7 or 14 days
    includes what is overdue. `before` is the stored position that this one follows.
    """
    cash = books.derive(compute_cash)
    payables, receivables = books.derive(compute_payables), books.derive(compute_receivables)
    outlook = books.derive(compute_outlook)
    burn = compute_burn(books)
    verdict = judge_status(books, outlook)
    bills, invoices = _sum_bills(books, payables), _sum_invoices(books, receivables)
    at_risk = [r for r in receivables if r.is_at_risk and r.balance > 0]
    readiness = find_readiness(books, findings)
    ready = sum(r.is_ready for r in readiness)
    to_clear = [t for t in findings if t.state in WAITING]
    tasks, task_counts = find_tasks(books, findings, readiness)

    def money(amount: Decimal) -> Money:
        return Money(amount=amount, currency=books.home)

    return Position(
        **_tell_company(books),
        computed_at=computed_at,
        status=verdict.status,
        status_reason=verdict.reason,
        opening_cash=cash.opening,
        available_cash=cash.available,
        **_tell_outlook(outlook),
        cash_buffer_days=burn.cash_buffer_days,
        burn_runway_days=burn.burn_runway_days,
        weighted_burn_runway_days=burn.weighted_burn_runway_days,
        open_bills=money(bills.open_total),
        open_bill_count=len(books.open_bills),
        overdue_bills=money(bills.overdue),
        due_7_days=money(bills.due_7),
        due_14_days=money(bills.due_14),
        open_invoices=money(invoices.open_total),
        open_invoice_count=len(books.open_invoices),
        overdue_invoices=money(invoices.overdue),
        ar_at_risk=money(sum((r.home or ZERO for r in at_risk), ZERO)),
        ar_at_risk_count=len(at_risk),
        findings_critical=sum(t.finding.severity is Severity.CRITICAL for t in to_clear),
        findings_open=len(to_clear),
        cleanness=compute_cleanness(books, findings),
        ready_bill_count=ready,
        held_bill_count=len(readiness) - ready,
        past_weeks=books.derive(_trace_past_weeks),
        band=compute_band(books, outlook, [t.finding for t in to_clear]) if outlook.runway.is_known else None,
        past_runway=_remember_runway(before, books.as_of),
        last_digest_on=last_digest_on,
        tasks=tasks,
        task_counts=task_counts,
        large_bank_lines=books.derive(find_large_bank_lines),
    )


def _tell_company(books: Books) -> dict[str, Any]:
    return {
        "company_id": books.company.company_id,
        "firm_id": books.company.firm_id,
        "company_name": books.company.name,
        "owner": books.company.owner,
        "tags": books.company.tags,
        "as_of": books.as_of,
        "log_sequence": books.log_sequence,
        "policy_version": books.policy.version,
        "firm_policy_version": books.policy.firm_version,
        "source_read_at": find_source_read_at(books),
    }


def _tell_outlook(outlook: Outlook) -> dict[str, Any]:
    return {
        "runway_days": outlook.runway.days,
        "covered_through": outlook.runway.covered_through,
        "runway_falls_on": outlook.runway.falls_on,
        "buffer_breach_days": outlook.buffer_breach.days,
        "buffer_breach_on": outlook.buffer_breach.falls_on,
        "low_28_days": outlook.low_28_days,
        "low_28_days_on": outlook.low_28_days_on,
        "next_payday": outlook.paydays[0] if outlook.paydays else None,
        "weeks": outlook.weeks,
    }


def _remember_runway(before: Position | None, as_of: date) -> tuple[PastRunway, ...]:
    """The runway of each day that one was told on, up to the newest that is a week old."""
    if before is None or before.as_of > as_of:
        return ()
    held = [past for past in before.past_runway if past.on < before.as_of]
    if before.counted_days is not None:
        held.append(PastRunway(on=before.as_of, days=before.counted_days))
    kept = [past for past in held if past.on < as_of]
    old = [past for past in kept if past.on <= as_of - WEEK]
    return (*old[-1:], *(past for past in kept if past.on > as_of - WEEK))


def judge_status(books: Books, outlook: Outlook) -> Verdict:
    """Grey when the data cannot say; else red, amber or green by runway, payroll and buffer."""
    return _find_grey(books) or _find_red(books, outlook) or _find_amber(books, outlook) or _say_green(outlook)


def _find_grey(books: Books) -> Verdict | None:
    read_at = find_source_read_at(books)
    if read_at is None:
        return Verdict(PositionStatus.GREY, "The books were never read, so nothing can be said yet.")
    if books.read_at - read_at > TOO_OLD:
        return Verdict(PositionStatus.GREY, f"The books were last read on {_day(read_at)}, too long ago to say.")
    if not find_cash_account_ids(books):
        return Verdict(PositionStatus.GREY, "The books show no bank account, so cash is not known.")
    return None


def _find_red(books: Books, outlook: Outlook) -> Verdict | None:
    runway, red = outlook.runway, PositionStatus.RED
    if runway.days == 0:
        if outlook.opening_cash.amount < 0:
            return Verdict(red, "Cash is below nil today.")
        return Verdict(
            red, f"Payments of today exceed cash by {Money(amount=-outlook.days[0].low, currency=books.home)}."
        )
    last = books.as_of + timedelta(days=PAYROLL_WATCH_DAYS)
    for payday in outlook.paydays:
        if payday.on <= last and not payday.is_covered:
            return Verdict(red, f"Payroll of {payday.amount} on {_day(payday.on)} is not covered.")
    if runway.days is not None and runway.falls_on is not None and runway.days < books.company.settings.red_below_days:
        return Verdict(red, f"Cash falls below nil on {_day(runway.falls_on)}, in {_days(runway.days)}.")
    return None


def _find_amber(books: Books, outlook: Outlook) -> Verdict | None:
    within, runway, breach = books.company.settings.amber_below_days, outlook.runway, outlook.buffer_breach
    if runway.days is not None and runway.falls_on is not None and runway.days < within:
        reason = f"Cash falls below nil on {_day(runway.falls_on)}, in {_days(runway.days)}."
        return Verdict(PositionStatus.AMBER, reason)
    if breach.days == 0:
        return Verdict(PositionStatus.AMBER, f"Cash is below the buffer of {outlook.buffer} today.")
    if breach.days is not None and breach.falls_on is not None and breach.days < within:
        reason = f"The buffer of {outlook.buffer} is breached on {_day(breach.falls_on)}, in {_days(breach.days)}."
        return Verdict(PositionStatus.AMBER, reason)
    return None


def _say_green(outlook: Outlook) -> Verdict:
    runway = outlook.runway
    if runway.days is None or runway.covered_through is None:
        return Verdict(PositionStatus.GREEN, f"Cash stays above nil for all {runway.horizon_days} days looked at.")
    reason = f"Cash is covered through {_day(runway.covered_through)}, {_days(runway.days)}."
    return Verdict(PositionStatus.GREEN, reason)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _sum_bills(books: Books, payables: Iterable[Payable]) -> _Owed:
    rates, as_of = HomeRates.of(books), books.as_of
    open_total = sum((rates.convert(b.open_balance, b.currency) or ZERO for b in books.open_bills), ZERO)
    overdue = due_7 = due_14 = ZERO
    for payable in payables:
        ahead, amount = (payable.due - as_of).days, payable.home or ZERO
        overdue += amount if ahead < 0 else ZERO
        due_7 += amount if ahead <= 7 else ZERO
        due_14 += amount if ahead <= 14 else ZERO
    return _Owed(open_total, overdue, due_7, due_14)


def _sum_invoices(books: Books, receivables: Iterable[Receivable]) -> _Owed:
    rates, as_of = HomeRates.of(books), books.as_of
    open_total = sum((rates.convert(i.open_balance, i.currency) or ZERO for i in books.open_invoices), ZERO)
    overdue = sum((r.home or ZERO for r in receivables if r.due < as_of), ZERO)
    return _Owed(open_total, overdue, ZERO, ZERO)


def _trace_past_weeks(books: Books) -> tuple[Money, ...]:
    """Cash at the end of up to eight past weeks, oldest first: opening cash, less what moved since."""
    flows, cash = books.derive(read_flows), books.derive(compute_cash)
    began = flows.began or books.as_of
    sundays = [monday_of(books.as_of) - timedelta(days=1 + 7 * back) for back in reversed(range(PAST_WEEKS))]
    sundays = [sunday for sunday in sundays if sunday >= began]
    traced = trace_cash(cash.opening.amount, flows.past(books.as_of), sundays)
    return tuple(Money(amount=traced[sunday], currency=books.home) for sunday in sundays)
