"""Earmarks: money that is set aside for one bill, and gone for all others."""

from collections.abc import Sequence
from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.money import to_amount
from runway_core.domain.policy import Earmark
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.papers import PaperDesk, clean_text
from runway_core.services.scope import Scope


class EarmarkService:
    """Keeps at most one earmark a bill; its id is the bill's."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId) -> Sequence[Earmark]:
        """What is set aside, by bill.

        Raises:
            NotFound: no such company in this firm.
        """
        return sorted(await self._desk.list(company_id, Earmark), key=lambda earmark: earmark.bill_id)

    async def set_aside(
        self, company_id: CompanyId, bill_id: str, amount: Decimal, *, actor: str, note: str = ""
    ) -> Earmark:
        """Set money aside for an open bill, in home currency; it replaces what was set aside for it before.

        Raises:
            NotFound: no such company in this firm, or no such bill.
            InvalidRequest: an amount of nil or less, or a bill that is paid.
        """
        company = await self._scope.company(company_id)
        key = RecordKey(RecordKind.BILL, bill_id)
        held = (await self._scope.store.mirror.read_records(company_id, [key])).get(key)
        if held is None or held.is_deleted or not isinstance(held.record, Bill):
            raise NotFound(f"{company.name!r} has no bill {bill_id!r}")
        if held.record.open_balance <= 0:
            raise InvalidRequest(f"bill {held.record.number or bill_id!r} is paid: nothing is set aside for it")
        if to_amount(amount) <= 0:
            raise InvalidRequest("the amount must be positive")
        values = {"bill_id": bill_id, "amount": to_amount(amount), "note": clean_text(note, "the note")}
        before = await self._desk.find(company_id, Earmark, bill_id)
        made = self._desk.make(Earmark, bill_id, actor=actor, values=values)
        earmark = made if before is None else self._desk.change(before, values | {"is_closed": False})
        return await self._desk.save(company_id, earmark, actor=actor)

    async def release(self, company_id: CompanyId, bill_id: str, *, actor: str) -> Earmark:
        """Let the money go for all bills again. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or nothing was set aside for that bill.
        """
        earmark = await self._desk.read(company_id, Earmark, bill_id)
        return await self._desk.save(company_id, self._desk.change(earmark, {"is_closed": True}), actor=actor)
