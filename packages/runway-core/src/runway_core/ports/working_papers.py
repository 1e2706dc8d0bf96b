"""Working papers: what people and Runway keep about a company beside its mirror, each change logged with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.changes import Attribution
from runway_core.domain.identity import CompanyId
from runway_core.domain.papers import Paper


class WorkingPapers(Protocol):
    """Keeps the working papers of companies. Every method may raise StoreUnavailable and SchemaMismatch."""

    async def save_papers(
        self, company_id: CompanyId, papers: Sequence[Paper], *, attribution: Attribution, at: datetime
    ) -> Sequence[Paper]:
        """Store papers and log each change, all in one transaction.

        The company's position is due again, unless the papers only keep what Runway said: forecasts and sent digests.

        Each paper carries the version that its change was made on: 0 for a new one. They come back with the version
        they were stored under, changed at `at` by the actor of `attribution`, as the log has it. A paper that says what
        the stored one says writes nothing and comes back as it is stored, so that a repeat is harmless.

        Raises:
            NotFound: no such company.
            StaleRevision: a paper was changed since the version it carries, or is new and its id is taken; nothing was
                written.
            InvalidRequest: an id that no database can hold.
        """
        ...

    async def papers(
        self, company_id: CompanyId, kind: type[Paper], *, include_closed: bool = False, limit: int | None = None
    ) -> Sequence[Paper]:
        """The papers of one kind, the last changed first, then by id; closed ones only on request."""
        ...

    async def papers_of(
        self, company_id: CompanyId, kind: type[Paper], paper_ids: Sequence[str]
    ) -> Mapping[str, Paper]:
        """The papers of these ids that are there, closed or not, by id, in one query."""
        ...

    async def paper(self, company_id: CompanyId, kind: type[Paper], paper_id: str) -> Paper | None:
        """One paper, closed or not; `None` when it is not there."""
        ...
