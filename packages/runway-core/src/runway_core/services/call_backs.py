"""Call-backs: noted calls to a number known from before, which confirm that payment details are the vendor's own."""

from collections.abc import Sequence

from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.policy import CallBack
from runway_core.errors import NotFound
from runway_core.services.papers import PaperDesk, clean_text
from runway_core.services.scope import Scope


class CallBackService:
    """Keeps the last call-back of each vendor; earlier ones are in the log."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId) -> Sequence[CallBack]:
        """The last call-back of each vendor, newest first.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.list(company_id, CallBack)

    async def note(
        self,
        company_id: CompanyId,
        vendor_id: str,
        *,
        spoke_to: str,
        number_called: str,
        details_tail: str = "",
        actor: str,
    ) -> CallBack:
        """Note a call: with whom, at which number known from before, and the end of the account number confirmed.

        Raises:
            NotFound: no such company in this firm, or no such vendor.
            InvalidRequest: no name, or no number.
        """
        company = await self._scope.company(company_id)
        key = RecordKey(RecordKind.VENDOR, vendor_id)
        held = (await self._scope.store.mirror.read_records(company_id, [key])).get(key)
        if held is None or held.is_deleted:
            raise NotFound(f"{company.name!r} has no vendor {vendor_id!r}")
        values = {
            "vendor_id": vendor_id,
            "spoke_to": clean_text(spoke_to, "whom you spoke to", is_needed=True),
            "number_called": clean_text(number_called, "the number you called", is_needed=True),
            "details_tail": clean_text(details_tail, "the end of the account number"),
        }
        before = await self._desk.find(company_id, CallBack, vendor_id)
        made = self._desk.make(CallBack, vendor_id, actor=actor, values=values)
        call = made if before is None else self._desk.change(before, values | {"is_closed": False})
        return await self._desk.save(company_id, call, actor=actor)
