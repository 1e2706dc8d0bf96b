"""The console's boxes: bills that are ticked, checked as a whole, and decided in one form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from runway_core.calculators.proposed_decisions import BatchCheck
from runway_core.domain.decisions import RuleResult
from runway_core.domain.policy import Ruling
from runway_core.errors import InvalidRequest
from runway_core.experiences.console import ConsoleBill, ConsoleView
from runway_core.services.decision_batches import MOST_BILLS, BillChoice, DecidedBatch
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.following import follow_change
from runway_app_http.ui.console import Batch, BatchLine, BatchReport, console_page
from runway_app_http.ui.figures import say_weekday
from runway_app_http.ui.form_values import REFUSALS, read_actor, read_amount, read_day
from runway_app_http.ui.forms import read_boxes

router = APIRouter()

MOST_FIELDS = 3 * MOST_BILLS + 20


@dataclass(frozen=True, slots=True)
class _Ticked:
    choices: Sequence[BillChoice]
    reason: str


@router.post("/companies/{company_id}/console/batch")
async def post_batch(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Check the ticked bills together, or decide about all of them; the page reports each on its own."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        ticked = _read_ticked(boxes, fields)
        if fields.get("action") == "decide":
            batch = await runway.decision_batches.decide(
                company_id, ticked.choices, actor=read_actor(fields), reason=ticked.reason
            )
            await follow_change(runway, company_id)
            before = await runway.console(company_id)
            return console_page(request, before, report=_report(batch, before))
        checked = await runway.decision_batches.check(company_id, ticked.choices)
    except REFUSALS as refused:
        return console_page(request, await runway.console(company_id), refused=str(refused))
    view = await runway.console(company_id)
    return console_page(request, view, batch=_lay_out(checked, view, reason=ticked.reason))


def _read_ticked(boxes: Mapping[str, Sequence[str]], fields: Mapping[str, str]) -> _Ticked:
    """The ticked bills, each on the day and over the amount beside it; as proposed where nothing is.

    Raises:
        InvalidRequest: nothing is ticked, or a day or an amount that is none.
    """
    bills = list(dict.fromkeys(boxes.get("bill", ())))
    if not bills:
        raise InvalidRequest("tick the bills that are to be checked together")
    choices = []
    for bill_id in bills:
        day = fields.get(f"on.{bill_id}", "").strip()
        amount = read_amount(fields.get(f"amount.{bill_id}", ""))
        choices.append(BillChoice(bill_id, on=read_day(day) if day else None, amount=amount))
    return _Ticked(choices, fields.get("reason", ""))


def _lay_out(checked: BatchCheck, view: ConsoleView, *, reason: str) -> Batch:
    bills = {bill.bill_id: bill for bill in view.ready}
    lines = tuple(
        BatchLine(
            bill=bills[judged.payment.bill_id],
            on=judged.payment.on,
            amount=judged.payment.amount,
            ruling=judged.ruling,
            results=judged.results,
        )
        for judged in checked.judged
        if judged.payment.bill_id in bills
    )
    return Batch(
        lines=lines,
        ruling=checked.ruling,
        before=checked.before,
        after=checked.after,
        outlook=checked.outlook,
        reason=reason,
    )


def _report(batch: DecidedBatch, view: ConsoleView) -> BatchReport:
    names: dict[str, ConsoleBill] = {bill.bill_id: bill for bill in (*view.ready, *view.held)}
    decided = {one.decision.bill_id: one for one in view.decisions}
    lines = []
    for outcome in batch.outcomes:
        bill_id = outcome.choice.bill_id
        named = names.get(bill_id) or decided.get(bill_id)
        name = f"{named.vendor_name or 'no vendor'} {named.number or bill_id}" if named else bill_id
        said = f"not decided: {outcome.error}".rstrip(".")
        if outcome.decision is not None:
            (part,) = outcome.decision.payments
            day = say_weekday(part.on, view.as_of)
            said = f"{outcome.decision.outcome.value} {day}{_say_wanting(outcome.decision.results)}"
        lines.append((name, said, outcome.decision is not None))
    return BatchReport(tuple(lines), before=batch.before, after=batch.after)


def _say_wanting(results: Sequence[RuleResult]) -> str:
    roles = sorted({role.value for result in results if result.ruling is Ruling.NEED_APPROVAL for role in result.roles})
    return f", wants approval by {' and '.join(roles)}" if roles else ""
