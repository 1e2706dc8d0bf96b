"""`/health`: how fresh each company's data is, and how its last reading went."""

from dataclasses import dataclass

from fastapi import APIRouter
from runway_core.domain.company import ConnectionState
from runway_core.domain.sync_run import RunOutcome, SyncRun
from runway_core.services.health import CompanyHealth
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.ui.company import company_address
from runway_app_http.ui.figures import say_ages, say_count, say_moment
from runway_app_http.ui.rendering import render

router = APIRouter()

_ATTENTION = frozenset({ConnectionState.FAILING, ConnectionState.RECONNECT_NEEDED})


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


@router.get("/health")
async def show_health(runway: RunwayOfApp) -> Response:
    """The health page: companies that need someone come first."""
    now = runway.scope.clock.now()
    lines = sorted((lay_out_line(health) for health in await runway.health()), key=lambda line: _RANKS[line.tone])
    counts = [(word, sum(1 for line in lines if line.word == word)) for word in _TONES]
    return render("health.html", lines=lines, counts=counts, read_at=say_moment(now))


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
    )


def _judge(health: CompanyHealth) -> str:
    if any(label.state in _ATTENTION for label in health.freshness):
        return "trouble"
    if all(label.source_read_at is None for label in health.freshness):
        return "unread"
    return "stale" if any(label.is_stale for label in health.freshness) else "fresh"


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
