"""Digest: "are we okay?" One company on one page, with a verdict that an advisor can send."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from runway_core.calculators.aging import compute_receivables_aging
from runway_core.calculators.burn import compute_burn
from runway_core.calculators.calendar import last_of_month
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.cash_changes import explain_cash
from runway_core.calculators.forecast_quality import judge_kept
from runway_core.calculators.freshness import find_source_read_at
from runway_core.calculators.hygiene.impact import compute_band
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.promises import Promise, find_promises
from runway_core.calculators.ratios import compute_ratios
from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashChange
from runway_core.domain.findings import WAITING, Finding, TrackedFinding
from runway_core.domain.forecasts import ForecastQuality
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import (
    ESTIMATED_KINDS,
    Aging,
    Band,
    Burn,
    Cash,
    Outlook,
    OutlookEvent,
    OutlookWeek,
    Payday,
    Runway,
)
from runway_core.domain.position import PositionStatus
from runway_core.domain.ratios import Ratio
from runway_core.experiences.digest_decisions import DecisionLine, list_decisions
from runway_core.experiences.digest_tasks import CallLine, DigestTask, list_calls, list_tasks
from runway_core.experiences.kept import KeptViews
from runway_core.experiences.view import CompanyHeading, CompanyView, View
from runway_core.experiences.wording import say_band, say_change, say_reach
from runway_core.orchestrators.digest import DigestDataOrchestrator
from runway_core.orchestrators.gathered import CompanyData
from runway_core.sync.freshness import label_freshness

DUE_DAYS = 14
TOP_FINDINGS = 3


class CashMark(StrEnum):
    """The three numbers that come first, beside cash now."""

    NOW = "now"
    MONTH_END = "month_end"
    THREE_MONTHS = "three_months"
    LOWEST = "lowest"


class CashFigure(View):
    """Cash on one day."""

    mark: CashMark
    on: date
    cash: Money


class DueLine(View):
    """One payment that falls due, with the cash that is left after it."""

    event: OutlookEvent
    cash_after: Money


class DigestView(CompanyView):
    """The page; e-mail and print are laid out from the same model."""

    policy_version: int
    verdict: str
    change_sentence: str  # what is otherwise than it was told, in one sentence
    status: PositionStatus
    status_reason: str
    runway: Runway
    band: Band  # how far the open findings could move the runway
    buffer_breach: Runway
    burn: Burn
    figures: tuple[CashFigure, ...]
    cash: Cash
    weeks: tuple[OutlookWeek, ...]
    change: CashChange | None  # since cash was last told; None when it never was
    next_payday: Payday | None
    due: tuple[DueLine, ...]  # the next fourteen days, by day
    receivables: Aging
    ar_at_risk: Money | None
    ar_at_risk_count: int
    to_call: tuple[CallLine, ...]  # receivables at risk, the largest first
    top_findings: tuple[TrackedFinding, ...]
    findings_open: int
    cleanness: int | None
    forecast_quality: ForecastQuality  # how right the kept forecasts were
    ratios: tuple[Ratio, ...]
    decisions: tuple[DecisionLine, ...]  # those that wait, then those of the last seven days
    promises: tuple[Promise, ...]  # of customers: broken, kept and to come
    tasks: tuple[DigestTask, ...]  # who does what by when, by day


class DigestExperience:
    """Shows one company's digest from its mirrored books."""

    def __init__(self, data: DigestDataOrchestrator, kept: KeptViews) -> None:
        self._data = data
        self._kept = kept

    async def show(self, company_id: CompanyId, known_at: datetime | None = None) -> DigestView:
        """The digest of one company, as it is or as it was known at a moment.

        Raises:
            NotFound: no such company in this firm.
        """
        if known_at is not None:
            return lay_out_digest(await self._data.gather(company_id, known_at))
        return await self._kept.show(company_id, DigestView, self._lay_out)

    async def keep(self, company_id: CompanyId) -> None:
        """Lay out the digest of a large company before someone asks."""
        await self._kept.keep(company_id, self._lay_out)

    async def _lay_out(self, company_id: CompanyId) -> tuple[DigestView, Books]:
        data = await self._data.gather(company_id)
        return lay_out_digest(data), data.books


