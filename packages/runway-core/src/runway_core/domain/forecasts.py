"""Kept forecasts: what the outlook said on a day, so that it can be judged by what came to pass."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from runway_core.domain.money import Amount, Currency
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value


class ForecastPoint(Value):
    """Expected cash at the end of one week: by the outlook, and by the two naïve forecasts beside it."""

    week: int  # 1…13
    ends_on: date
    expected: Amount
    flat_burn: Amount
    due_dates: Amount


class KeptForecast(WorkingPaper):
    """The outlook of one week. `paper_id` is the Monday it was made in, so that a week keeps its first forecast."""

    paper_kind: ClassVar[PaperKind] = PaperKind.FORECAST

    as_of: date
    currency: Currency
    opening: Amount
    week_outflow: Amount  # the average of the last full months
    points: tuple[ForecastPoint, ...]


class ForecastErrors(Value):
    """How far forecasts of one way lay from what happened; error = actual − forecast, in one currency."""

    median_absolute: Amount
    bias: Amount  # mean error: positive when more cash was there than forecast
    share_of_week: Decimal | None  # median of |error| ÷ a week's outflow, four places; None: no outflow was known


class HorizonQuality(Value):
    """The errors of cash so many weeks ahead, by the outlook and by the two naïve forecasts beside it."""

    weeks: int
    count: int  # how many forecasts were judged
    outlook: ForecastErrors
    flat_burn: ForecastErrors
    due_dates: ForecastErrors

    @property
    def ratio(self) -> Decimal | None:
        """The outlook's median error as a share of the better naïve one's, two places; `None` where that is nil."""
        better = min(self.flat_burn.median_absolute, self.due_dates.median_absolute)
        return (self.outlook.median_absolute / better).quantize(Decimal("0.01")) if better else None


class JudgedForecast(Value):
    """One kept forecast beside what happened."""

    as_of: date
    weeks: int
    ends_on: date
    expected: Amount
    actual: Amount
    share_of_week: Decimal | None  # |error| ÷ a week's outflow, four places

    @property
    def error(self) -> Decimal:
        """Actual less expected."""
        return self.actual - self.expected


class ForecastQuality(Value):
    """How right a company's forecasts were."""

    currency: Currency
    horizons: tuple[HorizonQuality, ...]  # 1, 4 and 13 weeks, those of which a forecast has come due
    last: JudgedForecast | None = None  # the newest that came due one week ahead
