"""Erasing a company: what goes, what stays, and what stands in its place.

The chain of its log stays and verifies; what its entries hold is sealed under the company's own key, and the key is
destroyed. Everything else that is kept of the company goes.
"""

from collections.abc import Mapping

from pydantic import AwareDatetime

from runway_core.domain.identity import CompanyId
from runway_core.domain.record import Value

ERASED_NAME = "(erased)"
"""What a company is called from then on."""


class ErasureSurvey(Value):
    """What erasing a company takes, counted before anything is done.

    rows           of the database that go, by table
    entries        of its log: they stay and verify, and what they hold can never be read again
    clear_entries  of them that were written in clear, and kept digests of the firm that were: while there are any in
                   the database, nothing is erased
    clear_files    archived pieces with such entries: they are to be destroyed by hand
    absent_files   archived pieces that are not at hand, and were not looked at
    """

    company_id: CompanyId
    rows: Mapping[str, int]
    entries: int
    clear_entries: int
    clear_files: tuple[str, ...] = ()
    absent_files: tuple[str, ...] = ()


class Erasure(Value):
    """A company that was erased. It is `finished` once no file of the database holds what was deleted."""

    company_id: CompanyId
    erased_at: AwareDatetime
    erased_by: str
    is_finished: bool
