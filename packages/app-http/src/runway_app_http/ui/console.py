"""`/companies/{id}/console`: what should we do next? Ready bills in proposed order beside the cash line.

Moving a bill shows the figures and the line as they would be: by a form without script, at once with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from markupsafe import Markup
from runway_core.domain.decisions import Figures, RuleResult
from runway_core.domain.identity import CompanyId
from runway_core.domain.outlook import Outlook
from runway_core.domain.policy import Role, Ruling
from runway_core.errors import InvalidRequest, NotFound
from runway_core.experiences.console import ConsoleBill, ConsoleView
from runway_core.experiences.letters import write_letter
from runway_core.experiences.wording import say_days
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.answers import answer
from runway_app_http.api.bills import BillsShown, gather_bills
from runway_app_http.plain import to_plain
from runway_app_http.ui.charts import draw_cash_line
from runway_app_http.ui.company import company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_amount, say_change, say_day, say_money, say_weekday
from runway_app_http.ui.form_values import read_amount, read_day

router = APIRouter()

MOST_ROWS = 200
"""Rows of one table on the page; the CSV has all."""

_HORIZON = 91
RULING_SIGNS = {
    Ruling.BLOCK: "\N{BLACK DOWN-POINTING TRIANGLE}",
    Ruling.NEED_APPROVAL: "\N{BLACK DIAMOND}",
    Ruling.WARN: "\N{WHITE DIAMOND}",
    Ruling.ALLOW: "\N{BLACK CIRCLE}",
}
RULING_WORDS = {
    Ruling.BLOCK: "blocks",
    Ruling.NEED_APPROVAL: "wants approval",
    Ruling.WARN: "warns",
    Ruling.ALLOW: "passes",
}
RULING_TONES = {
    Ruling.BLOCK: "critical",
    Ruling.NEED_APPROVAL: "high",
    Ruling.WARN: "medium",
    Ruling.ALLOW: "low",
}

CSV_COLUMNS = (
    "bill_id", "number", "vendor_id", "vendor_name", "open_balance.amount", "open_balance.currency", "document_date",
    "due_date", "pay_by", "days_to_due", "held_back", "proposed.outcome", "proposed.release_on", "proposed.on",
    "proposed.tier", "proposed.ruling", "proposed.reason",
)  # fmt: skip
DECIDED_COLUMNS = (
    "decision.paper_id", "decision.bill_id", "number", "vendor_name", "decision.outcome", "decision.state",
    "decision.payments", "decision.escalated_to", "decision.reason", "needs", "decision.policy_version",
    "decision.changed_at", "decision.changed_by",
)  # fmt: skip
COLLECTION_COLUMNS = (
    "invoice_id", "number", "customer_id", "customer_name", "owed.amount", "owed.currency", "due", "days_late",
    "usually_within", "surprise", "funds_days", "stage", "stage_since", "person", "last_contact_on", "promised_on",
    "is_promise_broken", "dispute", "step", "advice",
)  # fmt: skip
BILL_COLUMNS = (
    "external_id", "number", "vendor_id", "vendor_name", "open_balance", "total", "currency", "document_date",
    "due_date", "memo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MovedBill:
    """A bill that somebody moves on the page, as the address has it: which, to which day, how much of it."""

    bill: str
    on: str
    amount: str  # empty: all of it


@dataclass(frozen=True, slots=True)
class Asked:
    """What moving a bill would do, from one reading of the books."""

    moved: MovedBill
    name: str  # what people call the bill
    results: tuple[RuleResult, ...]
    booked: Outlook
    is_known: bool
    before: Figures
    proposed: Figures
    after: Figures
    outlook: Outlook  # with the bill moved


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One bill of a batch, as it was chosen, with what the rules say of it beside the others."""

    bill: ConsoleBill
    on: date
    amount: Decimal
    ruling: Ruling
    results: tuple[RuleResult, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Bills that were checked together, and the figures with all of them."""

    lines: tuple[BatchLine, ...]
    ruling: Ruling
    before: Figures
    after: Figures
    outlook: Outlook
    reason: str


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of each bill of a batch: its name, what was done, and whether it was decided."""

    lines: tuple[tuple[str, str, bool], ...]
    before: Figures
    after: Figures


BillMoved = Annotated[str, Query(max_length=128)]
DayMoved = Annotated[str, Query(max_length=40)]


@router.get("/companies/{company_id}/console")
async def show_console(
    request: Request,
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    bill: BillMoved = "",
    on: DayMoved = "",
    amount: DayMoved = "",
) -> Response:
    """The console of one company; with a bill and a day, as it would be if the bill were paid then."""
    view = await runway.console(company_id)
    if not bill or not on:
        return console_page(request, view)
    try:
        return console_page(request, view, asked=await _ask(runway, company_id, MovedBill(bill, on, amount)))
    except (InvalidRequest, NotFound) as refused:
        return console_page(request, view, refused=str(refused))


@router.get("/companies/{company_id}/console/what-if")
async def answer_what_if(
    company_id: CompanyInPath, runway: RunwayOfApp, *, bill: BillMoved, on: DayMoved, amount: DayMoved = ""
) -> Response:
    """The same for the page's script: the figures in words, and the cash line drawn anew."""
    asked = await _ask(runway, company_id, MovedBill(bill, on, amount))
    figures = (asked.before, asked.proposed, asked.after)
    return answer(
        {
            "moves": lay_out_moves(figures, today=asked.booked.as_of, is_known=asked.is_known),
            "said": say_move(asked),
            "rules": [f"{RULING_WORDS[r.ruling]}: {r.reason}" for r in asked.results if r.ruling is not Ruling.ALLOW],
            "chart": str(draw_line(asked.outlook)),
        }
    )


@router.get("/companies/{company_id}/console.csv")
async def save_console(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Ready and held bills, in proposed order."""
    view = await runway.console(company_id)
    rows = (to_plain(bill) for bill in (*view.ready, *view.held))
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-decisions.csv")


@router.get("/companies/{company_id}/decided.csv")
async def save_decided(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Decisions with their steps' end, recorded and withdrawn ones too."""
    view = await runway.console(company_id)
    rows = (to_plain(one) for one in view.decisions)
    return csv_answer(DECIDED_COLUMNS, rows, file_name=f"{file_stem(view)}-decided.csv")


@router.get("/companies/{company_id}/collections.csv")
async def save_collections(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Overdue invoices, each against its customer's own habit."""
    view = await runway.console(company_id)
    rows = (to_plain(case) for case in view.collection_cases)
    return csv_answer(COLLECTION_COLUMNS, rows, file_name=f"{file_stem(view)}-collections.csv")


@router.get("/companies/{company_id}/bills.csv")
async def save_bills(
    company_id: CompanyInPath, runway: RunwayOfApp, show: Annotated[BillsShown, Query()] = BillsShown.OPEN
) -> Response:
    """Open bills, by due date."""
    items = await gather_bills(runway, company_id, show=show)
    return csv_answer(BILL_COLUMNS, (to_plain(item.bill) for item in items), file_name="bills.csv")


async def _ask(runway: Runway, company_id: CompanyId, moved: MovedBill) -> Asked:
    """What moving a bill would do.

    Raises:
        InvalidRequest: a day or an amount that is none.
        NotFound: no such open bill.
    """
    day, amount = read_day(moved.on), read_amount(moved.amount)
    checked = await runway.decisions.move(company_id, moved.bill, day, amount=amount)
    ground = checked.proposed.ground
    bill = ground.payables[moved.bill].bill
    return Asked(
        moved=moved,
        name=bill.number or bill.external_id,
        results=checked.judged[0].results,
        booked=ground.outlook,
        is_known=ground.outlook.runway.is_known,
        before=checked.before,
        proposed=checked.proposed.proposal.after,
        after=checked.after,
        outlook=checked.outlook,
    )


def lay_out_moves(columns: Sequence[Figures], *, today: date, is_known: bool) -> list[dict[str, str]]:
    """The figures that decisions move: as booked, as proposed, and as asked where asked; each ready to be read."""
    days = [say_days(figures.runway_days) if is_known else "not known" for figures in columns]
    breaches = [_say_breach(figures, today) for figures in columns]
    lows = [f"{say_money(f.low_28_days)} on {say_day(f.low_28_days_on, today)}" for f in columns]
    return [
        {"name": name, **dict(zip(("booked", "proposed", "asked"), [*values, ""], strict=False))}
        for name, values in (("Runway", days), ("Buffer breached", breaches), ("28-day low", lows))
    ]


def _say_breach(figures: Figures, today: date) -> str:
    return "no breach in sight" if figures.buffer_breach_on is None else say_day(figures.buffer_breach_on, today)


def say_move(asked: Asked) -> str:
    """One sentence, verb first, with the gain: "Pay BA-1042 on Wed 8 Apr: +5 days, +8,000.00 at the low"."""
    gained = _count_days(asked.after) - _count_days(asked.before)
    low = asked.after.low_28_days - asked.before.low_28_days
    sign = "+" if low.amount > 0 else ""
    day = say_weekday(read_day(asked.moved.on), asked.booked.as_of)
    return f"Pay {asked.name} on {day}: {say_change(gained)}, {sign}{say_money(low)} at the 28-day low"


def _count_days(figures: Figures) -> int:
    return _HORIZON if figures.runway_days is None else figures.runway_days


def draw_line(shown: ConsoleView | Outlook) -> Markup:
    """The cash line as booked, or of an outlook with a bill moved."""
    home = shown.opening_cash.currency
    buffer = shown.opening_cash.amount - shown.available_cash.amount
    label = (
        f"Cash day by day in {home}: {say_amount(shown.opening_cash.amount, home)} on {say_day(shown.as_of)}, lowest "
        f"in 28 days {say_amount(shown.low_28_days.amount, home)} on {say_day(shown.low_28_days_on)}. "
        "The table of weeks has the figures."
    )
    return draw_cash_line(shown.days, currency=home, floor=buffer, label=label)


def console_page(
    request: Request,
    view: ConsoleView,
    *,
    asked: Asked | None = None,
    batch: Batch | None = None,
    report: BatchReport | None = None,
    refused: str = "",
) -> Response:
    """Lay the console out; `refused` says why the act before was not done, `report` what became of a batch."""
    tried = asked or batch
    figures = [view.as_booked, view.as_proposed, *([tried.after] if tried is not None else [])]
    values = {
        "chart": draw_line(view if tried is None else tried.outlook),
        "batch": batch,
        "report": report,
        "ticked": frozenset() if batch is None else frozenset(line.bill.bill_id for line in batch.lines),
        "moves": lay_out_moves(figures, today=view.as_of, is_known=view.runway.is_known),
        "asked": asked,
        "said": say_move(asked) if asked is not None else "",
        "letters": {
            case.invoice_id: letter
            for case in view.collection_cases[:MOST_ROWS]
            if (letter := write_letter(case, company_name=view.company.name)) is not None
        },
        "most": MOST_ROWS,
        "refused": refused,
        "roles": tuple(role.value for role in Role),
        "ruling_signs": {ruling.value: sign for ruling, sign in RULING_SIGNS.items()},
        "ruling_words": {ruling.value: word for ruling, word in RULING_WORDS.items()},
        "ruling_tones": {ruling.value: tone for ruling, tone in RULING_TONES.items()},
    }
    return company_page(request, "console.html", view, tab="/console", status=422 if refused else 200, values=values)