def lay_out_digest(data: CompanyData) -> DigestView:
    """Turn one reading of a company into its digest."""
    books, position = data.books, data.position
    cash, outlook = books.derive(compute_cash), books.derive(compute_outlook)
    calls = list_calls(books)
    waiting = [t for t in data.findings if t.state in WAITING]
    band = compute_band(books, outlook, [t.finding for t in waiting])
    change = None if data.last_told is None else explain_cash(books, data.last_told)
    return DigestView(
        company=CompanyHeading.of(books.company),
        as_of=books.as_of,
        books_read_at=books.read_at,
        freshness=label_freshness(data.connections, books.read_at),
        policy_version=books.policy.version,
        verdict=_say_verdict(books, outlook, waiting, band=band),
        change_sentence=say_change(change),
        status=PositionStatus.GREY if position is None else position.status,
        status_reason="never read yet" if position is None else position.status_reason,
        runway=outlook.runway,
        band=band,
        buffer_breach=outlook.buffer_breach,
        burn=compute_burn(books),
        figures=_mark_figures(outlook, cash),
        cash=cash,
        weeks=outlook.weeks,
        change=change,
        next_payday=outlook.paydays[0] if outlook.paydays else None,
        due=_list_due(outlook),
        receivables=compute_receivables_aging(books),
        ar_at_risk=None if position is None else position.ar_at_risk,
        ar_at_risk_count=0 if position is None else position.ar_at_risk_count,
        to_call=calls,
        top_findings=tuple(sorted(waiting, key=_weigh)[:TOP_FINDINGS]),
        findings_open=len(waiting),
        cleanness=None if position is None else position.cleanness,
        forecast_quality=judge_kept(books, data.kept_forecasts, cash=cash),
        ratios=compute_ratios(books),
        decisions=list_decisions(books),
        promises=tuple(find_promises(books)),
        tasks=list_tasks(books, outlook, waiting, calls=calls),
    )


def _say_verdict(books: Books, outlook: Outlook, waiting: Sequence[TrackedFinding], *, band: Band) -> str:
    is_known = outlook.runway.is_known and find_source_read_at(books) is not None
    parts = [say_reach(books, outlook) + (f" ({say_band(band)})" if is_known and band.width_days else "")]
    if outlook.paydays and outlook.runway.is_known and find_source_read_at(books) is not None:
        payday = outlook.paydays[0]
        parts.append(f"payroll {payday.on:%-d %b} is {'covered' if payday.is_covered else 'not covered'}")
    heaviest = min(waiting, key=_weigh, default=None)
    if is_known and heaviest is not None and heaviest.finding.impact_days:
        parts.append(_say_weight(heaviest.finding))
    if waiting:
        parts.append(f"{len(waiting)} finding{'' if len(waiting) == 1 else 's'} to clear")
    return "; ".join(parts)


def _weigh(tracked: TrackedFinding) -> tuple[int, int, Decimal, str, str]:
    """Findings that move the runway most come first, then the worst, then those over most money."""
    finding = tracked.finding
    amount = ZERO if finding.amount is None else abs(finding.amount.amount)
    return -abs(finding.impact_days or 0), finding.severity.rank, -amount, finding.check, tracked.finding_id


def _say_weight(finding: Finding) -> str:
    """What most days hang on: "9 days hang on one invoice", "7 days hang on 2 bills"."""
    days, count = abs(finding.impact_days or 0), len(finding.subjects)
    kinds = {subject.kind.value.replace("_", " ") for subject in finding.subjects}
    what = kinds.pop() if len(kinds) == 1 else "finding"
    said = f"one {what}" if count == 1 or what == "finding" else f"{count} {what}s"
    return f"{days} day{' hangs' if days == 1 else 's hang'} on {said}"


def _mark_figures(outlook: Outlook, cash: Cash) -> tuple[CashFigure, ...]:
    currency = outlook.currency
    last_day = outlook.days[-1]
    month_end = last_of_month(outlook.as_of)
    closings = {day.day: day.closing for day in outlook.days}
    return (
        CashFigure(mark=CashMark.NOW, on=outlook.as_of, cash=cash.opening),
        CashFigure(
            mark=CashMark.MONTH_END,
            on=month_end,
            cash=Money(amount=closings.get(month_end, last_day.closing), currency=currency),
        ),
        CashFigure(mark=CashMark.THREE_MONTHS, on=last_day.day, cash=Money(amount=last_day.closing, currency=currency)),
        CashFigure(mark=CashMark.LOWEST, on=outlook.low_on, cash=outlook.low),
    )


def _list_due(outlook: Outlook) -> tuple[DueLine, ...]:
    """Payments of the next days in order; cash counts receipts of earlier days, as the low of a day does.

    What is only usual on a day is no payment that falls due, but the cash left after those of the day is without it.
    """
    last = outlook.as_of + timedelta(days=DUE_DAYS)
    opening = {day.day: day.opening for day in outlook.days}
    lines: list[DueLine] = []
    running, on = outlook.opening_cash.amount, outlook.as_of
    estimated: dict[date, Decimal] = {}
    for event in outlook.events:
        if event.kind in ESTIMATED_KINDS and event.amount < 0:
            estimated[event.on] = estimated.get(event.on, ZERO) + event.amount
    for event in outlook.events:
        if event.on > last or event.amount >= 0 or event.kind in ESTIMATED_KINDS:
            continue
        if event.on != on or not lines:
            on = event.on
            running = opening.get(on, running) + estimated.get(on, ZERO)
        running += event.amount
        lines.append(DueLine(event=event, cash_after=Money(amount=running, currency=outlook.currency)))
    return tuple(lines)
