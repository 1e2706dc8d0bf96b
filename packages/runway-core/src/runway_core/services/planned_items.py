"""Planned items: money that only people know of. They are entered, confirmed, moved and dropped by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from runway_core.domain.bounds import MOST_DAYS
from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.money import to_amount
from runway_core.domain.planned_items import PlannedItem, PlannedItemState
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.papers import PaperDesk, clean_text, name_by
from runway_core.services.scope import Scope, local_day

_ENTERED = (
    "label", "on", "amount", "currency", "is_inflow", "is_financing", "owner", "note", "vendor_id", "customer_id",
)  # fmt: skip
"""What a person enters; the rest follows."""


@dataclass(frozen=True, slots=True)
class PlannedItemToday:
    """An item, and how far it can be believed today where the company is."""

    item: PlannedItem
    state: PlannedItemState


class PlannedItemService:
    """Keeps planned items. They change figures only; no rail is told of them."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId, *, include_closed: bool = False) -> Sequence[PlannedItemToday]:
        """A company's planned items by day, then label; dropped and fulfilled ones only on request.

        Raises:
            NotFound: no such company in this firm.
        """
        company = await self._scope.company(company_id)
        today = local_day(self._scope.clock.now(), company)
        items = await self._desk.list(company_id, PlannedItem, include_closed=include_closed)
        ordered = sorted(items, key=lambda item: (item.on, item.label, item.paper_id))
        return [PlannedItemToday(item, item.state_on(today)) for item in ordered]

    async def get(self, company_id: CompanyId, item_id: str) -> PlannedItem:
        """One item, closed or not.

        Raises:
            NotFound: no such company in this firm, or no such item.
        """
        return await self._desk.read(company_id, PlannedItem, item_id)

    async def add(
        self,
        company_id: CompanyId,
        *,
        label: str,
        on: date,
        amount: Decimal,
        actor: str,
        currency: str | None = None,
        is_inflow: bool = False,
        is_financing: bool = False,
        owner: str | None = None,
        note: str = "",
        vendor_id: str | None = None,
        customer_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> PlannedItem:
        """Enter an item. `amount` is positive, in home currency unless told otherwise; the owner answers for it.

        With an `idempotency_key`, entering the same item again gives the one that is there.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: no label, an amount of nil or less, a day in the past or over ten years away, or a key that
                named another item.
        """
        company = await self._scope.company(company_id)
        today = local_day(self._scope.clock.now(), company)
        item_id = self._scope.new_id() if idempotency_key is None else name_by("planned_item", idempotency_key)
        values: dict[str, Any] = {
            "label": clean_text(label, "what the money is for", is_needed=True),
            "on": on,
            "amount": to_amount(amount),
            "currency": currency or company.home_currency,
            "is_inflow": is_inflow,
            "is_financing": is_financing,
            "owner": clean_text(owner or self._scope.name_actor(actor), "the owner", is_needed=True),
            "note": clean_text(note, "the note"),
            "confirmed_on": today,
            "vendor_id": vendor_id,
            "customer_id": customer_id,
        }
        item = self._desk.make(PlannedItem, item_id, actor=actor, values=values)
        held = await self._desk.find(company_id, PlannedItem, item_id) if idempotency_key is not None else None
        if held is not None:
            if any(getattr(held, name) != getattr(item, name) for name in _ENTERED):
                raise InvalidRequest("this idempotency key has entered another planned item: use a new key")
            return held
        _demand_sense(item, company, today)
        return await self._desk.save(company_id, item, actor=actor)

    async def confirm(
        self, company_id: CompanyId, item_id: str, *, actor: str, version: int | None = None
    ) -> PlannedItem:
        """Say that an item still holds. Repeating on one day is harmless.

        Raises:
            NotFound: no such company in this firm, or no such item.
            StaleRevision: it was changed since `version`.
            InvalidRequest: it was dropped or fulfilled, or its day has passed: move it.
        """
        return await self._change(company_id, item_id, {}, actor=actor, version=version)

    async def move(
        self,
        company_id: CompanyId,
        item_id: str,
        *,
        on: date | None = None,
        amount: Decimal | None = None,
        note: str | None = None,
        owner: str | None = None,
        label: str | None = None,
        is_inflow: bool | None = None,
        is_financing: bool | None = None,
        actor: str,
        version: int | None = None,
    ) -> PlannedItem:
        """Put an item on another day, or enter anything else of it anew; that confirms it as well.

        Raises:
            NotFound: no such company in this firm, or no such item.
            StaleRevision: it was changed since `version`.
            InvalidRequest: an amount of nil or less, a day in the past or over ten years away, or an item that was
                dropped or fulfilled.
        """
        values: dict[str, Any] = {} if on is None else {"on": on}
        values |= {} if amount is None else {"amount": to_amount(amount)}
        values |= {} if note is None else {"note": clean_text(note, "the note")}
        values |= {} if owner is None else {"owner": clean_text(owner, "the owner", is_needed=True)}
        values |= {} if label is None else {"label": clean_text(label, "what the money is for", is_needed=True)}
        values |= {} if is_inflow is None else {"is_inflow": is_inflow}
        values |= {} if is_financing is None else {"is_financing": is_financing}
        return await self._change(company_id, item_id, values, actor=actor, version=version)

    async def drop(
        self, company_id: CompanyId, item_id: str, *, actor: str, reason: str = "", version: int | None = None
    ) -> PlannedItem:
        """Take an item out of all figures; it is kept, and shown on request. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such item.
            StaleRevision: it was changed since `version`.
        """
        item = await self._desk.read(company_id, PlannedItem, item_id, version=version)
        if item.is_closed:
            return item
        reason = clean_text(reason, "the reason")
        note = f"{item.note}\n{reason}".strip() if reason else item.note
        return await self._desk.save(
            company_id, self._desk.change(item, {"is_closed": True, "note": note}), actor=actor
        )

    async def reopen(
        self,
        company_id: CompanyId,
        item_id: str,
        *,
        on: date | None = None,
        actor: str,
        version: int | None = None,
    ) -> PlannedItem:
        """Count a dropped or fulfilled item again, on its day or on another one; that confirms it. Open ones stay.

        Raises:
            NotFound: no such company in this firm, or no such item.
            StaleRevision: it was changed since `version`.
            InvalidRequest: its day has passed: give it another one.
        """
        company = await self._scope.company(company_id)
        item = await self._desk.read(company_id, PlannedItem, item_id, version=version)
        if not item.is_closed:
            return item
        today = local_day(self._scope.clock.now(), company)
        again = {"is_closed": False, "fulfilled_by": None, "confirmed_on": today, "on": on or item.on}
        opened = self._desk.change(item, again)
        _demand_sense(opened, company, today)
        return await self._desk.save(company_id, opened, actor=actor)

    async def fulfil(
        self, company_id: CompanyId, item_id: str, record: RecordKey, *, actor: str, version: int | None = None
    ) -> PlannedItem:
        """Say which document or payment stands for an item now: it is closed, and the record counts instead.

        Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, no such item, or no such record in its books.
            StaleRevision: it was changed since `version`.
            InvalidRequest: it was dropped, or another record stands for it.
        """
        company = await self._scope.company(company_id)
        item = await self._desk.read(company_id, PlannedItem, item_id, version=version)
        if item.fulfilled_by == record:
            return item
        if item.is_closed:
            raise InvalidRequest(_say_closed(item))
        held = (await self._scope.store.mirror.read_records(company_id, [record])).get(record)
        if held is None or held.is_deleted:
            raise NotFound(f"{company.name!r} has no {record}")
        fulfilled = self._desk.change(item, {"is_closed": True, "fulfilled_by": record})
        return await self._desk.save(company_id, fulfilled, actor=actor)

    async def _change(
        self, company_id: CompanyId, item_id: str, values: dict[str, Any], *, actor: str, version: int | None
    ) -> PlannedItem:
        company = await self._scope.company(company_id)
        item = await self._desk.read(company_id, PlannedItem, item_id, version=version)
        if item.is_closed:
            raise InvalidRequest(_say_closed(item))
        today = local_day(self._scope.clock.now(), company)
        changed = self._desk.change(item, values | {"confirmed_on": today})
        _demand_sense(changed, company, today)
        return await self._desk.save(company_id, changed, actor=actor)


def _say_closed(item: PlannedItem) -> str:
    ended = f"is fulfilled by {item.fulfilled_by}" if item.fulfilled_by is not None else "was dropped"
    return f"{item.label!r} {ended}: reopen it, or enter a new planned item"


def _demand_sense(item: PlannedItem, company: Company, today: date) -> None:
    if item.amount <= 0:
        raise InvalidRequest("the amount must be positive: say with `is_inflow` that money comes in")
    if item.on < today:
        raise InvalidRequest(f"{item.on} has passed where {company.name!r} is: give a day from {today} on")
    if item.on - today > timedelta(days=MOST_DAYS):
        raise InvalidRequest(f"{item.on} is over {MOST_DAYS} days away: is the year right?")
