"""`runway reconcile` and `runway conflicts`: what the rails of a company say of one another, and what differs."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from runway_core.domain.company import Company
from runway_core.domain.conflicts import Conflict, ConflictKind, ConflictState, TrackedConflict
from runway_core.domain.findings import Severity
from runway_core.errors import InvalidRequest, NotFound
from runway_core.experiences.reconciliation import UNRESOLVED, ConflictQuery, ConflictRow, ReconciliationView
from runway_core.experiences.view import View
from runway_core.experiences.wording import say_days
from runway_core.runway import Runway

from runway_app_http.api.conflicts import (
    EVERY_STATE,
    ConflictAct,
    ConflictResolution,
    decide_conflict,
    make_query,
)
from runway_app_http.cli.failures import DONE, FOUND
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table, severity_text
from runway_app_http.moments import read_known_at
from runway_app_http.plain import to_plain
from runway_app_http.ui.csv_tables import write_csv
from runway_app_http.ui.evidence import lay_out_evidence
from runway_app_http.ui.figures import NONE_YET, say_change, say_moment, say_money

app = typer.Typer()
conflicts = group("conflicts", "Where two rails do not tell the same, and what was decided about it.")

CSV_COLUMNS = (
    "company.company_id", "company.name", "conflict_id", "tracked.conflict.kind", "tracked.conflict.severity",
    "tracked.state", "tracked.conflict.summary", "tracked.conflict.amount.amount", "tracked.conflict.amount.currency",
    "tracked.conflict.impact_days", "tracked.conflict.rails", "tracked.conflict.records", "tracked.conflict.suggested",
    "tracked.conflict.finding_id", "age_days", "tracked.resolution", "tracked.reason", "tracked.decided_by",
    "tracked.decided_at",
)  # fmt: skip

MaybeCompany = Annotated[
    str | None, typer.Argument(metavar="[COMPANY]", help="An id, or a name or its beginning; all companies without it.")
]
ConflictId = Annotated[str, typer.Argument(metavar="ID", help="A conflict's id or its beginning, as `list` shows it.")]
OfCompany = Annotated[str | None, typer.Option("--company", help="Whose it is: spares looking through all companies.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="As Runway knew it at this moment, or at the end of this day."),
]
FailOn = Annotated[
    Severity | None, typer.Option("--fail-on", help="Exit code 1 when a conflict this severe, or worse, waits.")
]
Because = Annotated[str, typer.Option("--because", help="Why; needed to accept, and kept with any decision.")]
Version = Annotated[int | None, typer.Option("--version", min=0, help="Refuse when it was decided since this version.")]

_ACTS = {"matched": ConflictAct.MATCH, "alias": ConflictAct.ALIAS, "accepted": ConflictAct.ACCEPT}


class ConflictOfCompany(View):
    """A conflict, and whose it is."""

    company: Company
    row: ConflictRow


async def _find_companies(runway: Runway, company: str | None) -> Sequence[Company]:
    return await runway.companies.list() if company is None else [await runway.companies.find(company)]


async def _compare(
    runway: Runway, company: str | None, query: ConflictQuery, as_of: str | None = None
) -> list[ReconciliationView]:
    """One company after the other: each is read, compared and let go."""
    now = runway.scope.clock.now()
    return [
        await runway.reconcile(one.company_id, query, read_known_at(as_of, now=now, company=one))
        for one in await _find_companies(runway, company)
    ]


def _is_waiting(views: Sequence[ReconciliationView], least: Severity | None) -> bool:
    return least is not None and any(
        row.tracked.state in UNRESOLVED and row.tracked.conflict.severity.rank <= least.rank
        for view in views
        for row in view.conflicts
    )


@command(app, "reconcile", example="runway reconcile acme --fail-on critical")
def reconcile(session: Session, *, company: MaybeCompany = None, as_of: AsOf = None, fail_on: FailOn = None) -> int:
    """Compare what the rails of a company, or of all, say of one another: one thing, left over, or different."""
    views = session.run(lambda runway: _compare(runway, company, ConflictQuery(), as_of))
    document: object = {"items": views} if company is None else views[0]
    session.show(document, lambda: _lay_out_all(views) if company is None else _lay_out_one(views[0]))
    return FOUND if _is_waiting(views, fail_on) else DONE


def _lay_out_all(views: Sequence[ReconciliationView]) -> RenderableType:
    table = new_table(
        "Reconciliation", caption=None if views else "no companies yet: add one with `runway companies add`"
    )
    table.add_column("Company", overflow="fold")
    for title in ("Matched", "Suggested", "Unmatched", "Conflicts"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Unexplained drift", justify="right", overflow="fold")
    for view in views:
        counts = (view.matched, view.suggested, view.unmatched, view.waiting)
        table.add_row(view.company.name, *(f"{count:,}" for count in counts), _say_drift(view))
    return table


def _say_drift(view: ReconciliationView) -> str:
    sums = [say_money(drift.unexplained) for drift in view.drifts if drift.unexplained.amount]
    return ", ".join(sums) or ("none" if view.drifts else NONE_YET)


def _lay_out_one(view: ReconciliationView) -> RenderableType:
    table = new_table(f"{view.company.name}, as of {view.as_of}: {view.headline}")
    table.add_column("Between", overflow="fold")
    table.add_column("What", no_wrap=True)
    for title in ("Matched", "Suggested", "Left on the first", "Left on the second", "Conflicts"):
        table.add_column(title, justify="right", overflow="fold")
    for pair in view.pairs:
        counts = (pair.matched, pair.suggested, pair.left_here, pair.left_there, pair.differing)
        table.add_row(f"{pair.here} and {pair.there}", pair.what, *(f"{count:,}" for count in counts))
    parts: list[RenderableType] = [table]
    if view.drifts:
        parts.append(_lay_out_drifts(view))
    parts.extend(view.notes)
    if view.conflicts:
        parts.append(_lay_out_conflicts([view]))
    return Group(*parts)


def _lay_out_drifts(view: ReconciliationView) -> Table:
    table = new_table("Bank accounts", caption="bank − ledger = not in the ledger − not at the bank + unexplained")
    table.add_column("Account", overflow="fold")
    for title in ("Bank", "Ledger", "Not in ledger", "Not at bank", "Unexplained"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in view.drifts:
        sums = (one.bank, one.ledger, one.bank_not_in_ledger, one.ledger_not_at_bank, one.unexplained)
        table.add_row(one.name, *map(say_money, sums))
    return table


@command(conflicts, "list", example="runway conflicts list acme --kind duplicate")
def list_conflicts(
    session: Session,
    *,
    company: MaybeCompany = None,
    kind: Annotated[ConflictKind | None, typer.Option("--kind", help="Only this kind.")] = None,
    state: Annotated[
        ConflictState | None, typer.Option("--state", help="Only this state; those that wait by default.")
    ] = None,
    severity: Annotated[Severity | None, typer.Option("--severity", help="Only this severity.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
    fail_on: FailOn = None,
) -> int:
    """List the conflicts of a company, or of all, those that wait first, then the worst."""
    if as_csv and session.as_json:
        raise InvalidRequest("--csv and --json do not go together")
    query = make_query(kind=kind, state=state, severity=severity)
    views = session.run(lambda runway: _compare(runway, company, query))
    if as_csv:
        rows = (to_plain({"company": view.company, **dict(row)}) for view in views for row in view.conflicts)
        sys.stdout.write(write_csv(CSV_COLUMNS, rows))
    else:
        items = [{"company": view.company, **dict(row)} for view in views for row in view.conflicts]
        session.show({"items": items}, lambda: _lay_out_conflicts(views))
    return FOUND if _is_waiting(views, fail_on) else DONE


def _lay_out_conflicts(views: Sequence[ReconciliationView]) -> Table:
    rows = [(view, row) for view in views for row in view.conflicts]
    table = new_table("Conflicts", caption=None if rows else "none: the rails tell the same")
    if len(views) > 1:
        table.add_column("Company", overflow="fold")
    table.add_column("Severity", no_wrap=True)
    table.add_column("Kind", overflow="fold")
    table.add_column("What", overflow="fold")
    table.add_column("Amount", justify="right", no_wrap=True)
    table.add_column("Age", justify="right", no_wrap=True)
    table.add_column("State", no_wrap=True)
    table.add_column("Id", no_wrap=True)
    for view, row in rows:
        conflict = row.tracked.conflict
        cells = (
            severity_text(conflict.severity),
            say_kind(conflict),
            conflict.summary,
            NONE_YET if conflict.amount is None else say_money(conflict.amount),
            NONE_YET if row.age_days is None else say_days(row.age_days),
            row.tracked.state.value,
            row.conflict_id[:8],
        )
        table.add_row(*((view.company.name,) if len(views) > 1 else ()), *cells)
    return table


def say_kind(conflict: Conflict) -> str:
    """A kind in words."""
    return conflict.kind.value.replace("_", " ")


@command(conflicts, "show", example="runway conflicts show 9f1c0a7b")
def show_conflict(session: Session, *, conflict_id: ConflictId, company: OfCompany = None) -> None:
    """Show one conflict with the values of both sides, what it may be, and what was decided."""
    found = session.run(lambda runway: _find(runway, conflict_id, company))
    session.show(found.row, lambda: _lay_out_detail(found))


async def _find(runway: Runway, conflict_id: str, company: str | None) -> ConflictOfCompany:
    """The one conflict whose id begins so.

    Raises:
        NotFound: there is none.
        InvalidRequest: there are several.
    """
    found = [
        ConflictOfCompany(company=one, row=row)
        for one in await _find_companies(runway, company)
        for row in (await runway.reconcile(one.company_id, EVERY_STATE)).conflicts
        if row.conflict_id.startswith(conflict_id)
    ]
    if not found:
        raise NotFound(f"no conflict {conflict_id!r}: it may have been mended; `runway conflicts list` shows all")
    if len(found) > 1:
        raise InvalidRequest(f"{conflict_id!r} begins {len(found)} ids: write more of it")
    return found[0]


def _lay_out_detail(found: ConflictOfCompany) -> RenderableType:
    tracked, conflict = found.row.tracked, found.row.tracked.conflict
    fields: dict[str, str | Text] = {
        "Company": found.company.name,
        "Kind": say_kind(conflict),
        "Between": " and ".join(conflict.rails),
        "Severity": severity_text(conflict.severity),
        "Amount": NONE_YET if conflict.amount is None else say_money(conflict.amount),
        "Runway": NONE_YET if conflict.impact_days is None else say_change(conflict.impact_days),
        "Age": NONE_YET if found.row.age_days is None else say_days(found.row.age_days),
        "State": _say_state(tracked),
        "Suggested": conflict.suggested,
        "Finding": NONE_YET if conflict.finding_id is None else f"{conflict.finding_id}: decided together with it",
    }
    parts: list[RenderableType] = [fields_table(conflict.summary, fields)]
    sides = lay_out_evidence(conflict.evidence, conflict.amount)
    table = new_table("Side by side")
    table.add_column("", no_wrap=True)
    for record in sides.records:
        table.add_column(f"{record.kind.value} {record.external_id}", overflow="fold")
    for name, values in sides.rows:
        table.add_row(name.replace("_", " "), *values)
    if sides.rows:
        parts.append(table)
    parts.extend(f"{name.replace('_', ' ')}: {value}" for name, value in sides.facts)
    if conflict.matches:
        parts.append(_lay_out_matches(conflict))
    return Group(*parts)


def _lay_out_matches(conflict: Conflict) -> Table:
    table = new_table(
        "What may be one", caption="confirm one with `runway conflicts resolve ID --as matched --match N`"
    )
    for title in ("N", "Tier", "There", "Here", "Evidence", "A yes is enough"):
        table.add_column(title, overflow="fold")
    for number, match in enumerate(conflict.matches, start=1):
        there, here = (", ".join(map(str, records)) for records in (match.there, match.here))
        is_enough = "yes" if match.may_confirm else "no: book it first"
        table.add_row(f"{number}", f"{match.tier}", there, here, "; ".join(match.evidence), is_enough)
    return table


def _say_state(tracked: TrackedConflict) -> str:
    said = [tracked.state.value]
    if tracked.resolution is not None:
        said.append(tracked.resolution.value)
    if tracked.decided_by is not None and tracked.decided_at is not None:
        said.append(f"by {tracked.decided_by}, {say_moment(tracked.decided_at)}")
    if tracked.reason:
        said.append(tracked.reason)
    return ", ".join(said)


@command(conflicts, "resolve", example='runway conflicts resolve 9f1c0a7b --as accepted --because "entered next month"')
def resolve_conflict(
    session: Session,
    *,
    conflict_id: ConflictId,
    resolution: Annotated[str, typer.Option("--as", metavar="matched|alias|accepted", help="How it ends.")],
    because: Because = "",
    match: Annotated[
        int | None, typer.Option("--match", min=1, help="Which match is confirmed, as `show` numbers.")
    ] = None,
    company: OfCompany = None,
    version: Version = None,
) -> None:
    """Say that records are one or whom a name means, or accept a conflict as it is. No rail is written to."""
    if resolution not in _ACTS:
        raise InvalidRequest(f"--as {resolution!r} is none of {', '.join(_ACTS)}: what is mended ends at the next read")
    decision = ConflictResolution(action=_ACTS[resolution], reason=because, match=match)
    _decide(session, conflict_id, decision, company=company, version=version)


@command(conflicts, "reopen", example="runway conflicts reopen 9f1c0a7b")
def reopen_conflict(
    session: Session, *, conflict_id: ConflictId, company: OfCompany = None, version: Version = None
) -> None:
    """Take a decision back: what it confirmed is no proof any more."""
    _decide(session, conflict_id, ConflictResolution(action=ConflictAct.REOPEN), company=company, version=version)


def _decide(
    session: Session, conflict_id: str, decision: ConflictResolution, *, company: str | None, version: int | None
) -> None:
    async def act(runway: Runway) -> TrackedConflict:
        found = await _find(runway, conflict_id, company)
        return await decide_conflict(
            runway,
            found.company.company_id,
            conflict_id=found.row.conflict_id,
            decision=decision,
            actor=session.actor,
            version=version,
        )

    decided = session.run(act)
    session.show(decided, lambda: f"{decided.conflict.summary}: {_say_state(decided)}")
