"""`runway quarantine`: what a rail sent that could not be understood, with its payload."""

import json
from typing import Annotated

import typer
from pydantic import AwareDatetime
from rich.console import Group, RenderableType
from rich.table import Table
from runway_core.domain.company import Company
from runway_core.domain.sync_run import QuarantinedRecord
from runway_core.errors import NotFound
from runway_core.experiences.view import View
from runway_core.runway import Runway

from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import NONE_YET, say_moment

app = group("quarantine", "What a rail sent that could not be understood.")

RecordId = Annotated[str, typer.Argument(metavar="ID", help="The quarantine's id of a record, as `list` shows it.")]


class QuarantinedSummary(View):
    """A record in quarantine, without its payload."""

    quarantine_id: str
    company_id: str
    company_name: str
    rail: str
    kind: str | None
    external_id: str | None
    reason: str
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    times_seen: int


class QuarantinedPayload(QuarantinedSummary):
    """A record in quarantine with what the rail sent, as text."""

    raw: str


def _summary(company: Company, record: QuarantinedRecord) -> QuarantinedSummary:
    own = {name: getattr(record, name) for name in QuarantinedSummary.model_fields if name != "company_name"}
    return QuarantinedSummary(company_name=company.name, **own)


@command(app, "list", example="runway quarantine list acme")
def list_quarantined(
    session: Session,
    company: Annotated[str | None, typer.Argument(metavar="[COMPANY]", help="Which one; all when absent.")] = None,
) -> None:
    """List the records that wait in quarantine, newest first, with the reason."""

    async def ask(runway: Runway) -> list[QuarantinedSummary]:
        companies = [await runway.companies.find(company)] if company else await runway.companies.list()
        return [_summary(one, record) for one in companies for record in await runway.quarantine(one.company_id)]

    records = session.run(ask)
    session.show({"items": records}, lambda: _lay_out(records))


def _lay_out(records: list[QuarantinedSummary]) -> Table:
    table = new_table("Quarantine", caption=None if records else "empty: everything was understood")
    for title in ("Company", "Id", "Record", "Reason", "Last seen", "Times"):
        table.add_column(title, overflow="fold")
    for record in records:
        name = f"{record.kind or '?'}:{record.external_id or '?'}"
        seen = say_moment(record.last_seen_at)
        table.add_row(record.company_name, record.quarantine_id, name, record.reason, seen, f"{record.times_seen}")
    return table


async def _find(runway: Runway, company: str, quarantine_id: str) -> tuple[Company, QuarantinedRecord]:
    found = await runway.companies.find(company)
    for record in await runway.quarantine(found.company_id):
        if record.quarantine_id == quarantine_id:
            return found, record
    raise NotFound(f"{found.name!r} has no record {quarantine_id!r} in quarantine: `runway quarantine list` shows them")


@command(app, "show", example="runway quarantine show acme 7f3a")
def show_quarantined(session: Session, company: CompanyName, record_id: RecordId) -> None:
    """Show one record with the payload that the rail sent."""

    async def ask(runway: Runway) -> QuarantinedPayload:
        found, record = await _find(runway, company, record_id)
        summary = _summary(found, record)
        own = {name: getattr(summary, name) for name in QuarantinedSummary.model_fields}
        return QuarantinedPayload(**own, raw=record.raw.decode("utf-8", "backslashreplace"))

    shown = session.run(ask)
    session.show(shown, lambda: _lay_out_payload(shown))


def _lay_out_payload(shown: QuarantinedPayload) -> RenderableType:
    fields = {
        "Company": shown.company_name,
        "Record": f"{shown.kind or NONE_YET} {shown.external_id or NONE_YET}",
        "Reason": shown.reason,
        "Seen": f"{shown.times_seen} times, last {say_moment(shown.last_seen_at)}",
    }
    return Group(fields_table(shown.quarantine_id, fields), _indent(shown.raw))


def _indent(raw: str) -> str:
    try:
        return json.dumps(json.loads(raw, parse_float=str), indent=2, ensure_ascii=False)
    except ValueError:
        return raw


class ReplayedRecords(View):
    """What reading quarantined records again came to."""

    mended: tuple[QuarantinedSummary, ...]
    left: tuple[QuarantinedSummary, ...]


@command(app, "replay", example="runway quarantine replay acme")
def replay_quarantined(
    session: Session,
    company: CompanyName,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Which ones; all when absent.")] = None,
    *,
    rail: Annotated[str | None, typer.Option("--rail", help="Only those of one rail.")] = None,
) -> None:
    """Ask the rail for records again, once their cause is mended; those that are understood now are mirrored."""

    async def act(runway: Runway) -> ReplayedRecords:
        found = await runway.companies.find(company)
        done = await runway.quarantines.replay(found.company_id, ids or None, rail=rail, actor=session.actor)
        return ReplayedRecords(
            mended=tuple(_summary(found, record) for record in done.mended),
            left=tuple(_summary(found, record) for record in done.left),
        )

    replayed = session.run(act)
    session.show(replayed, lambda: f"{len(replayed.mended)} understood now, {len(replayed.left)} still in quarantine")


@command(app, "discard", example='runway quarantine discard acme 7f3a --reason "a test of theirs"')
def discard_quarantined(
    session: Session,
    company: CompanyName,
    record_id: RecordId,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
) -> None:
    """Drop one record. It comes back when the rail shows it again and it is still not understood."""

    async def act(runway: Runway) -> QuarantinedSummary:
        found, record = await _find(runway, company, record_id)
        await runway.quarantines.discard(found.company_id, record.quarantine_id, reason=reason, actor=session.actor)
        return _summary(found, record)

    dropped = session.run(act)
    session.show({"discarded": dropped}, lambda: f"discarded {dropped.quarantine_id} of {dropped.company_name}")
