"""`runway fix` and `runway fixes`: what a suggested fix would write where, writing it, and taking it back."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from runway_core.domain.company import Company
from runway_core.domain.fixes import Fix, FixState
from runway_core.errors import InvalidRequest, NotFound
from runway_core.experiences.view import CompanyHeading
from runway_core.runway import Runway
from runway_core.services.fixes import FixChoice, FixOutcome

from runway_app_http.api.fixes import FixList, FixReport, FixReports
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.failures import DONE, FOUND
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.ui.figures import NONE_YET, say_count, say_moment

app = typer.Typer()

_WRITTEN = frozenset({FixState.WAITING, FixState.CONFIRMED})

Findings = Annotated[
    list[str], typer.Argument(metavar="FINDING...", help="Ids of findings, or their beginnings, as `tray` shows them.")
]


@command(app, "fix", example="runway fix acme 9f1c0a7b --write")
def fix_findings(
    session: Session,
    *,
    company: CompanyName,
    findings: Findings,
    number: Annotated[int, typer.Option("--number", min=1, help="Which of the suggested fixes, from 1.")] = 1,
    write: Annotated[
        bool, typer.Option("--write", help="Write it to the ledger; else only say what it would.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last fix of each finding back, within 24 hours.")
    ] = False,
) -> int:
    """Say what a suggested fix would write where; with --write do it, each of up to 100 reported on its own.

    Exit code 1 when one was not written. The ledger's next read confirms what was.
    """
    if write and undo:
        raise InvalidRequest("--write and --undo do not go together")

    async def act(runway: Runway) -> FixReports:
        found = await runway.companies.find(company)
        ids = await find_finding_ids(runway, found, findings)
        if undo:
            outcomes = [await _undo(runway, found, finding_id, actor=session.actor) for finding_id in ids]
        else:
            choices = [FixChoice(finding_id, number - 1) for finding_id in ids]
            fixes = runway.fixes
            outcomes = list(
                await fixes.apply(found.company_id, choices, actor=session.actor)
                if write
                else await fixes.plan_all(found.company_id, choices)
            )
        return FixReports(company=CompanyHeading.of(found), items=tuple(FixReport.of(outcome) for outcome in outcomes))

    reports = session.run(act)
    is_plan = not write and not undo
    session.show(reports, lambda: _lay_out(reports, is_plan=is_plan))
    good = _WRITTEN if not is_plan else frozenset({FixState.INTENDED})
    return DONE if all(one.fix is not None and one.fix.state in good for one in reports.items) else FOUND


async def find_finding_ids(runway: Runway, company: Company, wanted: Sequence[str]) -> list[str]:
    """The ids of the findings that begin like `wanted`.

    Raises:
        NotFound: one is none of the company's findings, or could be several.
    """
    held = [t.finding_id for t in await runway.findings.list(company.company_id, states=None)]
    ids = []
    for text in wanted:
        matches = [finding_id for finding_id in held if finding_id.startswith(text)]
        if len(matches) != 1:
            many = "could be several" if matches else "is none"
            raise NotFound(f"{text!r} {many} of the findings of {company.name!r}: `runway tray` shows their ids")
        ids.append(matches[0])
    return ids


async def _undo(runway: Runway, company: Company, finding_id: str, *, actor: str) -> FixOutcome:
    choice = FixChoice(finding_id)
    for fix in await runway.fixes.list(company.company_id, include_closed=True, limit=1000):
        if fix.finding_id == finding_id and fix.undoes is None and fix.state in _WRITTEN:
            return FixOutcome(choice, await runway.fixes.undo(company.company_id, fix.paper_id, actor=actor))
    return FixOutcome(choice, error=NotFound("no fix of this finding was written that could be taken back"))


def _lay_out(reports: FixReports, *, is_plan: bool) -> RenderableType:
    title = "Would be written" if is_plan else "Written"
    caption = "nothing was written: repeat with --write" if is_plan else "`runway sync` reads the ledger and confirms"
    table = new_table(f"{title}: {reports.company.name}", caption=caption)
    for heading in ("Fix", "Rail", "Record", "Field", "Before", "After", "State"):
        table.add_column(heading, overflow="fold")
    refused = []
    for report in reports.items:
        fix = report.fix
        if fix is None:
            refused.append(f"{report.finding_id}: {report.error}")
            continue
        _add_rows(table, fix, "planned" if is_plan else fix.state.value)
        if fix.error is not None:
            refused.append(f"{fix.label}: {fix.error}")
    parts: list[RenderableType] = [table] if table.row_count else []
    return Group(*parts, *(f"not done: {text}" for text in refused))


def _add_rows(table: Table, fix: Fix, state: str) -> None:
    for write in fix.writes:
        table.add_row(
            fix.label,
            fix.rail,
            f"{fix.record}",
            write.field.replace("_", " "),
            write.before or NONE_YET,
            write.after or NONE_YET,
            state,
        )


@command(app, "fixes", example="runway fixes acme")
def list_fixes(
    session: Session,
    company: CompanyName,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
) -> None:
    """List what was written to a company's ledger from here, and where each fix stands."""

    async def ask(runway: Runway) -> FixList:
        found = await runway.companies.find(company)
        fixes = await runway.fixes.list(found.company_id, include_closed=True, limit=limit)
        return FixList(company=CompanyHeading.of(found), items=tuple(fixes), has_more=False, next_cursor=None)

    listed = session.run(ask)
    session.show(listed, lambda: _lay_out_list(listed))


def _lay_out_list(listed: FixList) -> Table:
    waiting = sum(not fix.is_closed for fix in listed.items)
    table = new_table(
        f"Fixes of {listed.company.name}", caption=f"{say_count(len(listed.items), 'fix', 'fixes')}, {waiting} waiting"
    )
    for heading in ("Changed", "Fix", "Record", "Written", "State", "By", "Id"):
        table.add_column(heading, overflow="fold")
    for fix in listed.items:
        written = "; ".join(f"{w.field}: {w.before or NONE_YET} → {w.after or NONE_YET}" for w in fix.writes)
        state = fix.state.value if fix.error is None else f"{fix.state.value}: {fix.error}"
        table.add_row(
            say_moment(fix.changed_at), fix.label, f"{fix.record}", written, state, fix.changed_by, fix.paper_id
        )
    return table
