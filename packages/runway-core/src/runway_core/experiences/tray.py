"""Hygiene Tray: "can I trust the numbers?" Findings grouped by check, those first that move the runway most."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from runway_core.domain.findings import WAITING, FindingState, Severity, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Band
from runway_core.experiences.evidence import date_evidence, find_readings
from runway_core.experiences.view import CompanyHeading, CompanyView, View
from runway_core.experiences.wording import say_band, say_days
from runway_core.orchestrators.hygiene_tray import HygieneTrayDataOrchestrator, TrayData
from runway_core.sync.freshness import label_freshness


class TrayQuery(View):
    """Which findings to show. By default those that wait for someone: open and asked."""

    states: frozenset[FindingState] = WAITING
    severity: Severity | None = None
    check: str | None = None


class TrayRow(View):
    """One finding, ready to show."""

    finding_id: str
    tracked: TrackedFinding
    age_days: int


class TrayGroup(View):
    """The findings of one check."""

    check: str
    name: str
    worst: Severity
    count: int
    amounts: tuple[Money, ...]  # one a currency
    rows: tuple[TrayRow, ...]


class StateCount(View):
    """How many findings stand in one state, whatever the filters."""

    state: FindingState
    count: int


class TrayView(CompanyView):
    """The page."""

    policy_version: int  # under which findings and band were computed
    headline: str
    band: Band | None  # how far the open findings could move the runway; None: it is not known
    band_sentence: str | None  # "3 findings make the band 23–39 days"; None: they move nothing
    runway_sentence: str | None  # as of the last reading: what fixes that it showed have changed is in it
    cleanness: int | None
    states: tuple[StateCount, ...]
    matching: int
    groups: tuple[TrayGroup, ...]


class HygieneTrayExperience:
    """Shows the findings of one company as the last recomputation left them."""

    def __init__(self, data: HygieneTrayDataOrchestrator) -> None:
        self._data = data

    async def show(
        self, company_id: CompanyId, query: TrayQuery | None = None, known_at: datetime | None = None
    ) -> TrayView:
        """The tray of one company, as it is or as its books at a moment show it.

        Raises:
            NotFound: no such company in this firm.
        """
        return lay_out_tray(await self._data.gather(company_id, None, known_at), query or TrayQuery())


def lay_out_tray(data: TrayData, query: TrayQuery) -> TrayView:
    """Filter and group findings: those that move the runway most come first, then those over most money.

    A group stands where its first row would.
    """
    position = data.position
    now = data.now
    shown = [
        t
        for t in data.findings
        if t.state in query.states
        and (query.severity is None or t.finding.severity is query.severity)
        and (query.check is None or t.finding.check == query.check)
    ]
    groups: dict[str, list[TrackedFinding]] = {}
    for tracked in sorted(shown, key=_row_order):
        groups.setdefault(tracked.finding.check, []).append(tracked)
    read_at = find_readings(data.connections)
    laid = [
        _lay_out_group(check, [_date_evidence(row, read_at) for row in rows], data) for check, rows in groups.items()
    ]
    counts = Counter(tracked.state for tracked in data.findings)
    return TrayView(
        company=CompanyHeading.of(data.company),
        as_of=data.today,
        books_read_at=now if position is None else position.computed_at,
        freshness=label_freshness(data.connections, now),
        policy_version=0 if position is None else position.policy_version,
        headline=_say_headline(data),
        band=None if position is None else position.band,
        band_sentence=_say_band(data),
        runway_sentence=_say_runway(data),
        cleanness=None if position is None else position.cleanness,
        states=tuple(StateCount(state=state, count=counts[state]) for state in FindingState),
        matching=len(shown),
        groups=tuple(laid),
    )


def _date_evidence(tracked: TrackedFinding, read_at: Mapping[str, datetime]) -> TrackedFinding:
    finding = tracked.finding
    dated = date_evidence(finding.evidence, read_at)
    if dated == finding.evidence:
        return tracked
    return tracked.model_copy(update={"finding": finding.model_copy(update={"evidence": dated})})


def _row_order(tracked: TrackedFinding) -> tuple[int, Decimal, int, str, str]:
    finding = tracked.finding
    days = 0 if finding.impact_days is None else abs(finding.impact_days)
    amount = ZERO if finding.amount is None else abs(finding.amount.amount)
    return -days, -amount, finding.severity.rank, finding.check, tracked.finding_id


def _lay_out_group(check: str, rows: list[TrackedFinding], data: TrayData) -> TrayGroup:
    sums: dict[str, Money] = {}
    for tracked in rows:
        amount = tracked.finding.amount
        if amount is not None:
            sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return TrayGroup(
        check=check,
        name=rows[0].finding.name,
        worst=min((t.finding.severity for t in rows), key=lambda severity: severity.rank),
        count=len(rows),
        amounts=tuple(sums[currency] for currency in sorted(sums)),
        rows=tuple(
            TrayRow(
                finding_id=tracked.finding_id,
                tracked=tracked,
                age_days=max((data.now - tracked.first_seen_at).days, 0),
            )
            for tracked in rows
        ),
    )


def _say_band(data: TrayData) -> str | None:
    """How many findings have a resolution that the band is made of, and how far apart its ends are."""
    band = None if data.position is None else data.position.band
    if band is None or data.position is None or not band.width_days:
        return None
    count = sum(1 for t in data.findings if t.state in WAITING and t.finding.impact_days is not None)
    said = f"{count} finding makes" if count == 1 else f"{count} findings make"
    doubt = "" if band.is_reliable(data.position.runway_days) else ": not reliable yet, fix these"
    return f"{said} the band {say_band(band)} days{doubt}"


def _say_runway(data: TrayData) -> str | None:
    position = data.position
    if position is None or position.counted_days is None:
        return None
    through = "" if position.covered_through is None else f", through {position.covered_through:%-d %b}"
    moved = position.week_change_days
    since = f", {moved:+d} in a week".replace("-", "\N{MINUS SIGN}") if moved else ""
    return f"Runway {say_days(position.runway_days)}{through}{since}"


def _say_headline(data: TrayData) -> str:
    if data.position is None:
        return "Never read yet: findings appear after the first pull"
    waiting = [t for t in data.findings if t.state in WAITING]
    if not waiting:
        return "Nothing to clear: every check passes"
    critical = sum(1 for t in waiting if t.finding.severity is Severity.CRITICAL)
    first = f"{len(waiting)} finding{'' if len(waiting) == 1 else 's'} to clear"
    return f"{first}, {critical} of them critical" if critical else first
