"""Erasing companies from the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.changes import Attribution
from runway_core.domain.erasure import Erasure, ErasureSurvey
from runway_core.domain.identity import CompanyId, FirmId


class CompanyErasures(Protocol):
    """Takes all that is kept of a company out, but for the chain of its log and the fact that it was erased.

    survey   what would go
    erase    all of it in one transaction, with an entry in the company's chain and one in the firm's
    finish   leave nothing of what was deleted in the files of the database either
    """

    async def survey(self, firm_id: FirmId, company_id: CompanyId) -> ErasureSurvey:
        """Count what erasing a company would take; nothing is changed.

        Raises:
            NotFound: no such company in this firm.
        """
        ...

    async def erase(self, firm_id: FirmId, company_id: CompanyId, *, attribution: Attribution, at: datetime) -> None:
        """Destroy the company's key, and delete what is kept of it elsewhere. Repeating is harmless.

        Digests of the whole firm tell of the company too: those that were kept go with it.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: the log holds entries in clear, which would stay.
        """
        ...

    async def finish(self, firm_id: FirmId, company_id: CompanyId, *, at: datetime) -> None:
        """Leave nothing of an erased company in the database's files. Repeating is harmless.

        Raises:
            StoreUnavailable: another process reads the file all the time; the company stays unfinished.
        """
        ...

    async def erased(self, firm_id: FirmId) -> Sequence[Erasure]:
        """The companies of a firm that were erased, the first one first."""
        ...
