"""The measures of burn: how fast cash leaves, and how long it would last at that pace."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.flows import Flow, FlowSort, read_flows
from runway_core.calculators.history import FULL_MONTHS, LEAST_DAYS, Span, find_full_spans
from runway_core.domain.books import Books
from runway_core.domain.money import AMOUNT_STEP, ZERO, to_amount
from runway_core.domain.outlook import Burn, BurnMonth


def compute_burn(books: Books) -> Burn:
    """Burn over the last three full months, cash basis, without transfers and financing.

    Where fewer full months are known, those are used; where none is, what is there, if it is 28 days or more.
    """
    months = books.derive(_sum_months)
    days = sum(month.days for month in months)
    opening = books.derive(compute_cash).opening.amount
    outflow = sum((month.outflow for month in months), ZERO)
    net = outflow - sum((month.inflow for month in months), ZERO)
    weighted = sum((n * (m.outflow - m.inflow) for n, m in enumerate(months, start=1)), ZERO)
    weighted_days = sum(n * month.days for n, month in enumerate(months, start=1))
    return Burn(
        months=tuple(months),
        is_complete=len(months) == FULL_MONTHS,
        outflow_per_day=compute_outflow_per_day(books),
        net_burn_per_day=_per_day(net, days) if months else None,
        weighted_net_burn_per_day=_per_day(weighted, weighted_days) if months else None,
        cash_buffer_days=_days_of(opening, outflow, days),
        burn_runway_days=_days_of(opening, net, days),
        weighted_burn_runway_days=_days_of(opening, weighted, weighted_days),
    )


def compute_outflow_per_day(books: Books) -> Decimal | None:
    """What leaves on an average day, positive; `None` where burn is not known. Unlike burn it asks for no cash."""
    months = books.derive(_sum_months)
    return (
        _per_day(sum((month.outflow for month in months), ZERO), sum(month.days for month in months))
        if months
        else None
    )


def compute_week_outflow(books: Books) -> Decimal | None:
    """One week's average outflow, the yardstick of severities; `None` where burn is not known."""
    months = books.derive(_sum_months)
    if not months:
        return None
    outflow = sum((month.outflow for month in months), ZERO)
    return (7 * outflow / sum(month.days for month in months)).quantize(AMOUNT_STEP)


def _sum_months(books: Books) -> list[BurnMonth]:
    flows = books.derive(read_flows)
    months = _sum_spans(flows.past(books.as_of), find_full_spans(flows.began, books.as_of))
    return months if sum(month.days for month in months) >= LEAST_DAYS else []


def _sum_spans(past: Sequence[Flow], spans: Sequence[Span]) -> list[BurnMonth]:
    if not spans:
        return []
    inflow, outflow = [ZERO] * len(spans), [ZERO] * len(spans)
    for flow in past:
        if flow.sort is not FlowSort.OPERATING or flow.home is None:
            continue
        for index, (first, last) in enumerate(spans):
            if first <= flow.on <= last:
                if flow.home > 0:
                    inflow[index] += flow.home
                else:
                    outflow[index] -= flow.home
    return [
        BurnMonth(
            month=first,
            days=spans[index].days,
            inflow=to_amount(inflow[index]),
            outflow=to_amount(outflow[index]),
        )
        for index, (first, _) in enumerate(spans)
    ]


def _per_day(amount: Decimal, days: int) -> Decimal:
    return (amount / days).quantize(AMOUNT_STEP)


def _days_of(opening: Decimal, burned: Decimal, days: int) -> int | None:
    """Whole days that `opening` lasts when `burned` leaves in `days`; `None` is "no end"."""
    if burned <= 0 or not days:
        return None
    return max((Fraction(opening) * days / Fraction(burned)).__floor__(), 0)
