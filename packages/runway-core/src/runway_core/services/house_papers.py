"""Papers of a firm as a whole: kept, versioned and logged like those of a company, under an owner that is none."""

from collections.abc import Sequence

from runway_core.domain.log_entry import LogEntry
from runway_core.domain.papers import Paper, PaperKey
from runway_core.domain.people import Need, firm_chain
from runway_core.errors import NotAllowed
from runway_core.services.scope import Scope


class HouseDesk:
    """Reads and saves the working papers of the firm itself."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._owner = firm_chain(scope.firm_id)

    async def find(self, kind: type[Paper], paper_id: str) -> Paper | None:
        """One paper, closed or not; `None` when it is not there."""
        return await self._scope.store.papers.paper(self._owner, kind, paper_id)

    async def list(
        self, kind: type[Paper], *, include_closed: bool = False, limit: int | None = None
    ) -> Sequence[Paper]:
        """Papers of one kind, the last changed first."""
        return await self._scope.store.papers.papers(self._owner, kind, include_closed=include_closed, limit=limit)

    async def save(self, paper: Paper, *, actor: str, need: Need = Need.DECIDE) -> Paper:
        """Save one paper as `actor`, who must be allowed to do what needs `need`, on the version that it carries.

        Raises:
            NotAllowed: the caller is not.
            StaleRevision: it was changed meanwhile.
            InvalidRequest: an id that no database can hold.
        """
        self._scope.demand(need)
        by, at = self._scope.by_owner(actor), self._scope.clock.now()
        (saved,) = await self._scope.store.papers.save_papers(self._owner, [paper], attribution=by, at=at)
        return saved

    def demand_whole_firm(self, need: Need) -> None:
        """Refuse whose rights do not go so far, or who sees only some of the companies.

        Raises:
            NotAllowed: role or key of the caller do not go so far.
        """
        self._scope.demand(need)
        caller = self._scope.caller
        if caller is not None and caller.companies is not None:
            raise NotAllowed(f"{caller.person_id!r} looks after some companies only: this is for all of the firm")

    async def history(self, key: PaperKey) -> Sequence[LogEntry]:
        """Everything the log says about one paper, oldest first."""
        return await self._scope.store.log.history(self._owner, key)
