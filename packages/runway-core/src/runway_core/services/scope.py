"""What every service stands on: one store, one clock, one firm."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.ports.clock import Clock
from runway_core.ports.store import Store


@dataclass(frozen=True, slots=True)
class Scope:
    """The firm whose companies may be seen, and the ports through which they are.

    Companies of other firms do not exist here.
    """

    store: Store
    clock: Clock
    firm_id: FirmId
    new_id: Callable[[], str]

    async def company(self, company_id: CompanyId) -> Company:
        """One company of the firm.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self.store.registry.company(self.firm_id, company_id)

    def by_person(self, actor: str, correlation_id: str | None = None) -> Attribution:
        """An act of a person, or of the program on a person's behalf."""
        return Attribution(cause=Cause.PERSON, actor=actor, correlation_id=correlation_id or self.new_id())


def local_day(moment: datetime, company: Company) -> date:
    """The calendar day of `moment` where the company is."""
    return moment.astimezone(ZoneInfo(company.time_zone)).date()
