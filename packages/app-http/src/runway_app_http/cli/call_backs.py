"""`runway call-backs`: noted calls that confirmed a vendor's payment details."""

from typing import Annotated

import typer
from rich.table import Table
from runway_core.domain.policy import CallBack
from runway_core.experiences.view import CompanyHeading
from runway_core.runway import Runway

from runway_app_http.api.call_backs import CallBackList
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.following import follow_change
from runway_app_http.ui.figures import NONE_YET, say_moment

app = group("call-backs", "Noted calls that confirmed a vendor's payment details.")


@command(app, "list", example="runway call-backs list acme")
def list_call_backs(session: Session, company: CompanyName) -> None:
    """List the last call-back of each vendor, the newest first."""

    async def ask(runway: Runway) -> CallBackList:
        found = await runway.companies.find(company)
        calls = await runway.call_backs.list(found.company_id)
        return CallBackList(company=CompanyHeading.of(found), items=tuple(calls), has_more=False, next_cursor=None)

    listed = session.run(ask)
    session.show(listed, lambda: _lay_out(listed))


def _lay_out(listed: CallBackList) -> Table:
    caption = None if listed.items else "none: note one with `runway call-backs note`"
    table = new_table(f"Call-backs of {listed.company.name}", caption=caption)
    for heading in ("Vendor", "Spoke to", "Number", "Account ends in", "When", "Noted by"):
        table.add_column(heading, overflow="fold")
    for call in listed.items:
        tail = call.details_tail or NONE_YET
        at = say_moment(call.changed_at, listed.company.time_zone)
        table.add_row(call.vendor_id, call.spoke_to, call.number_called, tail, at, call.changed_by)
    return table


@command(app, "note", example='runway call-backs note acme V2 --spoke-to "Ms Elm" --number "+1 312 555 0100"')
def note_call_back(
    session: Session,
    *,
    company: CompanyName,
    vendor: Annotated[str, typer.Argument(metavar="VENDOR", help="The vendor's id in the ledger.")],
    spoke_to: Annotated[str, typer.Option("--spoke-to", help="Who confirmed the payment details.")],
    number: Annotated[str, typer.Option("--number", help="The number called, known from before.")],
    tail: Annotated[str, typer.Option("--tail", help="The end of the account number that was confirmed.")] = "",
) -> None:
    """Note a call to a number known from before: the rule about new and changed payment details looks at it."""

    async def act(runway: Runway) -> CallBack:
        company_id = (await runway.companies.find(company)).company_id
        noted = await runway.call_backs.note(
            company_id, vendor, spoke_to=spoke_to, number_called=number, details_tail=tail, actor=session.actor
        )
        await follow_change(runway, company_id)
        return noted

    call = session.run(act)
    fields = {"Spoke to": call.spoke_to, "Number": call.number_called, "Account ends in": call.details_tail or NONE_YET}
    session.show(call, lambda: fields_table(f"Vendor {call.vendor_id}: noted", fields))
