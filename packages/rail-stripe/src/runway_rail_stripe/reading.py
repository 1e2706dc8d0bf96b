"""What is read of an account: everything, what events tell of, the movements since, and what a sweep reads again.

An event is a reason to read its thing again, and nothing else is taken from it. Movements are only ever added, so each
is read once, and once more with the payout that lists it; a payout's list goes before the plain one.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw
from runway_core.domain.changes import Change, Deletion, RejectedRecord
from runway_core.domain.identity import RecordKey, RecordKind
from runway_rail_kit import UNREADABLE

from runway_rail_stripe import wire
from runway_rail_stripe.cursor import OVERLAP_SECONDS, Place
from runway_rail_stripe.faults import MISSING, NOT_LISTED, StripeFault
from runway_rail_stripe.mapping import map_row, to_charge, to_dispute, to_entry, to_payout, to_refund
from runway_rail_stripe.settings import StripeSettings
from runway_rail_stripe.transport import StripeTransport

EVENT_TYPES = ("charge.*", "refund.*", "payout.*", "invoice_payment.*")
MANY = 10
"""From so many new things of a kind on they are listed, not read one by one."""

INVOICE_LEAD_DAYS = 60
"""The link of a payment to its invoice may be so much older than the charge."""

DISPUTE_DAYS = 150
"""A dispute may go on for so long; a sweep looks at all of them."""

LISTED = "payout.reconciliation_completed"
DAY_S = 86_400

Mapped = Change | RejectedRecord
_event_decoder = msgspec.json.Decoder(wire.Event)
_payout_decoder = msgspec.json.Decoder(wire.Payout)
_named_decoder = msgspec.json.Decoder(wire.Named)
_charge_decoder = msgspec.json.Decoder(wire.Charge)
_link_decoder = msgspec.json.Decoder(wire.InvoicePayment)


@dataclass(slots=True)
class Touched:
    """What events tell of, by id; `since` is when the oldest of the new things was made."""

    ids: dict[RecordKind, dict[str, int]] = field(default_factory=dict)  # id → when it was made, nil: not told
    intents: set[str] = field(default_factory=set)  # of payments that were put to an invoice
    listed: set[str] = field(default_factory=set)  # payouts whose parts are known by now

    def add(self, kind: RecordKind, identifier: object, made_at: object = None) -> None:
        """Note one thing."""
        if isinstance(identifier, str) and identifier:
            at = made_at if isinstance(made_at, int) else 0
            held = self.ids.setdefault(kind, {})
            held[identifier] = max(at, held.get(identifier, 0))

    def of(self, kind: RecordKind) -> dict[str, int]:
        """The things of a kind."""
        return self.ids.get(kind, {})


@dataclass(slots=True)
class News:
    """What a pull brings before it is cut into pages."""

    changes: dict[RecordKey, Change] = field(default_factory=dict)
    rejected: list[RejectedRecord] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)

    def add(self, mapped: Mapped) -> None:
        """Take one row; of two of one key the later stands."""
        if isinstance(mapped, Change):
            self.changes[mapped.key] = mapped
        else:
            self.rejected.append(mapped)


class AccountReading:
    """Reads one account through its transport."""

    def __init__(self, transport: StripeTransport, settings: StripeSettings) -> None:
        self._transport = transport
        self._settings = settings

    # Events

    async def mark(self, now: int) -> Place:
        """Where the events stand before a whole reading: what changes meanwhile is told after it."""
        events = _read_events((await self._transport.page("events", _typed({}))).data)
        if not events:
            return Place(event_at=now - 3_600)  # an hour for clocks that differ
        return Place(event_at=1).see_events({event.id: event.created for event in events})

    async def events_since(self, place: Place) -> list[wire.Event]:
        """The events since, those of the overlap that were seen already among them."""
        since = {"created[gte]": str(place.event_at - OVERLAP_SECONDS)}
        found = [_read_events(rows) async for rows in self._transport.pages("events", _typed(since))]
        return [event for events in found for event in events]

    # Everything

    async def everything(self, seen: dict[str, int]) -> AsyncGenerator[Sequence[Mapped]]:
        """Every row of the account, batch by batch; `seen` takes when each movement was made."""
        since = self._bounds()
        numbers = await self._numbers({})
        async for payouts in self._transport.pages("payouts", since):
            yield [map_row(bytes(row), RecordKind.PAYOUT, to_payout) for row in payouts]
            async for parts in self._parts_of(payouts, seen):
                yield parts
        async for rows in self._transport.pages("balance_transactions", since):
            yield self._map_entries((row for row in rows if _id_of(row) not in seen), seen)
        read_charge = partial(to_charge, numbers=numbers)
        async for rows in self._transport.pages("charges", since, expand=("data.customer",)):
            yield [map_row(bytes(row), RecordKind.CHARGE, read_charge) for row in rows]
        for path, kind, read in _PLAIN:
            async for rows in self._transport.pages(path, since):
                yield [map_row(bytes(row), kind, read) for row in rows]

    def _bounds(self, since: int = 0) -> dict[str, str]:
        first = self._settings.read_from
        days = 0 if first is None else (first.toordinal() - _EPOCH_DAY) * DAY_S
        earliest = max(since, days)
        return {"created[gte]": str(earliest)} if earliest else {}

    async def _parts_of(self, payouts: Iterable[Raw], seen: dict[str, int]) -> AsyncGenerator[Sequence[Mapped]]:
        """The parts of those that list them, as many at once as the budget allows."""
        read = [_try(_payout_decoder, row) for row in payouts]
        ids = [payout.id for payout in read if payout is not None and payout.can_be_listed]
        size = self._settings.calls_at_once
        for start in range(0, len(ids), size):
            together = [self.parts(payout_id, seen) for payout_id in ids[start : start + size]]
            for parts in await asyncio.gather(*together):
                yield parts

    async def parts(self, payout_id: str, seen: dict[str, int]) -> Sequence[Mapped]:
        """The movements that a payout lists; none while it does not list them."""
        try:
            rows = [
                row
                async for page in self._transport.pages("balance_transactions", {"payout": payout_id})
                for row in page
            ]
        except StripeFault as fault:
            if fault.code in {NOT_LISTED, MISSING}:
                return ()
            raise
        return self._map_entries(rows, seen, payout_id=payout_id)

    def _map_entries(
        self, rows: Iterable[Raw], seen: dict[str, int], *, payout_id: str | None = None
    ) -> Sequence[Mapped]:
        read = partial(to_entry, payout_id=payout_id)
        mapped = []
        for row in rows:
            named = _try(_named_decoder, row)
            if named is not None:
                seen[named.id] = named.created or 0
            mapped.append(map_row(bytes(row), RecordKind.PROCESSOR_ENTRY, read))
        return mapped

    # News

    async def read_touched(self, touched: Touched, news: News, seen: dict[str, int]) -> None:
        """Read again what events tell of. What is not there any more is gone."""
        for path, kind, read in (*_PLAIN, ("payouts", RecordKind.PAYOUT, to_payout)):
            async for row in self._things(path, touched.of(kind), kind=kind, news=news):
                news.add(map_row(row, kind, read))
        for payout_id in sorted(touched.listed):
            for mapped in await self.parts(payout_id, seen):
                news.add(mapped)
        await self._read_charges(touched, news)

    async def _read_charges(self, touched: Touched, news: News) -> None:
        ids = touched.of(RecordKind.CHARGE)
        rows = [
            row async for row in self._things("charges", ids, kind=RecordKind.CHARGE, news=news, expand=("customer",))
        ]
        held = {intent for row in rows if (intent := _intent_of(row)) is not None}
        for intent in sorted(touched.intents - held):
            async for page in self._transport.pages("charges", {"payment_intent": intent}, expand=("data.customer",)):
                rows += [bytes(row) for row in page]
        await self._put_charges(rows, news, since=min((at for at in ids.values() if at), default=0))

    async def _put_charges(self, rows: Sequence[bytes], news: News, *, since: int) -> None:
        """Add charges, with the numbers of the invoices they pay."""
        intents = {intent for row in rows if (intent := _intent_of(row)) is not None}
        numbers: Mapping[str, str] = {}
        if len(intents) > MANY and since:
            numbers = await self._numbers({"created[gte]": str(since - INVOICE_LEAD_DAYS * DAY_S)})
        elif intents:
            numbers = await self._numbers_of(intents)
        read = partial(to_charge, numbers=numbers)
        for row in rows:
            news.add(map_row(row, RecordKind.CHARGE, read))

    async def _things(
        self,
        path: str,
        ids: Mapping[str, int],
        *,
        kind: RecordKind,
        news: News,
        expand: Sequence[str] = (),
    ) -> AsyncIterator[bytes]:
        """The things with these ids as they are now: many new ones from a list, the others one by one."""
        left = dict(ids)
        made = [at for at in ids.values() if at]
        if len(ids) > MANY and made:
            listing = self._transport.pages(
                path, {"created[gte]": str(min(made))}, expand=tuple(f"data.{name}" for name in expand)
            )
            async for rows in listing:
                for row in rows:
                    if left.pop(_id_of(row) or "", None) is not None:
                        yield bytes(row)
                if not left:
                    break
        for identifier in left:
            try:
                yield await self._transport.read(f"{path}/{identifier}", expand=expand)
            except StripeFault as fault:
                if fault.code != MISSING:
                    raise
                news.deletions.append(Deletion(RecordKey(kind, identifier)))

    async def read_feed(self, place: Place, news: News, seen: dict[str, int]) -> dict[str, int]:
        """The movements since, but for those that a payout just listed; answers when each was made."""
        made: dict[str, int] = {}
        since = self._bounds(place.entry_at)
        async for rows in self._transport.pages("balance_transactions", since):
            fresh = [row for row in rows if (name := _id_of(row)) not in seen and name not in place.entries]
            for mapped in self._map_entries(fresh, made):
                news.add(mapped)
        return made

    # Sweeps

    async def sweep(self, now: int, news: News, seen: dict[str, int]) -> None:
        """Read again what is young enough to change though no event tells of it."""
        since = self._bounds(now - self._settings.sweep_days * DAY_S)
        async for payouts in self._transport.pages("payouts", since):
            for row in payouts:
                news.add(map_row(bytes(row), RecordKind.PAYOUT, to_payout))
            async for parts in self._parts_of(payouts, seen):
                for mapped in parts:
                    news.add(mapped)
        for path, kind, read in _PLAIN:
            bounds = since if kind is RecordKind.REFUND else self._bounds(now - DISPUTE_DAYS * DAY_S)
            async for rows in self._transport.pages(path, bounds):
                for row in rows:
                    news.add(map_row(bytes(row), kind, read))
        lead = self._bounds(now - (self._settings.sweep_days + INVOICE_LEAD_DAYS) * DAY_S)
        read_charge = partial(to_charge, numbers=await self._numbers(lead))
        async for rows in self._transport.pages("charges", since, expand=("data.customer",)):
            for row in rows:
                news.add(map_row(bytes(row), RecordKind.CHARGE, read_charge))

    # Invoices

    async def numbers_of_charge(self, raw: bytes) -> Mapping[str, str]:
        """The number of the invoice that one charge pays, if it pays one."""
        intent = _intent_of(raw)
        return await self._numbers_of({intent}) if intent is not None else {}

    async def _numbers(self, bounds: Mapping[str, str]) -> Mapping[str, str]:
        """The number of the invoice of each payment in a time, by payment intent or charge."""
        if not self._settings.reads_invoices:
            return {}
        numbers: dict[str, str] = {}
        async for rows in self._transport.pages("invoice_payments", bounds, expand=("data.invoice",)):
            for row in rows:
                numbers |= _number_in(row)
        return numbers

    async def _numbers_of(self, intents: Iterable[str]) -> Mapping[str, str]:
        if not self._settings.reads_invoices:
            return {}
        numbers: dict[str, str] = {}
        for intent in sorted(intents):
            asked = {"payment[type]": "payment_intent", "payment[payment_intent]": intent, "expand[0]": "data.invoice"}
            for row in (await self._transport.page("invoice_payments", asked, limit=1)).data:
                numbers |= _number_in(row)
        return numbers


_EPOCH_DAY = 719_163  # 1970-01-01 as an ordinal

_PLAIN: tuple[tuple[str, RecordKind, Callable[[bytes], Change]], ...] = (
    ("refunds", RecordKind.REFUND, to_refund),
    ("disputes", RecordKind.DISPUTE, to_dispute),
)

_KINDS = {
    "charge": RecordKind.CHARGE,
    "refund": RecordKind.REFUND,
    "dispute": RecordKind.DISPUTE,
    "payout": RecordKind.PAYOUT,
}


def kind_of(noun: object) -> RecordKind | None:
    """The kind of a thing by Stripe's noun; `None` for what is not mirrored."""
    return _KINDS.get(noun) if isinstance(noun, str) else None


