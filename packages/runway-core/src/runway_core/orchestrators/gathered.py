"""What every experience of one company stands on: its books, connections and findings, read once."""

from collections.abc import Sequence
from dataclasses import dataclass

from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashThen
from runway_core.domain.company import Connection
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.forecasts import KeptForecast
from runway_core.domain.position import Position


@dataclass(frozen=True, slots=True)
class CompanyData:
    """One reading of one company."""

    books: Books
    connections: Sequence[Connection]
    findings: Sequence[TrackedFinding]
    position: Position | None
    kept_forecasts: Sequence[KeptForecast] = ()  # of the last year and a quarter
    last_told: CashThen | None = None  # opening cash of the last digest that was sent, or of the last kept forecast
