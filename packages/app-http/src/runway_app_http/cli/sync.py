"""`runway sync`: pull now, with a display of what happens, and a plain word on every rail that stayed away."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from runway_core.domain.changes import Cause
from runway_core.domain.company import Company
from runway_core.domain.sync_run import PageCounts, SyncRun
from runway_core.errors import LeaseHeld, LeaseLost, NotFound
from runway_core.experiences.view import View
from runway_core.runway import Runway
from runway_core.sync.orchestrator import PullRequest
from runway_core.sync.reports import SyncReport
from runway_core.sync.schedule import PULLABLE

from runway_app_http.api.companies import CompanySummary
from runway_app_http.api.sync import SyncAnswer
from runway_app_http.cli.failures import DONE, RAIL_TROUBLE, say_error
from runway_app_http.cli.progress import show_progress
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.ui.figures import say_count

app = typer.Typer()

ON_ITS_WAY = frozenset({LeaseHeld.code, LeaseLost.code})
"""Another worker pulls the company at this moment: no trouble, its news is on the way."""


class Waiting(View):
    """A connection that was left alone because a person has to act first."""

    company: CompanySummary
    rail: str
    state: str
    reason: str | None


class SyncOutcome(View):
    """How a sync of several companies ended."""

    companies: int
    calls: int
    counts: PageCounts
    reports: tuple[SyncAnswer, ...]
    failed: tuple[SyncRun, ...]  # runs that a rail's trouble ended
    waiting: tuple[Waiting, ...]


@command(app, "sync", example="runway sync acme --full")
def sync(
    session: Session,
    *,
    companies: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPANY]...", help="Which ones; all when none is given.")
    ] = None,
    rail: Annotated[str | None, typer.Option("--rail", help="Only this rail.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, and retire what is gone.")] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Compare everything with the rail afterwards, and mend what differs.")
    ] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="With --full or --sweep: many records are truly gone, retire them.")
    ] = False,
) -> int:
    """Pull from the rails now. Exit code 3 when a rail stayed unavailable; the mirror keeps what it has."""
    request = PullRequest(
        cause=Cause.PERSON, actor=session.actor, full=full, sweep=sweep, accept_missing=accept_missing
    )

    async def act(runway: Runway) -> SyncOutcome:
        chosen = [await runway.companies.find(wanted) for wanted in companies or ()]
        pullable, waiting = await _choose(runway, chosen, rail)
        with show_progress(companies=len(pullable)) as listener:
            reports = await runway.sync_all(
                rail=rail,
                request=request,
                on_progress=listener,
                only=frozenset(company.company_id for company in pullable),
                at_once=session.settings.companies_at_once,
            )
        return describe_outcome(reports, waiting)

    outcome = session.run(act)
    session.show(outcome, lambda: lay_out_outcome(outcome))
    return say_trouble(outcome)


async def _choose(
    runway: Runway, chosen: Sequence[Company], rail: str | None
) -> tuple[Sequence[Company], Sequence[Waiting]]:
    """The companies that can be pulled, and the connections that wait for a person.

    Raises:
        NotFound: a chosen company without a connection (to that rail), or nobody is connected to `rail` at all.
    """
    for company in chosen:
        await runway.connections.of(company.company_id, rail)
    wanted = {company.company_id: company for company in chosen or await runway.companies.list()}
    held = [
        connection
        for connection in await runway.connections.list()
        if connection.company_id in wanted and (rail is None or connection.rail == rail)
    ]
    if rail is not None and not held:
        raise NotFound(f"no company is connected to {rail!r}: `runway rails` shows which rails there are")
    able = {connection.company_id for connection in held if connection.state in PULLABLE}
    waiting = [
        Waiting(
            company=CompanySummary.of(wanted[connection.company_id]),
            rail=connection.rail,
            state=connection.state.value,
            reason=connection.last_error,
        )
        for connection in held
        if connection.state not in PULLABLE
    ]
    return [company for company_id, company in wanted.items() if company_id in able], waiting


def describe_outcome(reports: Sequence[SyncReport], waiting: Sequence[Waiting] = ()) -> SyncOutcome:
    """All reports together."""
    counts = PageCounts()
    for report in reports:
        counts = counts + report.counts
    return SyncOutcome(
        companies=len(reports),
        calls=sum(run.calls for report in reports for run in report.runs),
        counts=counts,
        reports=tuple(
            SyncAnswer(company=CompanySummary.of(report.company), counts=report.counts, runs=report.runs)
            for report in reports
        ),
        failed=tuple(run for report in reports for run in report.failed if run.error_code not in ON_ITS_WAY),
        waiting=tuple(waiting),
    )


def lay_out_outcome(outcome: SyncOutcome) -> RenderableType:
    """A table of companies and a line that sums them up."""
    table = new_table("Pulled")
    for title in ("Company", "Rail", "Outcome"):
        table.add_column(title, overflow="fold")
    for title in ("New", "Changed", "Gone", "Same", "Quarantined", "Calls"):
        table.add_column(title, justify="right")
    for report in outcome.reports:
        for run in report.runs:
            table.add_row(report.company.name, run.rail, _say_run(run), *_numbers(run))
    if not outcome.reports and not outcome.waiting:
        return "nothing to pull: connect a company with `runway connect`"
    return Group(table, _summary(outcome))


def _say_run(run: SyncRun) -> str:
    return run.outcome.value if run.error_code is None else f"{run.outcome.value}: {run.error_code}"


def _numbers(run: SyncRun) -> tuple[str, ...]:
    counts = run.counts
    numbers = (counts.created, counts.updated, counts.deleted, counts.unchanged, counts.quarantined, run.calls)
    return tuple(f"{number:,}" for number in numbers)


def _summary(outcome: SyncOutcome) -> str:
    return (
        f"{say_count(outcome.companies, 'company', 'companies')}, {say_count(outcome.counts.changed, 'change')}, "
        f"{outcome.counts.unchanged:,} the same, {outcome.counts.quarantined:,} quarantined, "
        f"{say_count(outcome.calls, 'call')}"
    )


def say_trouble(outcome: SyncOutcome) -> int:
    """Name what stayed away, one line a connection, and choose the exit code."""
    names = {report.company.company_id: report.company.name for report in outcome.reports}
    for run in outcome.failed:
        say_error(f"{names[run.company_id]!r}: {run.rail} stayed unavailable: {run.error}", run.error_code)
    for left in outcome.waiting:
        say_error(
            f"{left.company.name!r}: {left.rail} was left alone ({left.state}): {left.reason or 'a person must act'}; "
            f"connect it again with `runway connect {left.rail}`"
        )
    return RAIL_TROUBLE if outcome.failed or outcome.waiting else DONE