def find_touched(events: Iterable[wire.Event]) -> Touched:
    """What these events tell of. A refund and a dispute change their charge as well."""
    touched = Touched()
    for event in events:
        thing = event.data.object
        kind = kind_of(thing.get("object"))
        if kind is not None:
            touched.add(kind, thing.get("id"), thing.get("created"))
        if kind in {RecordKind.REFUND, RecordKind.DISPUTE}:
            touched.add(RecordKind.CHARGE, _plain_id(thing.get("charge")))
        if event.type == LISTED and isinstance(thing.get("id"), str):
            touched.listed.add(thing["id"])
        if thing.get("object") == "invoice_payment":
            payment = thing.get("payment")
            intent = _plain_id(payment.get("payment_intent")) if isinstance(payment, Mapping) else None
            touched.intents |= {intent} if intent else set()
    return touched


def _read_events(rows: Iterable[Raw]) -> list[wire.Event]:
    """The events that can be read. What the others tell of is found by the next sweep: one must not stop the feed."""
    return [event for row in rows if (event := _try(_event_decoder, row)) is not None]


def _plain_id(thing: object) -> str | None:
    found = thing.get("id") if isinstance(thing, Mapping) else thing
    return found if isinstance(found, str) and found else None


def _typed(params: Mapping[str, str]) -> dict[str, str]:
    return {**params, **{f"types[{place}]": name for place, name in enumerate(EVENT_TYPES)}}


def _try(decoder: "msgspec.json.Decoder[Any]", row: Raw) -> Any:
    try:
        return decoder.decode(row)
    except UNREADABLE:
        return None


def _id_of(row: Raw) -> str | None:
    named = _try(_named_decoder, row)
    return None if named is None else named.id


def _intent_of(raw: bytes) -> str | None:
    charge = _try(_charge_decoder, Raw(raw))
    return None if charge is None else wire.id_of(charge.payment_intent)


def _number_in(row: Raw) -> dict[str, str]:
    link = _try(_link_decoder, row)
    invoice = None if link is None else link.invoice
    if not isinstance(invoice, wire.Invoice) or not invoice.number:
        return {}
    paid = (wire.id_of(link.payment.payment_intent), wire.id_of(link.payment.charge))
    return {name: invoice.number for name in paid if name is not None}
