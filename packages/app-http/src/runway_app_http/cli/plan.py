"""`runway plan`: money that only people know of."""

from datetime import date
from typing import Annotated

import typer
from rich.table import Table
from runway_core.domain.planned_items import PlannedItem
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading
from runway_core.runway import Runway
from runway_core.services.scope import local_day

from runway_app_http.api.planned_items import (
    PlannedItemAct,
    PlannedItemAnswer,
    PlannedItemChange,
    PlannedItemList,
    act_on_item,
)
from runway_app_http.api.scenarios import RecordName
from runway_app_http.cli.companies import CompanyName, read_amount
from runway_app_http.cli.log import read_record_key
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.following import follow_change
from runway_app_http.ui.figures import NONE_YET, say_amount

app = group("plan", "Money that only people know of, such as a debt without a bill.")

ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="An item's id, as `list` shows it.")]
Version = Annotated[int | None, typer.Option("--version", min=0, help="Refuse when it was changed since this version.")]
Day = Annotated[str | None, typer.Option("--on", metavar="DAY", help="The day, such as 2026-03-20.")]


def read_day(text: str) -> date:
    """Read a day as `2026-03-20`.

    Raises:
        InvalidRequest: it is no day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is no day: write it like 2026-03-20") from error


@command(app, "list", example="runway plan list acme")
def list_items(
    session: Session,
    company: CompanyName,
    everything: Annotated[bool, typer.Option("--all", help="Dropped and fulfilled ones too.")] = False,
) -> None:
    """List the planned items of a company, by day."""

    async def ask(runway: Runway) -> PlannedItemList:
        found = await runway.companies.find(company)
        items = await runway.planned_items.list(found.company_id, include_closed=everything)
        return PlannedItemList(
            company=CompanyHeading.of(found),
            as_of=local_day(runway.scope.clock.now(), found),
            items=tuple(PlannedItemAnswer(item=one.item, state=one.state) for one in items),
            has_more=False,
            next_cursor=None,
        )

    listed = session.run(ask)
    session.show(listed, lambda: _lay_out(listed))


def _lay_out(listed: PlannedItemList) -> Table:
    caption = None if listed.items else "none: enter one with `runway plan add`"
    table = new_table(f"Planned items of {listed.company.name}", caption=caption)
    table.add_column("Day", no_wrap=True)
    table.add_column("For", overflow="fold")
    table.add_column("Amount", justify="right", no_wrap=True)
    for title in ("State", "Owner", "Id", "Note"):
        table.add_column(title, overflow="fold")
    for one in listed.items:
        item = one.item
        state = "dropped" if item.is_closed and item.fulfilled_by is None else one.state.value
        state = f"fulfilled by {item.fulfilled_by}" if item.fulfilled_by is not None else state
        table.add_row(
            item.on.isoformat(), item.label, _say_flow(item), state, item.owner, item.paper_id, item.note or NONE_YET
        )
    return table


def _say_flow(item: PlannedItem) -> str:
    return f"{say_amount(item.amount if item.is_inflow else -item.amount, item.currency)} {item.currency}"


@command(app, "add", example='runway plan add acme "Owed to the builder" --on 2026-03-13 --amount 50000')
def add_item(
    session: Session,
    *,
    company: CompanyName,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What the money is for.")],
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="The day on which it moves, such as 2026-03-20.")],
    amount: Annotated[str, typer.Option("--amount", metavar="AMOUNT", help="Positive.")],
    currency: Annotated[str | None, typer.Option("--currency", help="Home currency when absent.")] = None,
    comes_in: Annotated[bool, typer.Option("--in", help="Money comes in.")] = False,
    is_financing: Annotated[bool, typer.Option("--financing", help="Loan or owner's money: no part of burn.")] = False,
    owner: Annotated[str | None, typer.Option("--owner", help="Who answers for it; you when absent.")] = None,
    note: Annotated[str, typer.Option("--note", help="Anything to remember.")] = "",
) -> None:
    """Enter an item: it is in the outlook at once, until a document stands for it."""

    async def act(runway: Runway) -> PlannedItemAnswer:
        found = await runway.companies.find(company)
        item = await runway.planned_items.add(
            found.company_id,
            label=label,
            on=read_day(on),
            amount=read_amount(amount),
            currency=currency,
            is_inflow=comes_in,
            is_financing=is_financing,
            owner=owner,
            note=note,
            actor=session.actor,
        )
        await follow_change(runway, found.company_id)
        return PlannedItemAnswer(item=item, state=item.state_on(local_day(runway.scope.clock.now(), found)))

    _show_one(session, session.run(act), "entered")


@command(app, "confirm", example="runway plan confirm acme 7f3a")
def confirm_item(session: Session, company: CompanyName, item: ItemId, version: Version = None) -> None:
    """Say that an item still holds: after 14 days without a word it is stale."""
    change = PlannedItemChange(action=PlannedItemAct.CONFIRM)
    _show_one(session, _act(session, company, item=item, change=change, version=version), "confirmed")


@command(app, "move", example="runway plan move acme 7f3a --on 2026-03-27")
def move_item(
    session: Session,
    *,
    company: CompanyName,
    item: ItemId,
    on: Day = None,
    amount: Annotated[str | None, typer.Option("--amount", metavar="AMOUNT", help="The new amount.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Who answers for it from now on.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="The new note.")] = None,
    version: Version = None,
) -> None:
    """Put an item on another day, or change its amount, owner or note; that confirms it."""
    change = PlannedItemChange(
        action=PlannedItemAct.MOVE,
        on=None if on is None else read_day(on),
        amount=None if amount is None else read_amount(amount),
        owner=owner,
        note=note,
    )
    _show_one(session, _act(session, company, item=item, change=change, version=version), "moved")


@command(app, "fulfil", example="runway plan fulfil acme 7f3a bill:145")
def fulfil_item(
    session: Session,
    *,
    company: CompanyName,
    item: ItemId,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Kind and id, such as bill:145.")],
    version: Version = None,
) -> None:
    """Say which document or payment stands for an item now: the item is closed, and the record counts instead."""
    key = read_record_key(record)
    name = RecordName(kind=key.kind, external_id=key.external_id)
    change = PlannedItemChange(action=PlannedItemAct.FULFIL, record=name)
    _show_one(session, _act(session, company, item=item, change=change, version=version), "fulfilled")


@command(app, "drop", example='runway plan drop acme 7f3a --reason "paid by card"')
def drop_item(
    session: Session,
    *,
    company: CompanyName,
    item: ItemId,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it is added to the note.")] = None,
    version: Version = None,
) -> None:
    """Take an item out of all figures; it is kept, and `list --all` shows it."""
    change = PlannedItemChange(action=PlannedItemAct.DROP, note=reason)
    _show_one(session, _act(session, company, item=item, change=change, version=version), "dropped")


@command(app, "reopen", example="runway plan reopen acme 7f3a --on 2026-03-27")
def reopen_item(
    session: Session,
    *,
    company: CompanyName,
    item: ItemId,
    on: Day = None,
    version: Version = None,
) -> None:
    """Count a dropped or fulfilled item again, on its day or on another one."""
    change = PlannedItemChange(action=PlannedItemAct.REOPEN, on=None if on is None else read_day(on))
    _show_one(session, _act(session, company, item=item, change=change, version=version), "reopened")


def _act(
    session: Session, company: str, *, item: str, change: PlannedItemChange, version: int | None
) -> PlannedItemAnswer:
    async def act(runway: Runway) -> PlannedItemAnswer:
        found = await runway.companies.find(company)
        changed = await act_on_item(
            runway, found.company_id, item_id=item, change=change, actor=session.actor, version=version
        )
        await follow_change(runway, found.company_id)
        return PlannedItemAnswer(item=changed, state=changed.state_on(local_day(runway.scope.clock.now(), found)))

    return session.run(act)


def _show_one(session: Session, shown: PlannedItemAnswer, done: str) -> None:
    item = shown.item
    fields = {
        "Id": item.paper_id,
        "Day": item.on.isoformat(),
        "Amount": _say_flow(item),
        "State": "closed" if item.is_closed else shown.state.value,
        "Owner": item.owner,
        "Note": item.note or NONE_YET,
        "Version": f"{item.version}",
    }
    session.show(shown, lambda: fields_table(f"{item.label}: {done}", fields))
