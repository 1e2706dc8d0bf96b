"""Kept forecasts: what the outlook said on a day, so that it can be judged by what came to pass."""

from datetime import date
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
