"""Forecasts of the past: turn made-up books back week by week, forecast, and compare with what happened."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, median

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.flows import read_flows
from runway_core.calculators.forecast_quality import keep_forecast
from runway_core.calculators.outlook import compute_outlook
from runway_core.calculators.rewind import rewind_books
from runway_core.domain.books import Books
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.outlook import Outlook
from runway_sandbox.economy import build_company

from tests.core.backtest_lines import ErrorSplitter, SplitError
from tests.core.sandbox_books import read_sandbox_books

AS_OF = date(2026, 3, 2)
DAYS = 730
WARM_UP_WEEKS = 52
"""A company that begins to use Runway has books of a year behind it."""

ENTERED_AFTER_DAYS = 14
"""Books of the last two weeks are not whole: payments are entered days after they were made."""

Forecaster = Callable[[Books], Outlook]


@dataclass(frozen=True, slots=True)
class Backtest:
    """The kept forecasts of one company, and its cash at the end of every day that they reach."""

    currency: str
    forecasts: tuple[KeptForecast, ...]
    cash: dict[date, Decimal]


def find_mondays(books: Books, *, every: int = 1) -> list[date]:
    """The Mondays to forecast on: from the end of the warm-up to a week before `as_of`."""
    first = books.history_from + timedelta(days=7 * WARM_UP_WEEKS)
    first += timedelta(days=-first.weekday() % 7)
    count = (books.as_of - first).days // 7
    return [first + timedelta(days=7 * number) for number in range(0, count, every)]


def trace_cash(books: Books, first: date) -> dict[date, Decimal]:
    """Cash at the end of each day from `first` on, by the days that the ledger gives, as far as books are whole."""
    cash = compute_cash(books).opening.amount
    moved: dict[date, Decimal] = {}
    for flow in read_flows(books, since=first).ledger:
        if flow.on <= books.as_of and flow.home is not None:
            moved[flow.on] = moved.get(flow.on, Decimal(0)) + flow.home
    traced: dict[date, Decimal] = {}
    day = books.as_of
    while day > first:
        cash -= moved.get(day, Decimal(0))
        day -= timedelta(days=1)
        traced[day] = cash
    whole_until = books.as_of - timedelta(days=ENTERED_AFTER_DAYS)
    return {on: held for on, held in traced.items() if on <= whole_until}


def read_two_years(index: int, *, seed: int, bills: int) -> Books:
    """The whole books of one made-up company."""
    made = build_company(index=index, seed=seed, bills=bills, as_of=AS_OF, days=DAYS)
    return read_sandbox_books(made, as_of=AS_OF, history_from=AS_OF - timedelta(days=DAYS))


def backtest(books: Books, *, every: int = 1, forecaster: Forecaster = compute_outlook) -> Backtest:
    """Forecast on every Monday, or on every so many."""
    mondays = find_mondays(books, every=every)
    return Backtest(
        currency=books.home,
        forecasts=tuple(_forecast(books, mondays, forecaster)),
        cash=trace_cash(books, mondays[0] - timedelta(days=1)),
    )


def split_errors(books: Books, *, every: int = 1, weeks: int) -> list[SplitError]:
    """The errors of the same forecasts so many weeks ahead, by line."""
    mondays = find_mondays(books, every=every)
    cash, splitter = trace_cash(books, mondays[0] - timedelta(days=1)), ErrorSplitter(books, mondays[0])
    found: list[SplitError] = []
    then = books
    for monday in reversed(mondays):
        then = rewind_books(then, monday)
        outlook = then.derive(compute_outlook)
        kept = keep_forecast(then, outlook)
        ends_on = next(point.ends_on for point in kept.points if point.week == weeks)
        if ends_on in cash and kept.week_outflow > 0:
            found.append(splitter.split(then, outlook, ends_on=ends_on, week_outflow=kept.week_outflow))
    return found


def _forecast(books: Books, mondays: list[date], forecaster: Forecaster) -> Iterator[KeptForecast]:
    then = books
    for monday in reversed(mondays):
        then = rewind_books(then, monday)
        yield keep_forecast(then, forecaster(then))


WAYS = {"Runway": "expected", "flat burn": "flat_burn", "documents on due dates": "due_dates"}
"""Which field of a kept point says what."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one way so many weeks ahead, over companies of any size: in weeks of the company's own outflow."""

    shares: tuple[Decimal, ...]

    @property
    def median_absolute(self) -> Decimal:
        return median(abs(share) for share in self.shares)

    @property
    def bias(self) -> Decimal:
        return mean(self.shares)

    @property
    def within_a_week(self) -> Decimal:
        """The share of forecasts that were at most one week's outflow off."""
        return Decimal(sum(abs(share) <= 1 for share in self.shares)) / len(self.shares)


def pool(backtests: Sequence[Backtest], *, weeks: int) -> dict[str, Errors]:
    """The errors of every way, all companies together."""
    found: dict[str, list[Decimal]] = {way: [] for way in WAYS}
    for each in backtests:
        for forecast in each.forecasts:
            for point in forecast.points:
                if point.week == weeks and point.ends_on in each.cash and forecast.week_outflow > 0:
                    actual = each.cash[point.ends_on]
                    for way, field in WAYS.items():
                        error: Decimal = actual - getattr(point, field)
                        found[way].append(error / forecast.week_outflow)
    return {way: Errors(tuple(shares)) for way, shares in found.items()}


def ratio_to_better(errors: Mapping[str, Errors]) -> Decimal:
    """Runway's median error as a share of the better naïve one's."""
    naive = [errors[way].median_absolute for way in WAYS if way != "Runway"]
    return errors["Runway"].median_absolute / min(naive)
