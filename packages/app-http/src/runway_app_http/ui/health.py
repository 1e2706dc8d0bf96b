"""`/health`: how fresh each company's data is, and how its last reading went."""

from dataclasses import dataclass

from fastapi import APIRouter
from runway_core.domain.company import ConnectionState
from runway_core.domain.gaps import Gap, GapReason
from runway_core.domain.identity import CompanyId
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.runway import Runway
from runway_core.services.health import CompanyHealth
from runway_core.sync.health import ConnectionHealth, KindHealth, SyncState
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.health import HealthItem
from runway_app_http.plain import to_plain
from runway_app_http.ui.company import company_address
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import NONE_YET, say_ages, say_count, say_moment
from runway_app_http.ui.rendering import render
from runway_app_http.ui.service_figures import AlertLine, lay_out_alerts, lay_out_cards

router = APIRouter()

CSV_COLUMNS = (
    "company.company_id", "company.name", "company.owner", "last_run.outcome", "last_run.started_at",
    "last_run.ended_at", "last_run.error_code", "last_run.error", "quarantined",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RailLine:
    """How the data of one rail stands, and each kind of it."""

    state: str
    kinds: tuple[str, ...]  # those of one state together, what needs someone first


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One company, in words."""

    name: str
    href: str
    word: str
    tone: str
    sign: str
    ages: tuple[str, ...]
    run: str
    run_at: str
    error: str
    error_code: str
    quarantined: int
    states: tuple[RailLine, ...]  # by rail
    failed: str  # of the pulls within a day
    calls: int  # this month


@router.get("/health")
async def show_health(runway: RunwayOfApp) -> Response:
    """The health page: companies that need someone come first."""
    now = runway.scope.clock.now()
    healths = await runway.health()
    names = {str(health.company.company_id): health.company.name for health in healths}
    lines = sorted((lay_out_line(health) for health in healths), key=lambda line: _RANKS[line.tone])
    counts = [(word, sum(1 for line in lines if line.word == word)) for word in _TONES]
    service = await runway.watch.service()
    return render(
        "health.html",
        lines=lines,
        counts=counts,
        cards=lay_out_cards(service, now),
        alerts=[
            (
                alert,
                _find_href(alert),
                names.get(alert.company_id or "", ""),
            )
            for alert in lay_out_alerts(service)
        ],
        read_at=say_moment(now),
        gaps=await _lay_out_gaps(runway),
    )


async def _lay_out_gaps(runway: Runway) -> list[tuple[str, str]]:
    names = {company.company_id: company.name for company in await runway.companies.list()}
    return [(names[gap.company_id], say_gap(gap)) for gap in await runway.coverage.gaps() if gap.company_id in names]


_GAPS = {
    GapReason.SILENCE: "nothing was heard for longer than usual, though polls found changes",
    GapReason.LOSS: "polls found changes that no event had announced",
    GapReason.REPEATS: "something was sent again: later news had been held back",
}


def say_gap(gap: Gap) -> str:
    """Say why news of a rail may be lost, and since when."""
    return f"{gap.rail}: {_GAPS[gap.reason]}, since {say_moment(gap.since)}; a pull was made at once"


@router.get("/health.csv")
async def save_health(runway: RunwayOfApp) -> Response:
    """Every company's health, by name."""
    rows = (to_plain(HealthItem.of(one)) for one in await runway.health())
    return csv_answer(CSV_COLUMNS, rows, file_name="health.csv")


def _find_href(alert: AlertLine) -> str:
    return "" if alert.company_id is None else company_address(CompanyId(alert.company_id))


def lay_out_line(health: CompanyHealth) -> HealthLine:
    """Turn one company's health into words."""
    run = health.last_run
    word = _judge(health)
    return HealthLine(
        name=health.company.name,
        href=company_address(health.company.company_id),
        word=word,
        tone=_TONES[word],
        sign=_SIGNS[word],
        ages=say_ages(health.freshness) or ("not connected",),
        run=_say_run(run),
        run_at="" if run is None else say_moment(run.ended_at or run.started_at, health.company.time_zone),
        error="" if run is None or run.error is None else run.error,
        error_code="" if run is None or run.error_code is None else run.error_code,
        quarantined=health.quarantined,
        states=_say_states(health),
        failed=_say_failed(health),
        calls=sum(connection.calls_this_month for connection in health.connections),
    )


def _say_states(health: CompanyHealth) -> tuple[RailLine, ...]:
    is_one = len(health.connections) == 1
    return tuple(
        RailLine(
            state=connection.state.value if is_one else f"{connection.rail}: {connection.state.value}",
            kinds=say_kinds(connection),
        )
        for connection in health.connections
    )


def say_kinds(connection: ConnectionHealth) -> tuple[str, ...]:
    """Say how each kind of a connection stands: those of one state together, what needs someone first."""
    return tuple(
        f"{state.value}: {', '.join(_say_kind(kind) for kind in connection.kinds if kind.state is state)}"
        for state in reversed(SyncState)
        if any(kind.state is state for kind in connection.kinds)
    )


def _say_kind(kind: KindHealth) -> str:
    name = kind.kind.value.replace("_", " ")
    return f"{name} ({kind.quarantined} in quarantine)" if kind.quarantined else name


def _say_failed(health: CompanyHealth) -> str:
    pulls = sum(connection.pulls for connection in health.connections)
    if not pulls:
        return NONE_YET
    failed = sum(connection.pulls * connection.failed_percent for connection in health.connections)
    return f"{failed // pulls} % of {pulls:,}"


def _judge(health: CompanyHealth) -> str:
    """Judge a company by the age of its data and by who must act, never by how the last attempt ended."""
    states = {connection.state for connection in health.connections}
    if any(label.state is ConnectionState.RECONNECT_NEEDED for label in health.freshness):
        return "trouble"
    if all(label.source_read_at is None for label in health.freshness):
        return "unread"
    return "stale" if SyncState.FAILED in states or any(label.is_stale for label in health.freshness) else "fresh"


_TONES = {"trouble": "red", "stale": "amber", "unread": "grey", "fresh": "green"}
_SIGNS = {
    "trouble": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "stale": "\N{BLACK DIAMOND}",
    "unread": "\N{WHITE CIRCLE}",
    "fresh": "\N{BLACK CIRCLE}",
}
_RANKS = {"red": 0, "amber": 1, "grey": 2, "green": 3}


def _say_run(run: SyncRun | None) -> str:
    if run is None:
        return "never read"
    if run.outcome is RunOutcome.RUNNING:
        return f"reading, {say_count(run.counts.pages, 'page')} so far"
    if run.outcome is RunOutcome.FAILED:
        return "failed"
    return f"{say_count(run.counts.changed, 'change')}, {say_count(run.calls, 'call')}"
