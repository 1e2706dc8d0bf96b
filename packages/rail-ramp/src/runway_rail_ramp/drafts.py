"""Putting a bill before the people who approve payments in Ramp. The API can do no more, and no more is tried.

The draft bears the ledger's id of the bill as its `remote_id`: the same one that Ramp gives to a bill that it has from
the ledger itself. So whatever is there under that id is that bill, and nothing is written twice. Ramp itself keeps
nobody from making two drafts of one id, and has no key that makes a repeated call the same call: that is why all lists
are looked through first, row by row, since a filter that is not heard would show everything.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import date

import msgspec
from msgspec import UNSET, Raw, Struct
from runway_core.domain.changes import Change
from runway_core.domain.submissions import BillSubmission
from runway_core.errors import OutcomeUnknown, RailRefused
from runway_rail_kit import PageTrail

from runway_rail_ramp import wire
from runway_rail_ramp.faults import RAIL, TITLE
from runway_rail_ramp.mapping import to_bill
from runway_rail_ramp.money import MajorAmount
from runway_rail_ramp.transport import RampTransport, decode

LONGEST_NUMBER = 20


class _Named(Struct):
    id: str
    remote_id: str | None = None
    created_at: str | None = None
    archived_at: str | None = None
    accounting_vendor_remote_id: str | None = None
    is_active: bool = True


class DraftDesk:
    """Submits the bills of one business."""

    def __init__(self, transport: RampTransport) -> None:
        self._transport = transport

    async def submit(self, bill: BillSubmission) -> Change:
        """Submit a bill once, whatever happened before; see the port.

        Raises: as the port.
        """
        _check(bill)
        held = await self._find("bills", bill.ledger_bill_id)
        if held is not None:
            return to_bill(await self._transport.record(f"bills/{held.id}"))
        draft = await self._find("bills/drafts", bill.ledger_bill_id) or await self._make(bill)
        return await self._send_in(draft.id, bill.ledger_bill_id)

    async def _make(self, bill: BillSubmission) -> _Named:
        body = wire.Draft(
            vendor_id=await self._vendor_of(bill),
            entity_id=await self._entity(),
            invoice_number=bill.number,
            invoice_currency=bill.currency,
            issued_at=_write(bill.document_date),
            due_at=_write(bill.due_date),
            line_items=[
                wire.DraftLine(MajorAmount(line.amount, bill.currency), line.memo or UNSET) for line in bill.lines
            ],
            remote_id=bill.ledger_bill_id,
            enable_accounting_sync=True,
            memo=bill.memo or UNSET,
        )
        try:
            return decode(await self._transport.write("bills/drafts", body), _Named)
        except OutcomeUnknown:
            held = await self._find("bills/drafts", bill.ledger_bill_id)
            if held is None:
                raise
            return held

    async def _send_in(self, draft_id: str, remote_id: str) -> Change:
        try:
            raw = await self._transport.write(f"bills/drafts/{draft_id}/submit", {})
            decode(raw, _Named)
            return to_bill(raw)
        except OutcomeUnknown:
            held = await self._find("bills", remote_id)
            if held is None:
                raise
            return to_bill(await self._transport.record(f"bills/{held.id}"))

    async def _vendor_of(self, bill: BillSubmission) -> str:
        wanted = bill.ledger_vendor_id
        found = [
            one
            async for one in self._rows("vendors", {"accounting_vendor_remote_ids": wanted})
            if one.accounting_vendor_remote_id == wanted and one.is_active
        ]
        found = list({one.id: one for one in found}.values())  # a row may come twice
        if len(found) != 1:
            many = "no vendor that is" if not found else f"{len(found)} vendors that are"
            raise RailRefused(
                f"{TITLE} has {many} joined with the ledger's vendor {wanted!r}: join exactly one with it there",
                rail=RAIL,
            )
        return found[0].id

    async def _entity(self) -> str:
        page = await self._transport.page("entities", {})
        entities = [msgspec.json.decode(row, type=wire.Entity) for row in page.data]
        primary = [one for one in entities if one.is_primary] or entities
        if not primary:
            raise RailRefused(f"{TITLE} shows no entity of the business that could owe a bill", rail=RAIL)
        return primary[0].id

    async def _find(self, path: str, remote_id: str) -> _Named | None:
        """The oldest that bears the id, if any does."""
        found = [
            one
            async for one in self._rows(path, {"remote_id": remote_id})
            if one.remote_id == remote_id and one.archived_at is None
        ]
        return min(found, key=lambda one: (one.created_at or "", one.id), default=None)

    async def _rows(self, path: str, params: dict[str, str]) -> AsyncIterator[_Named]:
        page = await self._transport.page(path, params)
        trail = PageTrail(rail=RAIL, title=TITLE, doing=path)
        while True:
            for one in _read(page.data):
                yield one
            if page.page.next is None:
                return
            page = await self._transport.page_at(trail.follow(page.page.next))


def _read(rows: Iterable[Raw]) -> Iterable[_Named]:
    return [msgspec.json.decode(row, type=_Named) for row in rows]


def _check(bill: BillSubmission) -> None:
    if not bill.lines:
        raise RailRefused("a bill without lines cannot be submitted", rail=RAIL)
    if not 0 < len(bill.number) <= LONGEST_NUMBER:
        raise RailRefused(
            f"{TITLE} takes invoice numbers of 1 to {LONGEST_NUMBER} signs, not {bill.number!r}", rail=RAIL
        )


def _write(day: date) -> str:
    return day.isoformat()
