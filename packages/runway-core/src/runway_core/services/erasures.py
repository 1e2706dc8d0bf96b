"""Erasing a company for good, as its client or the law may ask."""

from collections.abc import Sequence

from runway_core.domain.erasure import Erasure, ErasureSurvey
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import Need
from runway_core.errors import InvalidRequest
from runway_core.services.scope import Scope


class ErasureService:
    """Says what erasing would take, and does it. Only owners of a firm may."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def survey(self, company_id: CompanyId) -> ErasureSurvey:
        """What erasing a company would take; nothing is changed.

        Raises:
            NotFound: no such company in this firm.
            CompanyErased: it was erased already.
        """
        await self._scope.company(company_id)
        return await self._scope.store.erasures.survey(self._scope.firm_id, company_id)

    async def erase(self, company_id: CompanyId, *, confirmed: str, actor: str) -> Erasure:
        """Erase a company; it cannot be undone. Cut off at any moment, it goes on where it was when it is repeated.

        Args:
            company_id: whose.
            confirmed: the company's name, by which a person confirms which one is meant; its id too.
            actor: who asks, where nobody is signed in.

        Raises:
            NotFound: no such company in this firm.
            NotAllowed: the caller is no owner.
            InvalidRequest: another name, or entries of its log stand in clear.
            StoreUnavailable: it is erased, and the database's file could not be cleaned: repeat it.
        """
        company = await self._scope.company(company_id, or_erased=True)
        self._scope.demand(Need.ADMIN)
        held = await self._find(company_id)
        if held is None and confirmed not in (company.name, company_id):
            raise InvalidRequest(f"erasing cannot be undone: confirm it with the company's name, {company.name!r}")
        erasures, now = self._scope.store.erasures, self._scope.clock.now()
        if held is None:
            by = self._scope.by_owner(actor)
            await erasures.erase(self._scope.firm_id, company_id, attribution=by, at=now)
        if held is None or not held.is_finished:
            await erasures.finish(self._scope.firm_id, company_id, at=now)
        done = await self._find(company_id)
        assert done is not None, "what was erased is listed"
        return done

    async def list(self) -> Sequence[Erasure]:
        """The companies that were erased and that the caller could see, the first one first."""
        found = await self._scope.store.erasures.erased(self._scope.firm_id)
        return [one for one in found if self._scope.sees(one.company_id)]

    async def _find(self, company_id: CompanyId) -> Erasure | None:
        found = await self._scope.store.erasures.erased(self._scope.firm_id)
        return next((one for one in found if one.company_id == company_id), None)
