"""Company names of two public lists, and which belong together: names in indices against names of registrants.

`pytickersymbols` (Dow Jones, Nasdaq 100, S&P 100, 500 and 600) and `edgartools`, of which a data file is read and
nothing imported; both MIT. Truth is the ticker; at least three are labelled wrongly.
"""

from functools import cache
from importlib.metadata import distribution
from typing import NamedTuple

from arro3.io import read_parquet
from pytickersymbols import PyTickerSymbols
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import NamedParty
from runway_core.domain.identity import RecordKey, RecordKind

_INDICES = ("DOW JONES", "NASDAQ 100", "S&P 100", "S&P 500", "S&P 600")
_REGISTRANTS = "edgar/reference/data/company_tickers.parquet"


class CompanyNames(NamedTuple):
    """Registrants by their id, and names as others write them with the registrant they mean."""

    registrants: dict[str, str]
    pairs: tuple[tuple[str, str], ...]


@cache
def read_company_names() -> CompanyNames:
    """Both lists, in their order."""
    table = read_parquet(str(distribution("edgartools").locate_file(_REGISTRANTS))).read_all()
    ids, tickers, names = (table.column(name).to_pylist() for name in ("cik", "ticker", "name"))
    by_ticker = dict(zip(tickers, ids, strict=True))
    stocks = PyTickerSymbols()
    pairs = {
        (stock["name"], by_ticker[ticker]): None
        for index in _INDICES
        for stock in stocks.get_stocks_by_index(index)
        if (ticker := stock["symbol"].replace(".", "-")) in by_ticker
    }
    return CompanyNames(dict(zip(ids, names, strict=True)), tuple(pairs))


def party_of(registrant: str) -> RecordKey:
    """The key under which a registrant stands in the index."""
    return RecordKey(RecordKind.VENDOR, registrant)


@cache
def index_registrants() -> NameIndex:
    """All registrants as the parties of one index."""
    return NameIndex(NamedParty(party_of(cik), (name,)) for cik, name in read_company_names().registrants.items())


class Score(NamedTuple):
    """How a method did: answers given, answers that were right, of all questions."""

    answers: int
    right: int
    questions: int

    @property
    def precision(self) -> float:
        return self.right / max(self.answers, 1)

    @property
    def recall(self) -> float:
        return self.right / self.questions
