"""Views of large companies, laid out when their position was computed: a page need not read ten thousand documents."""

from datetime import datetime
from typing import NamedTuple

from runway_core.domain.identity import CompanyId, FirmId


class KeptView(NamedTuple):
    """One view as it was laid out, good for as long as all that it was made of is the same."""

    firm_id: FirmId
    company_id: CompanyId
    name: str  # of the view's class
    stamp: str  # all that it was made of, by number and day
    holds_until: datetime  # UTC; from then on its ages are no longer true
    document: bytes  # JSON, compressed
