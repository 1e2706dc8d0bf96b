"""`/companies/{id}/scenarios`: what if a bill left later, a customer paid later, or money moved that nobody booked yet?

The question stands in the address; it may be kept by name. Books are never changed by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.decisions import Figures
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.scenarios import Scenario
from runway_core.errors import InvalidRequest
from runway_core.experiences.wording import say_days
from runway_core.runway import Runway
from runway_core.services.scenarios import ScenarioSurvey
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, forget_empty, require_id
from runway_app_http.ui.company import company_address, company_page, read_heading
from runway_app_http.ui.console import draw_line, lay_out_moves
from runway_app_http.ui.figures import say_amount, say_change, say_day, say_money, say_weekday
from runway_app_http.ui.form_values import REFUSALS, read_actor, read_amount, read_day, read_version
from runway_app_http.ui.forms import Said, go_and_say, read_form
from runway_app_http.ui.rendering import name_record

router = APIRouter()

TAB = "/scenarios"
MOST_LISTED = 200
"""Open bills, and open invoices, that the page offers; the API takes any."""

_HORIZON = 91


class QuestionParams(BaseModel):
    """A question as it stands in an address: of each of its three parts all words, or none."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    bill: str = ""
    on: str = ""
    amount: str = ""  # empty: all of the bill
    invoice: str = ""
    expected: str = ""
    label: str = ""
    day: str = ""
    sum: str = ""
    way: str = "out"
    kept: str = ""  # a scenario that is kept, instead

    def to_amendments(self) -> list[Amendment]:
        """What would be different.

        Raises:
            InvalidRequest: a day or an amount that is none, or half of a part.
        """
        asked = []
        if self.on:
            bill = RecordKey(RecordKind.BILL, require_id(self.bill, "bill"))
            part = read_amount(self.amount)
            asked.append(Amendment(action=AmendmentAction.PAY_ON, record=bill, on=read_day(self.on), amount=part))
        if self.expected:
            invoice = RecordKey(RecordKind.INVOICE, require_id(self.invoice, "invoice"))
            asked.append(Amendment(action=AmendmentAction.EXPECT_ON, record=invoice, on=read_day(self.expected)))
        if self.day or self.sum:
            moved = read_amount(self.sum)
            if moved is None or moved <= 0:
                raise InvalidRequest("say how much would move, more than nil")
            asked.append(
                Amendment(
                    action=AmendmentAction.ADD,
                    on=read_day(self.day),
                    amount=moved if self.way == "in" else -moved,
                    label=self.label.strip()[:200] or "planned",
                )
            )
        return asked


Question = Annotated[QuestionParams, Query()]


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A scenario that is kept, with what it would make of today's books."""

    scenario: Scenario
    href: str
    parts: tuple[str, ...]
    runway: str
    change: str
    low: str


@router.get("/companies/{company_id}/scenarios")
async def show_scenarios(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, question: Question
) -> Response:
    """The question that is asked, and those that are kept."""
    return await _page(request, runway, company_id, question)


