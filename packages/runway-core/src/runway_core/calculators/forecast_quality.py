"""Keeping forecasts, and judging the kept ones once their weeks have passed.

A forecast is worth what it says beyond two that anyone could make, so those are kept and judged beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, median
from typing import NamedTuple

from runway_core.calculators.burn import compute_burn, compute_week_outflow
from runway_core.calculators.calendar import monday_of
from runway_core.calculators.cash_history import trace_cash
from runway_core.calculators.flows import read_flows
from runway_core.calculators.naive_forecasts import forecast_due_dates, forecast_flat_burn
from runway_core.calculators.payables import compute_payables
from runway_core.calculators.receivables import compute_receivables
from runway_core.domain.books import Books
from runway_core.domain.forecasts import (
    ForecastErrors,
    ForecastPoint,
    ForecastQuality,
    HorizonQuality,
    JudgedForecast,
    KeptForecast,
)
from runway_core.domain.money import AMOUNT_STEP, ZERO
from runway_core.domain.outlook import Cash, Outlook

HORIZONS = (1, 4, 13)
"""Forecasts are judged so many weeks ahead."""

KEEPER = "runway"
"""Who keeps forecasts."""

_SHARE_STEP = Decimal("0.0001")


class Judged(NamedTuple):
    """One point of a kept forecast beside the cash that was there."""

    kept: KeptForecast
    point: ForecastPoint
    actual: Decimal


def keep_forecast(books: Books, outlook: Outlook) -> KeptForecast:
    """The outlook of this week with the two naïve forecasts beside it, as a paper that is not stored yet.

    Week 1 ends on the Sunday on or after `as_of`.
    """
    payables, receivables = books.derive(compute_payables), books.derive(compute_receivables)
    opening = outlook.opening_cash.amount
    ends = [week.starts_on + timedelta(days=6 - week.starts_on.weekday()) for week in outlook.weeks]
    burn = compute_burn(books)
    flat = forecast_flat_burn(opening, burn, as_of=books.as_of, days=ends)
    due = forecast_due_dates(opening, payables, receivables, days=ends)
    return KeptForecast(
        paper_id=str(monday_of(books.as_of)),
        changed_at=books.read_at,
        changed_by=KEEPER,
        as_of=books.as_of,
        currency=books.home,
        opening=opening,
        week_outflow=compute_week_outflow(books) or ZERO,
        points=tuple(
            ForecastPoint(
                week=week.number, ends_on=end, expected=week.closing, flat_burn=flat[index], due_dates=due[index]
            )
            for index, (week, end) in enumerate(zip(outlook.weeks, ends, strict=True))
        ),
    )


def judge_forecasts(kept: Sequence[KeptForecast], cash: Mapping[date, Decimal], *, currency: str) -> ForecastQuality:
    """Compare kept forecasts with the cash at the end of days that have passed; days that are not there are to come.

    Forecasts in another currency than `currency` were made before the home currency changed, and are left out.
    """
    judged = [
        Judged(forecast, point, cash[point.ends_on])
        for forecast in kept
        if forecast.currency == currency
        for point in forecast.points
        if point.week in HORIZONS and point.ends_on in cash
    ]
    horizons = []
    for weeks in HORIZONS:
        of_horizon = [each for each in judged if each.point.week == weeks]
        if of_horizon:
            horizons.append(_measure(weeks, of_horizon))
    nearest = [each for each in judged if each.point.week == HORIZONS[0]]
    last = max(nearest, key=lambda each: each.kept.as_of, default=None)
    return ForecastQuality(currency=currency, horizons=tuple(horizons), last=_show(last) if last is not None else None)


def judge_kept(books: Books, kept: Sequence[KeptForecast], *, cash: Cash) -> ForecastQuality:
    """Compare kept forecasts with the cash that the books show for the days that have passed since."""
    days = [
        point.ends_on
        for forecast in kept
        for point in forecast.points
        if point.week in HORIZONS and books.history_from <= point.ends_on < books.as_of
    ]
    if not days:
        return judge_forecasts((), {}, currency=books.home)
    flows = read_flows(books, since=min(days))
    return judge_forecasts(kept, trace_cash(cash.opening.amount, flows.past(books.as_of), days), currency=books.home)


def _measure(weeks: int, judged: Sequence[Judged]) -> HorizonQuality:
    outflows = [each.kept.week_outflow for each in judged]
    return HorizonQuality(
        weeks=weeks,
        count=len(judged),
        outlook=_sum_up([each.actual - each.point.expected for each in judged], outflows),
        flat_burn=_sum_up([each.actual - each.point.flat_burn for each in judged], outflows),
        due_dates=_sum_up([each.actual - each.point.due_dates for each in judged], outflows),
    )


def _sum_up(errors: Sequence[Decimal], outflows: Sequence[Decimal]) -> ForecastErrors:
    shares = [abs(error) / outflow for error, outflow in zip(errors, outflows, strict=True) if outflow > 0]
    return ForecastErrors(
        median_absolute=median(abs(error) for error in errors).quantize(AMOUNT_STEP),
        bias=mean(errors).quantize(AMOUNT_STEP),
        share_of_week=median(shares).quantize(_SHARE_STEP) if shares else None,
    )


def _show(judged: Judged) -> JudgedForecast:
    outflow = judged.kept.week_outflow
    error = judged.actual - judged.point.expected
    return JudgedForecast(
        as_of=judged.kept.as_of,
        weeks=judged.point.week,
        ends_on=judged.point.ends_on,
        expected=judged.point.expected,
        actual=judged.actual,
        share_of_week=(abs(error) / outflow).quantize(_SHARE_STEP) if outflow > 0 else None,
    )
