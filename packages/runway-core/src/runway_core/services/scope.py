"""What every service stands on: one store, one clock, one firm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company, Connection
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.kept_views import KeptView
from runway_core.domain.people import Caller, Need
from runway_core.domain.policy import Role
from runway_core.domain.position import Position
from runway_core.domain.sync_run import SyncRun
from runway_core.errors import NotAllowed, NotFound
from runway_core.ports.clock import Clock
from runway_core.ports.position_store import FindingCount
from runway_core.ports.store import Store


@dataclass(frozen=True, slots=True)
class Scope:
    """The firm whose companies may be seen, and the ports through which they are: the one door to companies.

    Companies of other firms do not exist here, nor those that are not assigned to the caller. No other module asks the
    store for companies, connections or positions of a firm (`tests/rules/test_doors.py`).

    caller  on whose behalf services work; None: Runway itself, or an app that knows its own users
    """

    store: Store
    clock: Clock
    firm_id: FirmId
    new_id: Callable[[], str]
    caller: Caller | None = None

    def sees(self, company_id: CompanyId) -> bool:
        """Whether the caller may see a company of the firm."""
        return self.caller is None or self.caller.sees(company_id)

    def demand(self, need: Need) -> None:
        """Refuse what the caller may not do.

        Raises:
            NotAllowed: role or key do not go so far.
        """
        if self.caller is not None and not self.caller.may(need):
            raise NotAllowed(
                f"this needs the right to {need.value}, which {self.caller.person_id!r} does not have here"
            )

    async def company(self, company_id: CompanyId, *, or_erased: bool = False) -> Company:
        """One company of the firm.

        Raises:
            NotFound: no such company in this firm, or it is not assigned to the caller.
            CompanyErased: it was erased, and the chain that is left of it was not asked for.
        """
        if not self.sees(company_id):
            raise NotFound(f"no company {company_id!r} in this firm")
        return await self.store.registry.company(self.firm_id, company_id, or_erased=or_erased)

    async def companies(self, *, with_erased: bool = False) -> Sequence[Company]:
        """All companies of the firm that the caller may see, by name, then id."""
        found = await self.store.registry.companies(self.firm_id, with_erased=with_erased)
        return found if self.caller is None else [company for company in found if self.sees(company.company_id)]

    async def connections(self, company_id: CompanyId | None = None) -> Sequence[Connection]:
        """The connections of one company, or of all that the caller may see, by company, then rail."""
        found = await self.store.registry.connections(self.firm_id, company_id)
        return found if self.caller is None else [held for held in found if self.sees(held.company_id)]

    async def position(self, company_id: CompanyId) -> Position | None:
        """The stored position of a company, if the caller may see it."""
        return await self.store.positions.position(self.firm_id, company_id) if self.sees(company_id) else None

    async def view(self, company_id: CompanyId, name: str) -> KeptView | None:
        """The view of a company that was kept last, if the caller may see it."""
        return await self.store.positions.view(self.firm_id, company_id, name) if self.sees(company_id) else None

    async def positions(self) -> Sequence[Position]:
        """The stored positions of the firm that the caller may see, by company id."""
        found = await self.store.positions.positions(self.firm_id)
        return found if self.caller is None else [held for held in found if self.sees(held.company_id)]

    async def findings_of_firm(
        self, check: str, states: frozenset[FindingState]
    ) -> Sequence[tuple[CompanyId, TrackedFinding]]:
        """The findings of one check of all companies that the caller may see, by company, then id."""
        found = await self.store.positions.findings_of_firm(self.firm_id, check=check, states=states)
        return found if self.caller is None else [held for held in found if self.sees(held[0])]

    async def count_findings(self, states: frozenset[FindingState]) -> Sequence[FindingCount]:
        """How many findings each company that the caller may see has by check and severity."""
        found = await self.store.positions.count_findings(self.firm_id, states=states)
        return found if self.caller is None else [held for held in found if self.sees(held.company_id)]

    async def companies_due(self) -> Sequence[CompanyId]:
        """The companies whose stored position is due, that the caller may see."""
        return [due for due in await self.store.mirror.companies_due(self.firm_id) if self.sees(due)]

    async def last_runs(self) -> Mapping[CompanyId, SyncRun]:
        """The latest pull of each company that the caller may see."""
        found = await self.store.registry.last_runs(self.firm_id)
        return {company_id: run for company_id, run in found.items() if self.sees(company_id)}

    async def count_quarantined(self) -> Mapping[CompanyId, int]:
        """How many records wait in quarantine, by company that the caller may see."""
        found = await self.store.registry.count_quarantined(self.firm_id)
        return {company_id: count for company_id, count in found.items() if self.sees(company_id)}

    def name_actor(self, said: str) -> str:
        """Who acts: the caller where there is one, whatever was said; else whom the embedding app names."""
        return said if self.caller is None else self.caller.person_id

    def name_role(self, said: Role) -> Role:
        """In which role: the caller's own where there is one."""
        return said if self.caller is None else self.caller.role

    def by_person(self, actor: str, correlation_id: str | None = None) -> Attribution:
        """An act of a person, or of the program on a person's behalf: the second door, behind that of the app.

        Raises:
            NotAllowed: the caller may only look.
        """
        self.demand(Need.DECIDE)
        return self.by_owner(actor, correlation_id)

    def by_manager(self, actor: str) -> Attribution:
        """The same for what settles how a company is looked after.

        Raises:
            NotAllowed: role or key of the caller do not go so far.
        """
        self.demand(Need.MANAGE)
        return self.by_owner(actor)

    def by_owner(self, actor: str, correlation_id: str | None = None) -> Attribution:
        """The same, where it was asked before whether the caller may."""
        return Attribution(
            cause=Cause.PERSON, actor=self.name_actor(actor), correlation_id=correlation_id or self.new_id()
        )


def local_day(moment: datetime, company: Company) -> date:
    """The calendar day of `moment` where the company is."""
    return moment.astimezone(ZoneInfo(company.time_zone)).date()
