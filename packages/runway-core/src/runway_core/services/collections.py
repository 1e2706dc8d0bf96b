"""Collections: whom to remind, and what people wrote down about it. No letter is sent from here."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from runway_core.calculators.collections import compute_collections
from runway_core.domain.collections import CollectionCase, CollectionNote, CollectionOutcome, CollectionStage
from runway_core.domain.identity import CompanyId
from runway_core.domain.invoices import Invoice
from runway_core.domain.money import to_amount
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.books import BooksService
from runway_core.services.papers import PaperDesk, clean_text, name_by
from runway_core.services.scope import Scope


class CollectionService:
    """Says whom to remind, and keeps notes of contacts: contacted, promised, disputed, paid."""

    def __init__(self, scope: Scope, books: BooksService) -> None:
        self._books = books
        self._desk = PaperDesk(scope)

    async def cases(self, company_id: CompanyId) -> Sequence[CollectionCase]:
        """Overdue invoices: those past the customer's habit first, then by what they would fund.

        Raises:
            NotFound: no such company in this firm.
        """
        return (await self._books.read(company_id)).derive(compute_collections)

    async def notes(
        self, company_id: CompanyId, *, invoice_id: str | None = None, include_closed: bool = False
    ) -> Sequence[CollectionNote]:
        """What was noted, the last changed first; of one invoice, or of all.

        Raises:
            NotFound: no such company in this firm.
        """
        notes = await self._desk.list(company_id, CollectionNote, include_closed=include_closed)
        return [note for note in notes if invoice_id is None or note.invoice_id == invoice_id]

    async def note(
        self,
        company_id: CompanyId,
        invoice_id: str,
        outcome: CollectionOutcome,
        *,
        actor: str,
        contacted_on: date | None = None,
        person: str = "",
        stage: CollectionStage = CollectionStage.NONE,
        promised_on: date | None = None,
        promised_amount: Decimal | None = None,
        reason: str = "",
        note: str = "",
    ) -> CollectionNote:
        """Write down a contact about an open invoice, of today unless told otherwise. The same note again is harmless.

        Raises:
            NotFound: no such company in this firm, or no such open invoice.
            InvalidRequest: a promise without person and coming day or of too much, a dispute without a reason, or a
                contact of a day to come.
        """
        books = await self._books.read(company_id)
        invoice = next((one for one in books.open_invoices if one.external_id == invoice_id), None)
        if invoice is None:
            raise NotFound(f"{books.company.name!r} has no open invoice {invoice_id!r}")
        values: dict[str, Any] = {
            "invoice_id": invoice_id,
            "customer_id": invoice.customer_id,
            "outcome": outcome,
            "stage": stage,
            "contacted_on": contacted_on or books.as_of,
            "person": clean_text(person, "the person"),
            "promised_on": promised_on,
            "promised_amount": None if promised_amount is None else to_amount(promised_amount),
            "reason": clean_text(reason, "the reason"),
            "note": clean_text(note, "the note"),
        }
        note_id = name_by("collection", *(str(value) for value in values.values()))
        made = self._desk.make(CollectionNote, note_id, actor=actor, values=values)
        held = await self._desk.find(company_id, CollectionNote, note_id)
        if held is not None and not held.is_closed:
            return held
        _demand_sense(made, invoice, books.as_of)
        if held is not None:
            made = self._desk.change(held, {"is_closed": False})
        return await self._desk.save(company_id, made, actor=actor)

    async def drop(
        self, company_id: CompanyId, note_id: str, *, actor: str, version: int | None = None
    ) -> CollectionNote:
        """Take a note back that was wrong; it is kept, and decides nothing any more. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such note.
            StaleRevision: it was changed since `version`.
        """
        held = await self._desk.read(company_id, CollectionNote, note_id, version=version)
        return await self._desk.save(company_id, self._desk.change(held, {"is_closed": True}), actor=actor)


def _demand_sense(note: CollectionNote, invoice: Invoice, today: date) -> None:
    if note.contacted_on > today:
        raise InvalidRequest(f"{note.contacted_on} is to come: write a contact down on its day")
    if note.outcome is CollectionOutcome.PROMISED:
        if note.promised_on is None or note.promised_on < note.contacted_on or not note.person:
            raise InvalidRequest("a promise needs the person who gave it, and the day it is promised for")
        if note.promised_amount is not None and not 0 < note.promised_amount <= invoice.open_balance:
            raise InvalidRequest(f"a promise is of some or all of the {invoice.open_balance:,.2f} that is open")
    elif note.promised_on is not None or note.promised_amount is not None:
        raise InvalidRequest("only a promise has a promised day or amount")
    if note.outcome is CollectionOutcome.DISPUTED and not note.reason:
        raise InvalidRequest("a dispute needs its reason: say what the customer disputes")
