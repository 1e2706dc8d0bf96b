"""Scenarios: what-ifs that are kept by name, and their figures from the books of the day."""

from collections.abc import Sequence
from dataclasses import dataclass

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.what_if import amend_outlook, read_figures
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.decisions import Figures
from runway_core.domain.identity import CompanyId
from runway_core.domain.outlook import Outlook
from runway_core.domain.scenarios import Scenario
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.books import BooksService
from runway_core.services.papers import PaperDesk, clean_text, demand_version, name_by
from runway_core.services.scope import Scope

_NEED_RECORD = frozenset(set(AmendmentAction) - {AmendmentAction.ADD, AmendmentAction.ADJUST_CASH})
_NEED_DAY = frozenset({AmendmentAction.SET_DUE, AmendmentAction.PAY_ON, AmendmentAction.EXPECT_ON, AmendmentAction.ADD})
_NEED_AMOUNT = frozenset({AmendmentAction.REDUCE, AmendmentAction.ADD, AmendmentAction.ADJUST_CASH})

MOST_AMENDMENTS = 200
"""A question of more parts than this is a budget."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The figures of the books as they are, and as they would be."""

    books: Books
    before: Figures
    after: Figures
    outlook: Outlook  # as it would be


@dataclass(frozen=True, slots=True)
class ScenarioSurvey:
    """A question beside the scenarios that are kept, all from one reading of the books."""

    books: Books
    outlook: Outlook  # as booked
    before: Figures
    asked: WhatIf | None  # None: nothing was asked
    kept: Sequence[tuple[Scenario, Figures]]  # by name, with what each would make of it


class ScenarioService:
    """Keeps scenarios and computes what-ifs. Books are never changed by one."""

    def __init__(self, scope: Scope, books: BooksService) -> None:
        self._books = books
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId) -> Sequence[Scenario]:
        """The kept scenarios of a company, by name.

        Raises:
            NotFound: no such company in this firm.
        """
        return sorted(await self._desk.list(company_id, Scenario), key=lambda s: (s.name.casefold(), s.paper_id))

    async def get(self, company_id: CompanyId, scenario_id: str) -> Scenario:
        """One kept scenario.

        Raises:
            NotFound: no such company in this firm, or no such scenario, or it was dropped.
        """
        scenario = await self._desk.read(company_id, Scenario, scenario_id)
        if scenario.is_closed:
            raise NotFound(f"the scenario {scenario.name!r} was dropped: keep it again")
        return scenario

    async def keep(
        self,
        company_id: CompanyId,
        name: str,
        amendments: Sequence[Amendment],
        *,
        actor: str,
        note: str = "",
        version: int | None = None,
    ) -> Scenario:
        """Keep amendments by name. The same name, whatever its case, is the same scenario: it is replaced.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: no name, nothing that would be different, or an amendment without what it needs.
            StaleRevision: the scenario was changed since `version`, or meanwhile.
        """
        name = clean_text(name, "the scenario's name", is_needed=True)
        demand_amendments(amendments)
        scenario_id = name_by("scenario", name.casefold())
        values = {"name": name, "note": clean_text(note, "the note"), "amendments": tuple(amendments)}
        made = self._desk.make(Scenario, scenario_id, actor=actor, values=values)
        before = await self._desk.find(company_id, Scenario, scenario_id) or made
        demand_version(before, version)
        kept = self._desk.change(before, values | {"is_closed": False})
        return await self._desk.save(company_id, kept, actor=actor)

    async def drop(
        self, company_id: CompanyId, scenario_id: str, *, actor: str, version: int | None = None
    ) -> Scenario:
        """Drop a scenario. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such scenario.
            StaleRevision: it was changed since `version`.
        """
        scenario = await self._desk.read(company_id, Scenario, scenario_id, version=version)
        return await self._desk.save(company_id, self._desk.change(scenario, {"is_closed": True}), actor=actor)

    async def ask(self, company_id: CompanyId, amendments: Sequence[Amendment]) -> WhatIf:
        """What the figures would be with `amendments`, which need not be kept.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: nothing that would be different, or an amendment without what it needs.
        """
        demand_amendments(amendments)
        return _ask(await self._books.read(company_id), amendments)

    async def survey(self, company_id: CompanyId, amendments: Sequence[Amendment] = ()) -> ScenarioSurvey:
        """The figures as booked, with `amendments` where there are some, and with each scenario that is kept.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: an amendment without what it needs.
        """
        if amendments:
            demand_amendments(amendments)
        books = await self._books.read(company_id)
        outlook = books.derive(compute_outlook)
        return ScenarioSurvey(
            books=books,
            outlook=outlook,
            before=read_figures(outlook),
            asked=_ask(books, amendments) if amendments else None,
            kept=[(one, _ask(books, one.amendments).after) for one in await self.list(company_id)],
        )

    async def show(self, company_id: CompanyId, scenario_id: str) -> tuple[Scenario, WhatIf]:
        """A kept scenario with its figures from today's books.

        Raises:
            NotFound: no such company in this firm, or no such scenario, or it was dropped.
        """
        scenario = await self.get(company_id, scenario_id)
        return scenario, await self.ask(company_id, scenario.amendments)


def _ask(books: Books, amendments: Sequence[Amendment]) -> WhatIf:
    outlook = books.derive(compute_outlook)
    changed = amend_outlook(books, books.derive(compute_cash), outlook, amendments)
    return WhatIf(books=books, before=read_figures(outlook), after=read_figures(changed), outlook=changed)


def demand_amendments(amendments: Sequence[Amendment]) -> None:
    """Refuse amendments that say nothing.

    Raises:
        InvalidRequest: there are none or too many, or one lacks its record, day or amount.
    """
    if not 0 < len(amendments) <= MOST_AMENDMENTS:
        raise InvalidRequest(f"say what would be different, in 1 to {MOST_AMENDMENTS} parts")
    for number, amendment in enumerate(amendments, start=1):
        action = amendment.action
        lacks = [
            what
            for what, kinds, held in (
                ("record", _NEED_RECORD, amendment.record),
                ("on", _NEED_DAY, amendment.on),
                ("amount", _NEED_AMOUNT, amendment.amount),
            )
            if action in kinds and held is None
        ]
        if lacks:
            raise InvalidRequest(f"part {number}, {action.value!r}, lacks {', '.join(lacks)}")
