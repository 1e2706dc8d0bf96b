"""`/v1/companies/{id}/scenarios` and `what-if`: what figures would be if some things were different."""

from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.decisions import Figures
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import to_amount
from runway_core.domain.outlook import Outlook
from runway_core.domain.scenarios import Scenario
from runway_core.experiences.view import CompanyHeading, View
from runway_core.services.scenarios import WhatIf
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.amounts import SentAmount
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import IfMatch, tag_of

router = APIRouter(prefix="/companies/{company_id}", tags=["scenarios"])


class RecordName(BaseModel):
    """Which record."""

    model_config = ConfigDict(extra="forbid")

    kind: RecordKind
    external_id: str = Field(max_length=128)


class AmendmentBody(BaseModel):
    """One thing that would be different. `amount` is in the record's currency, else in home currency."""

    model_config = ConfigDict(extra="forbid")

    action: AmendmentAction
    record: RecordName | None = None
    on: date | None = None
    amount: SentAmount | None = None
    label: str = Field("", max_length=200)

    def to_amendment(self) -> Amendment:
        """The same in the domain's words.

        Raises:
            InvalidRequest: an amount that cannot be kept.
        """
        return Amendment(
            action=self.action,
            record=None if self.record is None else RecordKey(self.record.kind, self.record.external_id),
            on=self.on,
            amount=None if self.amount is None else to_amount(self.amount),
            label=self.label,
        )


_DELAY: JsonDict = {"action": "pay_on", "record": {"kind": "bill", "external_id": "B4"}, "on": "2026-04-08"}


class Question(BaseModel):
    """What would be different."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"amendments": [_DELAY]}})

    amendments: list[AmendmentBody] = Field(min_length=1, max_length=200)


class NewScenario(Question):
    """A what-if to keep; the same name is the same scenario."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "B4 in April", "amendments": [_DELAY]}}
    )

    name: str = Field(max_length=200)
    note: str = Field("", max_length=2000)


class ScenarioList(View):
    """One page of kept scenarios, by name."""

    company: CompanyHeading
    items: tuple[Scenario, ...]
    has_more: bool
    next_cursor: str | None


class WhatIfAnswer(View):
    """The figures as they are and as they would be, from the books of the day."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    policy_version: int
    scenario: Scenario | None
    before: Figures
    after: Figures
    outlook: Outlook  # as it would be

    @classmethod
    def of(cls, found: WhatIf, scenario: Scenario | None = None) -> "WhatIfAnswer":
        """The answer to a question."""
        return cls(
            company=CompanyHeading.of(found.books.company),
            as_of=found.books.as_of,
            books_read_at=found.books.read_at,
            policy_version=found.books.policy.version,
            scenario=scenario,
            before=found.before,
            after=found.after,
            outlook=found.outlook,
        )


def _amendments(bodies: Sequence[AmendmentBody]) -> list[Amendment]:
    return [body.to_amendment() for body in bodies]


@router.post("/what-if", response_model=WhatIfAnswer)
async def ask_what_if(company_id: CompanyInPath, runway: RunwayOfApp, *, question: Question) -> Response:
    """What the figures would be. Nothing is kept, and books are never changed by a question."""
    return answer(WhatIfAnswer.of(await runway.scenarios.ask(company_id, _amendments(question.amendments))))


@router.get("/scenarios", response_model=ScenarioList)
async def list_scenarios(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """The kept scenarios of a company, by name."""
    company = await runway.companies.get(company_id)
    found = await runway.scenarios.list(company_id)
    page, next_cursor = cut_page(found, lambda s: (s.name.casefold(), s.paper_id), limit=limit, cursor=cursor)
    return answer(
        ScenarioList(
            company=CompanyHeading.of(company),
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.post("/scenarios", response_model=Scenario)
async def keep_scenario(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    scenario: NewScenario,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Keep a what-if by name, or replace the one of that name."""
    kept = await runway.scenarios.keep(
        company_id,
        scenario.name,
        _amendments(scenario.amendments),
        actor=actor,
        note=scenario.note,
        version=if_match,
    )
    company = await runway.companies.get(company_id)
    return answer(kept, currency=company.home_currency, headers=tag_of(kept))


@router.get("/scenarios/{scenario_id}", response_model=WhatIfAnswer)
async def show_scenario(company_id: CompanyInPath, runway: RunwayOfApp, *, scenario_id: str) -> Response:
    """A kept scenario with its figures from today's books."""
    scenario, found = await runway.scenarios.show(company_id, require_id(scenario_id, "scenario"))
    return answer(WhatIfAnswer.of(found, scenario), headers=tag_of(scenario))


@router.post("/scenarios/{scenario_id}/drop", response_model=Scenario)
async def drop_scenario(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    scenario_id: str,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Drop a scenario. Repeating is harmless."""
    dropped = await runway.scenarios.drop(
        company_id, require_id(scenario_id, "scenario"), actor=actor, version=if_match
    )
    company = await runway.companies.get(company_id)
    return answer(dropped, currency=company.home_currency, headers=tag_of(dropped))
