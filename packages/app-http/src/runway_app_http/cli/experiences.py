"""`runway portfolio`, `digest`, `tray`, `console`, `outlook`: the four questions, and all companies on one screen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from runway_core.domain.company import Company
from runway_core.domain.findings import WAITING, FindingState, Severity, TrackedFinding
from runway_core.domain.outlook import OutlookLine
from runway_core.domain.position import PositionStatus
from runway_core.domain.sent_digests import SentDigest
from runway_core.experiences.console import ConsoleView
from runway_core.experiences.digest import DigestView
from runway_core.experiences.outlook import OutlookView
from runway_core.experiences.portfolio import PortfolioQuery, PortfolioSort, PortfolioView
from runway_core.experiences.tray import TrayQuery, TrayView
from runway_core.runway import Runway
from runway_core.sync.freshness import Freshness

from runway_app_http.access import PortfolioParams
from runway_app_http.api.views import read_filters
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.failures import DONE, FOUND
from runway_app_http.cli.layouts import (
    lay_out_console,
    lay_out_digest,
    lay_out_outlook,
    lay_out_portfolio,
    lay_out_tray,
)
from runway_app_http.cli.session import Session, command, stdout_console
from runway_app_http.container import make_mailer
from runway_app_http.digest_sending import DigestSender
from runway_app_http.moments import read_known_at
from runway_app_http.ui.digest_mail import write_digest_mail

app = typer.Typer()

FailOn = Annotated[
    Severity | None, typer.Option("--fail-on", help="Exit code 1 when there is a finding this severe, or worse.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Pull first; when the rail is down, show the labelled mirror.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="As Runway knew it at this moment, or at the end of this day."),
]


@command(app, "portfolio", example="runway portfolio --status red --sort runway")
def show_portfolio(
    session: Session,
    *,
    view: Annotated[
        str | None, typer.Option("--view", metavar="NAME", help="A saved view; what else is given goes before it.")
    ] = None,
    status: Annotated[PositionStatus | None, typer.Option("--status", help="Only this status.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only companies of this person.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only companies with this tag.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="Part of the name.")] = None,
    runway_below: Annotated[int | None, typer.Option("--runway-below", min=0, help="Fewer days than this.")] = None,
    older_than_hours: Annotated[int | None, typer.Option("--older-than-hours", min=0, help="Older data.")] = None,
    no_digest_for_days: Annotated[
        int | None, typer.Option("--no-digest-for-days", min=0, help="No digest was sent for so long.")
    ] = None,
    has_critical: Annotated[bool, typer.Option("--has-critical", help="With a critical finding.")] = False,
    sort: Annotated[PortfolioSort, typer.Option("--sort", help="The column to order by.")] = PortfolioSort.ATTENTION,
    descending: Annotated[bool, typer.Option("--descending", help="The other way round.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="At most so many rows.")] = 100,
    cursor: Annotated[str | None, typer.Option("--cursor", help="`next_cursor` of the page before.")] = None,
    fail_on: FailOn = None,
    as_of: AsOf = None,
) -> int:
    """Show every company on one screen, those that need attention first."""
    query = PortfolioQuery(
        status=status,
        owner=owner,
        tag=tag,
        search=search,
        runway_below=runway_below,
        older_than_hours=older_than_hours,
        no_digest_for_days=no_digest_for_days,
        has_critical=has_critical,
        sort=sort,
        descending=descending,
        limit=limit,
        cursor=cursor,
    )

    async def ask(runway: Runway) -> tuple[PortfolioView, bool]:
        asked = query if view is None else await _look_through(runway, view, query)
        shown = await runway.portfolio(asked, known_at=read_known_at(as_of, now=runway.scope.clock.now()))
        return shown, fail_on is not None and await _holds_findings(runway, shown, fail_on)

    shown, has_failed = session.run(ask)
    session.show(shown, lambda: lay_out_portfolio(shown, width=stdout_console().width))
    return FOUND if has_failed else DONE


async def _look_through(runway: Runway, name: str, given: PortfolioQuery) -> PortfolioQuery:
    """The filters of a saved view, with those that were given in their place."""
    saved = read_filters((await runway.saved_views.find(name)).query, PortfolioParams).to_query()
    return PortfolioQuery.model_validate(saved.__dict__ | given.model_dump(exclude_defaults=True))


async def _holds_findings(runway: Runway, view: PortfolioView, least: Severity) -> bool:
    """Whether a shown company has a waiting finding of this severity or worse."""
    if least is Severity.CRITICAL:
        return any(row.findings_critical for row in view.rows)
    if least is Severity.LOW:
        return any(row.findings_open for row in view.rows)
    for row in view.rows:
        if row.findings_open and _is_severe(await runway.findings.list(row.company_id, states=WAITING), least):
            return True
    return False


def _is_severe(findings: Sequence[TrackedFinding], least: Severity) -> bool:
    return any(tracked.finding.severity.rank <= least.rank for tracked in findings)


def _freshness(is_wanted: bool) -> Freshness:
    return Freshness.STRICT if is_wanted else Freshness.CACHED_OK


async def find_known(runway: Runway, company: str, as_of: str | None) -> tuple[Company, datetime | None]:
    """A company that is named, and the past moment that is asked about.

    Raises:
        NotFound: no such company.
        InvalidRequest: no moment.
    """
    found = await runway.companies.find(company)
    return found, read_known_at(as_of, now=runway.scope.clock.now(), company=found)


@command(app, "digest", example='runway digest acme --mail-to bo@acme.example --note "Dear Bo, all is well."')
def show_digest(
    session: Session,
    *,
    company: CompanyName,
    fresh: Fresh = False,
    as_of: AsOf = None,
    mail_to: Annotated[
        list[str] | None, typer.Option("--mail-to", help="Send it to this address; may be given again.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Your own words, above the figures of the mail.")] = "",
) -> None:
    """Answer: are we okay? Cash, runway with its date, what is due, the next payroll; by mail when asked to."""
    if mail_to:
        mailer = make_mailer(session.settings)

        async def send(runway: Runway) -> SentDigest:
            company_id = (await runway.companies.find(company)).company_id
            sender = DigestSender(runway, mailer, write_digest_mail)
            return await sender.send(company_id, to=mail_to, note=note, actor=session.actor)

        sent = session.run(send)
        session.show(sent, lambda: f"sent to {', '.join(sent.sent_to)}: {sent.subject}")
        return

    async def ask(runway: Runway) -> DigestView:
        found, known_at = await find_known(runway, company, as_of)
        return await runway.digest(found.company_id, freshness=_freshness(fresh), known_at=known_at)

    view = session.run(ask)
    session.show(view, lambda: lay_out_digest(view))


@command(app, "tray", example="runway tray acme --severity critical --fail-on critical")
def show_tray(
    session: Session,
    *,
    company: CompanyName,
    state: Annotated[
        list[FindingState] | None, typer.Option("--state", help="Only these states; open and asked by default.")
    ] = None,
    severity: Annotated[Severity | None, typer.Option("--severity", help="Only this severity.")] = None,
    check: Annotated[str | None, typer.Option("--check", help="Only this check, such as AP06.")] = None,
    fresh: Fresh = False,
    as_of: AsOf = None,
    fail_on: FailOn = None,
) -> int:
    """Answer: can I trust the numbers? Defects in the books, each with its evidence."""
    states = frozenset(state) if state else WAITING
    query = TrayQuery(states=states, severity=severity, check=check)

    async def ask(runway: Runway) -> TrayView:
        found, known_at = await find_known(runway, company, as_of)
        return await runway.tray(found.company_id, query, freshness=_freshness(fresh), known_at=known_at)

    view = session.run(ask)
    session.show(view, lambda: lay_out_tray(view))
    is_severe = fail_on is not None and any(group.worst.rank <= fail_on.rank for group in view.groups)
    return FOUND if is_severe else DONE


@command(app, "console", example="runway console acme")
def show_console(session: Session, company: CompanyName, fresh: Fresh = False, as_of: AsOf = None) -> None:
    """Answer: what should we do next? Bills ready to be decided, those held back and why, and who to call."""

    async def ask(runway: Runway) -> ConsoleView:
        found, known_at = await find_known(runway, company, as_of)
        return await runway.console(found.company_id, freshness=_freshness(fresh), known_at=known_at)

    view = session.run(ask)
    session.show(view, lambda: lay_out_console(view))


@command(app, "outlook", example="runway outlook acme --line cautious --weeks 8")
def show_outlook(
    session: Session,
    *,
    company: CompanyName,
    line: Annotated[OutlookLine, typer.Option("--line", help="What is supposed.")] = OutlookLine.EXPECTED,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=13, help="So many weeks are listed.")] = 13,
    fresh: Fresh = False,
    as_of: AsOf = None,
) -> None:
    """Answer: what is coming? Weeks of expected cash, without new sales, or with customers who pay late."""

    async def ask(runway: Runway) -> OutlookView:
        found, known_at = await find_known(runway, company, as_of)
        return await runway.outlook(found.company_id, line=line, freshness=_freshness(fresh), known_at=known_at)

    view = session.run(ask)
    session.show(view, lambda: lay_out_outlook(view, weeks=weeks))
