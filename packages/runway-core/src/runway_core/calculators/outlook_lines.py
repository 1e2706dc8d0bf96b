"""The expected line, and beside it what would be if no new sales came or customers paid late."""

from collections.abc import Iterable, Iterator, Mapping

from runway_core.calculators.calendar import last_of_month
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.outlook import compute_outlook, order_events, project_outlook
from runway_core.calculators.receivables import Receivable, compute_receivables
from runway_core.domain.books import Books
from runway_core.domain.money import Money
from runway_core.domain.outlook import LineFigures, Outlook, OutlookEvent, OutlookKind, OutlookLine


def compute_outlook_lines(books: Books) -> dict[OutlookLine, Outlook]:
    """The outlook by every line.

    Only the movements are changed and cash is run through them anew. What is moved beyond the 91 days leaves its line.
    """
    cash, outlook = books.derive(compute_cash), books.derive(compute_outlook)
    last = outlook.days[-1].day

    def draw(events: Iterable[OutlookEvent]) -> Outlook:
        kept = order_events(event for event in events if event.on <= last)
        return project_outlook(books, cash, kept, left_out=outlook.left_out)

    return {
        OutlookLine.EXPECTED: outlook,
        OutlookLine.NO_NEW_SALES: draw(_without_new_sales(outlook.events)),
        OutlookLine.CAUTIOUS: draw(_pay_late(outlook.events, books.derive(compute_receivables))),
    }


def read_line_figures(lines: Mapping[OutlookLine, Outlook]) -> tuple[LineFigures, ...]:
    """The figures of each line."""
    return tuple(_read(line, outlook) for line, outlook in lines.items())


def _read(line: OutlookLine, outlook: Outlook) -> LineFigures:
    end, month_end = outlook.days[-1], last_of_month(outlook.as_of)
    at_month_end = outlook.days[(month_end - outlook.as_of).days]
    return LineFigures(
        line=line,
        runway=outlook.runway,
        buffer_breach=outlook.buffer_breach,
        month_end_on=month_end,
        month_end=Money(amount=at_month_end.closing, currency=outlook.currency),
        three_months_on=end.day,
        three_months=Money(amount=end.closing, currency=outlook.currency),
        low=outlook.low,
        low_on=outlook.low_on,
    )


def _without_new_sales(events: Iterable[OutlookEvent]) -> Iterator[OutlookEvent]:
    return (event for event in events if event.kind is not OutlookKind.NOT_YET_ENTERED or event.amount < 0)


def _pay_late(events: Iterable[OutlookEvent], receivables: Iterable[Receivable]) -> Iterator[OutlookEvent]:
    late = {receivable.invoice.key: receivable.late_case for receivable in receivables}
    for event in events:
        on = late.get(event.source) if event.source is not None else None
        if on is None or on <= event.on:
            yield event
        else:
            yield event.model_copy(update={"on": on, "reason": f"{event.reason}; four of five come by {on}"})
