"""What the services of working papers share: who may see them, the version a change is made on, and who made it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from runway_core.domain.identity import CompanyId
from runway_core.domain.papers import Paper, WorkingPaper
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_core.services.companies import explain_invalid
from runway_core.services.scope import Scope

LONGEST_TEXT = 4000
"""So many signs a note may have."""


class PaperDesk:
    """Reads and saves working papers of the firm's companies."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def list(
        self, company_id: CompanyId, kind: type[Paper], *, include_closed: bool = False, limit: int | None = None
    ) -> Sequence[Paper]:
        """Papers of one kind, the last changed first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.papers.papers(company_id, kind, include_closed=include_closed, limit=limit)

    async def find(self, company_id: CompanyId, kind: type[Paper], paper_id: str) -> Paper | None:
        """One paper, closed or not; `None` when it is not there.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.papers.paper(company_id, kind, paper_id)

    async def find_all(self, company_id: CompanyId, kind: type[Paper], paper_ids: Sequence[str]) -> Mapping[str, Paper]:
        """The papers of these ids that are there, closed or not, by id, in one query.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.papers.papers_of(company_id, kind, paper_ids)

    async def read(
        self, company_id: CompanyId, kind: type[Paper], paper_id: str, *, version: int | None = None
    ) -> Paper:
        """One paper, closed or not, to change it. `version` is the one the change was thought out on, if that matters.

        Raises:
            NotFound: no such company in this firm, or no such paper.
            StaleRevision: the paper was changed since `version`.
        """
        company = await self._scope.company(company_id)
        paper = await self._scope.store.papers.paper(company_id, kind, paper_id)
        if paper is None:
            title = kind.paper_kind.value.replace("_", " ")
            raise NotFound(f"{company.name!r} has no {title} {paper_id!r}")
        demand_version(paper, version)
        return paper

    async def save(self, company_id: CompanyId, paper: Paper, *, actor: str) -> Paper:
        """Save one paper as `actor`, on the version that it carries.

        Raises:
            NotFound: no such company in this firm.
            StaleRevision: it was changed meanwhile.
            InvalidRequest: an id that no database can hold.
        """
        (saved,) = await self.save_all(company_id, [paper], actor=actor)
        return saved

    async def save_all(self, company_id: CompanyId, papers: Sequence[Paper], *, actor: str) -> Sequence[Paper]:
        """Save papers in one transaction: all of them, or none.

        Raises:
            NotFound: no such company in this firm.
            StaleRevision: one was changed meanwhile; nothing was written.
            InvalidRequest: an id that no database can hold.
        """
        await self._scope.company(company_id)
        return await self._scope.store.papers.save_papers(
            company_id, papers, attribution=self._scope.by_person(actor), at=self._scope.clock.now()
        )

    def make(self, kind: type[Paper], paper_id: str, *, actor: str, values: dict[str, Any]) -> Paper:
        """A new paper that is not saved yet.

        Raises:
            InvalidRequest: a value that cannot be.
        """
        return build(kind, {"paper_id": paper_id, "changed_at": self._scope.clock.now(), "changed_by": actor} | values)

    def change(self, paper: Paper, values: dict[str, Any]) -> Paper:
        """The paper with other values, checked, not saved yet.

        Raises:
            InvalidRequest: a value that cannot be.
        """
        return build(type(paper), paper.__dict__ | values)


def build(kind: type[Paper], values: dict[str, Any]) -> Paper:
    """Check values and make a paper of them.

    Raises:
        InvalidRequest: a value that cannot be; the message names the field.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest(explain_invalid(error)) from error


def demand_version(paper: WorkingPaper, version: int | None) -> None:
    """Refuse a change that was thought out on another version; `None` takes the paper as it stands.

    Raises:
        StaleRevision: it was changed since.
    """
    if version is not None and paper.version != version:
        raise StaleRevision(
            f"the {paper.title} was changed to version {paper.version} by {paper.changed_by} since you read version "
            f"{version}: read it, then change it again"
        )


def name_by(*parts: str) -> str:
    """An id that follows from what it names: the same parts give the same id, so that a repeat finds the first."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def clean_text(text: str, what: str, *, is_needed: bool = False) -> str:
    """Trim what a person typed.

    Raises:
        InvalidRequest: it is needed and empty, or too long.
    """
    text = text.strip()
    if is_needed and not text:
        raise InvalidRequest(f"{what} is missing")
    if len(text) > LONGEST_TEXT:
        raise InvalidRequest(f"{what} has {len(text)} signs: at most {LONGEST_TEXT} fit")
    return text