@router.post("/companies/{company_id}/scenarios")
async def post_scenario(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Keep the question by name."""
    fields = await read_form(request)
    question = QuestionParams.model_validate(forget_empty(dict(fields)))
    try:
        kept = await runway.scenarios.keep(
            company_id, fields.get("name", ""), question.to_amendments(), actor=read_actor(fields)
        )
    except REFUSALS as refused:
        return await _page(request, runway, company_id, question, refused=str(refused))
    return go_and_say(request, f"{company_address(company_id)}{TAB}?kept={kept.paper_id}", Said("scenariokept"))


@router.post("/companies/{company_id}/scenarios/{scenario_id}/drop")
async def drop_scenario(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, scenario_id: str
) -> Response:
    """Drop a kept scenario."""
    fields = await read_form(request)
    wanted = require_id(scenario_id, "scenario")
    try:
        await runway.scenarios.drop(company_id, wanted, actor=read_actor(fields), version=read_version(fields))
    except REFUSALS as refused:
        return await _page(request, runway, company_id, QuestionParams(), refused=str(refused))
    return go_and_say(request, f"{company_address(company_id)}{TAB}", Said("scenariodropped"))


async def _page(
    request: Request, runway: Runway, company_id: CompanyId, question: QuestionParams, *, refused: str = ""
) -> Response:
    view = await read_heading(runway, company_id)
    amendments: Sequence[Amendment] = ()
    try:
        if question.kept:
            amendments = (await runway.scenarios.get(company_id, require_id(question.kept, "scenario"))).amendments
        else:
            amendments = question.to_amendments()
    except REFUSALS as error:
        refused = refused or str(error)
    survey = await runway.scenarios.survey(company_id, amendments)
    shown = survey.asked.outlook if survey.asked else survey.outlook
    columns = [survey.before, *([survey.asked.after] if survey.asked else [])]
    values = {
        "question": question,
        "carried": {name: value for name, value in question.model_dump(exclude={"kept"}).items() if value},
        "parts": [say_part(part, survey.books) for part in amendments],
        "said": say_answer(survey) if survey.asked else "Nothing is supposed yet",
        "moves": lay_out_moves(columns, today=view.as_of, is_known=survey.outlook.runway.is_known),
        "chart": draw_line(shown),
        "weeks": shown.weeks,
        "kept": [_lay_out_kept(scenario, after, survey, company_id) for scenario, after in survey.kept],
        "bills": _list_open(survey.books, RecordKind.BILL),
        "invoices": _list_open(survey.books, RecordKind.INVOICE),
        "refused": refused,
    }
    return company_page(request, "scenarios.html", view, tab=TAB, status=422 if refused else 200, values=values)


def _list_open(books: Books, kind: RecordKind) -> list[tuple[str, str]]:
    """Open documents to choose from: id, and how people call it; by due day."""
    if kind is RecordKind.BILL:
        bills = sorted(books.open_bills, key=lambda one: (one.due_date or one.document_date, one.external_id))
        named = [(b.external_id, b.vendor_name, b.number, b.open_balance, b.currency) for b in bills]
    else:
        invoices = sorted(books.open_invoices, key=lambda one: (one.due_date or one.document_date, one.external_id))
        named = [(i.external_id, i.customer_name, i.number, i.open_balance, i.currency) for i in invoices]
    return [
        (external_id, f"{name or 'no name'} {number or external_id}, {say_amount(amount, currency)} {currency}")
        for external_id, name, number, amount, currency in named[:MOST_LISTED]
    ]


def _lay_out_kept(scenario: Scenario, after: Figures, survey: ScenarioSurvey, company_id: CompanyId) -> KeptLine:
    return KeptLine(
        scenario=scenario,
        href=f"{company_address(company_id)}{TAB}?{urlencode({'kept': scenario.paper_id})}",
        parts=tuple(say_part(part, survey.books) for part in scenario.amendments),
        runway=say_days(after.runway_days) if survey.outlook.runway.is_known else "not known",
        change=say_change(_count_days(after) - _count_days(survey.before)),
        low=f"{say_money(after.low_28_days)} on {say_day(after.low_28_days_on, survey.books.as_of)}",
    )


def _count_days(figures: Figures) -> int:
    return _HORIZON if figures.runway_days is None else figures.runway_days


def say_answer(survey: ScenarioSurvey) -> str:
    """What the question would change: "Then +5 days, +8,000.00 USD at the 28-day low"."""
    assert survey.asked is not None, "there is a question"
    after = survey.asked.after
    low = after.low_28_days - survey.before.low_28_days
    sign = "+" if low.amount > 0 else ""
    return (
        f"Then {say_change(_count_days(after) - _count_days(survey.before))}, {sign}{say_money(low)} at the 28-day low"
    )


def say_part(part: Amendment, books: Books) -> str:
    """One difference in words, verb first: "Pay bill B4 on Wed 8 Apr"."""
    record = "" if part.record is None else _name(part.record, books)
    day = "" if part.on is None else say_weekday(part.on, books.as_of)
    amount = "" if part.amount is None else say_amount(abs(part.amount), books.home)
    match part.action:
        case AmendmentAction.PAY_ON:
            return f"Pay {f'{amount} of ' if amount else ''}{record} on {day}"
        case AmendmentAction.EXPECT_ON:
            return f"Receive {record} on {day}"
        case AmendmentAction.SET_DUE:
            return f"Let {record} fall due on {day}"
        case AmendmentAction.REMOVE:
            return f"Leave out {record}"
        case AmendmentAction.REDUCE:
            return f"Reduce {record} by {amount}"
        case AmendmentAction.ADD:
            way = "Receive" if (part.amount or 0) > 0 else "Pay"
            return f"{way} {amount} on {day}: {part.label or 'planned'}"
        case AmendmentAction.ADJUST_CASH:
            return f"Add {amount} to cash" if (part.amount or 0) > 0 else f"Take {amount} off cash"


def _name(key: RecordKey, books: Books) -> str:
    numbers = {bill.key: bill.number for bill in books.open_bills if bill.key == key}
    numbers |= {invoice.key: invoice.number for invoice in books.open_invoices if invoice.key == key}
    return f"{key.kind.value} {numbers[key]}" if numbers.get(key) else name_record(key)
