"""`runway erase`: all that is kept of a company goes, and its log keeps what proves that nothing else was changed."""

import sys
from typing import Annotated

import typer
from rich.console import RenderableType
from runway_core.domain.company import Company
from runway_core.domain.erasure import ERASED_NAME, Erasure, ErasureSurvey
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway

from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.session import Session, command, stderr_console
from runway_app_http.cli.tables import fields_table
from runway_app_http.ui.figures import say_count, say_moment

app = typer.Typer()


@command(app, "erase", example="runway erase acme")
def erase(
    session: Session,
    company: CompanyName,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", show_default=False)] = False,
) -> None:
    """Erase a company: its mirror, papers and key. It cannot be undone; its log stays, unreadable, and verifies.

    Says first what goes. Cut off at any moment, the same command goes on where it was.
    """
    found = session.run(lambda runway: runway.companies.find(company, or_erased=True))
    if found.name != ERASED_NAME:
        survey = session.run(lambda runway: runway.erasures.survey(found.company_id))
        stderr_console().print(_lay_out_survey(found, survey))
        _confirm(found, is_sure=yes)

    async def act(runway: Runway) -> Erasure:
        return await runway.erasures.erase(found.company_id, confirmed=found.company_id, actor=session.actor)

    done = session.run(act)
    session.show(done, lambda: f"{found.company_id} was erased by {done.erased_by} on {say_moment(done.erased_at)}")


def _confirm(company: Company, *, is_sure: bool) -> None:
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise InvalidRequest("nobody can be asked here: nothing was erased; say --yes to erase without being asked")
    if typer.prompt(f"This cannot be undone. Type the company's name, {company.name!r}, to erase it") != company.name:
        raise InvalidRequest("that is another name: nothing was erased")


def _lay_out_survey(company: Company, survey: ErasureSurvey) -> RenderableType:
    rows = ", ".join(f"{count:,} of {table}" for table, count in sorted(survey.rows.items()))
    fields = {
        "Goes": rows or "no rows",
        "Stays": f"{say_count(survey.entries, 'entry', 'entries')} of its log, whose content nobody can read any more",
    }
    if survey.clear_entries:
        fields["In clear"] = f"{survey.clear_entries:,} entries were never sealed: they must leave the database first"
    if survey.clear_files:
        fields["Destroy by hand"] = ", ".join(survey.clear_files)
    if survey.absent_files:
        fields["Not looked at"] = ", ".join(survey.absent_files)
    fields["By hand besides"] = (
        "backups, exports and copies of keys from before; access at the rails; mails that were sent"
    )
    return fields_table(f"Erasing {company.name}", fields)
