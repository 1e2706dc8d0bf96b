"""The digest as an e-mail: HTML and plain text from the model of the page. The same digest gives the same bytes."""

from collections.abc import Sequence
from decimal import Decimal

from jinja2 import Environment
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import OutlookWeek
from runway_core.domain.position import PositionStatus
from runway_core.experiences.digest import CashMark, DigestView
from runway_core.experiences.wording import say_days

from runway_app_http.digest_sending import DigestMail
from runway_app_http.ui.figures import STATUS_SIGNS, say_ages, say_amount, say_day, say_money
from runway_app_http.ui.rendering import templates

MOST_DUE = 25
"""So many payments are written out and the others summed, so that no mail program cuts the message."""

MARKS = {
    CashMark.NOW.value: "Cash now",
    CashMark.MONTH_END.value: "Month end",
    CashMark.THREE_MONTHS.value: "In three months",
    CashMark.LOWEST.value: "Lowest point",
}

_COLOURS = {
    PositionStatus.RED: "#b3261e",
    PositionStatus.AMBER: "#9a6700",
    PositionStatus.GREEN: "#1a7f37",
    PositionStatus.GREY: "#566070",
}
_BLOCKS = "▁▂▃▄▅▆▇█"

_plain: Environment = templates.overlay(autoescape=False)


def write_digest_mail(view: DigestView, note: str = "") -> DigestMail:
    """Lay a digest out as a message; `note` is the advisor's own words."""
    subject = _say_subject(view)
    rest = view.due[MOST_DUE:]
    values = {
        "view": view,
        "subject": subject,
        "note": note.strip(),
        "home": view.company.home_currency,
        "marks": MARKS,
        "sign": STATUS_SIGNS[view.status],
        "colour": _COLOURS[view.status],
        "ages": say_ages(view.freshness) or ("never read",),
        "spark": draw_blocks(view.weeks),
        "spark_words": _say_weeks(view),
        "due": view.due[:MOST_DUE],
        "due_more": len(rest),
        "due_more_total": Money(
            amount=sum((line.event.amount for line in rest), ZERO), currency=view.company.home_currency
        ),
    }
    return DigestMail(
        subject=subject,
        html=templates.get_template("mail/digest.html").render(values),
        text=_plain.get_template("mail/digest.txt").render(values),
    )


def draw_blocks(weeks: Sequence[OutlookWeek]) -> str:
    """Closing cash of each week as one block, nil and less as the lowest."""
    highest = max((week.closing for week in weeks), default=ZERO)
    return "".join(_block(week.closing, highest) for week in weeks)


def _block(amount: Decimal, highest: Decimal) -> str:
    if amount <= 0 or highest <= 0:
        return _BLOCKS[0]
    return _BLOCKS[int(amount * (len(_BLOCKS) - 1) / highest)]


def _say_weeks(view: DigestView) -> str:
    currency = view.company.home_currency
    ends = [f"{say_amount(week.closing, currency, whole=True)}" for week in view.weeks]
    return f"cash at week ends from {say_day(view.weeks[0].starts_on, view.as_of)}: {', '.join(ends)}" if ends else ""


def _say_subject(view: DigestView) -> str:
    """Company, days, change."""
    days = say_days(view.runway.days) if view.runway.is_known else "cash not known"
    change = ""
    if view.change is not None:
        difference = view.change.difference
        sign = "+" if difference.amount > 0 else ""
        change = f", cash {sign}{say_money(difference, whole=True)} since {say_day(view.change.since, view.as_of)}"
    return f"{view.company.name}: {days}{change}"
