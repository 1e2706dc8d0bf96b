"""Taking what is archived out of the database's log, and putting it back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from runway_core.domain.field_changes import CHANGES_DAYS
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import (
    ArchivedPiece,
    DetachedPiece,
    draft_detached,
    draft_restored,
    find_absent,
    is_mark_of,
)
from runway_core.domain.people import firm_chain
from runway_core.errors import InvalidRequest, LogBroken
from runway_core.services.anchors import AnchorService
from runway_core.services.scope import Scope
from runway_core.sync.verification import LogDifference, LogFault

KEPT = timedelta(days=CHANGES_DAYS + 30)
"""Entries of so many days stay in the table: the books of today are read from it, with the changes of these days."""


class ArchiveService:
    """The one door by which entries leave the table: proven in a file, covered outside, and marked in the chain."""

    def __init__(self, scope: Scope, anchors: AnchorService) -> None:
        self._scope = scope
        self._anchors = anchors

    async def detached(self, owner: CompanyId) -> Sequence[DetachedPiece]:
        """The pieces of a chain that are in files alone, oldest first.

        Raises:
            NotFound: no such company in this firm, and not the firm's own chain.
        """
        await self._demand_own(owner)
        return await self._scope.store.log_archives.detached(owner)

    async def look_for_files(self) -> Mapping[str, bool]:
        """Whether each archived file of the companies that may be seen, and of the firm itself, is found.

        Raises:
            StoreUnavailable: the database, or where copies are kept, does not answer.
        """
        owners = [company.company_id for company in await self._scope.companies()]
        own = [] if self._scope.caller is not None else [firm_chain(self._scope.firm_id)]
        return await self._scope.store.log_archives.look_for_files([*owners, *own])

    async def detach(self, pieces: Sequence[ArchivedPiece], *, actor: str) -> Sequence[ArchivedPiece]:
        """Take the entries of proven pieces out of the table; those that are out already are passed over.

        Returns those that went. Each goes in a transaction of its own, with its mark.

        Args:
            pieces: of each chain, in order.
            actor: who does it.

        Raises:
            LogBroken: a piece, a chain or an anchor is not what was signed; nothing more goes.
            InvalidRequest: no anchor outside the database covers a piece, it is too young, or this role may not.
            StoreUnavailable: the database, a file or a place for anchors does not answer.
            NotFound: a chain is no company's of this firm, and not the firm's own.
            NotAllowed: the caller may not manage.
        """
        by = self._scope.by_manager(actor)
        out = {
            (owner, held.first, held.sha256)
            for owner in {piece.owner for piece in pieces}
            for held in await self.detached(owner)
        }
        due = [piece for piece in pieces if (piece.owner, piece.first, piece.sha256) not in out]
        if due:
            await self._demand_anchored(due)
            await self._demand_signed(due)
            await self._demand_old(due)
        for piece in due:
            mark = draft_detached(piece, by=by, at=self._scope.clock.now())
            await self._scope.store.log_archives.detach(piece, mark)
        await self._scope.store.log_archives.drop_empty_months()
        return due

    async def restore(self, owner: CompanyId, *, most: int | None = None, actor: str) -> Sequence[DetachedPiece]:
        """Put entries back into the table, the piece that went last first, byte for byte; returns the pieces.

        Each comes in a transaction of its own, with a mark that says so. The files stay.

        Args:
            owner: whose chain.
            most: at most so many pieces; all when none is given.
            actor: who does it.

        Raises:
            LogBroken: a file is not what was taken out.
            InvalidRequest: this role may not.
            StoreUnavailable: a file is not at hand, or the database does not answer.
            NotFound: no such company in this firm, and not the firm's own chain.
            NotAllowed: the caller may not manage.
        """
        by = self._scope.by_manager(actor)
        newest_first = list(reversed(await self.detached(owner)))[:most]
        for piece in newest_first:
            mark = draft_restored(piece, by=by, at=self._scope.clock.now())
            await self._scope.store.log_archives.put_back(owner, piece, mark)
        return newest_first

    async def find_unmarked(
        self, owner: CompanyId, pieces: Sequence[DetachedPiece], *, trusted: Collection[bytes] = ()
    ) -> LogFault | None:
        """The first piece that is out of the table although no signed entry of the chain says so.

        Marks that are themselves in a file that is not at hand are not asked: the last one vouches for all before.
        """
        absent = find_absent(pieces)
        keys = {key.public_key for key in await self._scope.store.log_keys.keys()} | set(trusted)
        for piece in pieces:
            if piece.mark > absent and not await self._is_marked(owner, piece, keys):
                said = (
                    f"entries {piece.first} to {piece.last} are missing: the database says they were archived, and "
                    f"entry {piece.mark}, which should say so under a key of this log, does not"
                )
                return LogFault(piece.first, LogDifference.REMOVED, said)
        return None

    async def _is_marked(self, owner: CompanyId, piece: DetachedPiece, keys: Collection[bytes]) -> bool:
        async for entry in self._scope.store.log.entries(owner, after=piece.mark - 1, batch=1):
            said = is_mark_of(entry.draft, piece, owner) if entry.sequence == piece.mark else None
            return said is not None and said.public_key in keys and self._is_signed(said)
        return False

    def _is_signed(self, piece: ArchivedPiece) -> bool:
        keys = self._scope.store.log_keys
        return keys.is_signed(piece.signed, signature=piece.signature, public_key=piece.public_key)

    async def _demand_own(self, owner: CompanyId) -> None:
        if owner != firm_chain(self._scope.firm_id) or self._scope.caller is not None:
            await self._scope.company(owner, or_erased=True)

    async def _demand_signed(self, pieces: Sequence[ArchivedPiece]) -> None:
        keys = {key.public_key for key in await self._scope.store.log_keys.keys()}
        for piece in pieces:
            if piece.public_key not in keys or not self._is_signed(piece):
                raise LogBroken(f"the manifest of {piece.file!r} is not signed by a key of this log: archive it anew")

    async def _demand_anchored(self, pieces: Sequence[ArchivedPiece]) -> None:
        """Chains are what anchors say, and every place outside holds an anchor that covers the pieces."""
        found = await self._anchors.verify({piece.owner for piece in pieces})
        if not found.is_sound:
            faults = (*found.faults, *(fault.said for fault in found.chains.values()))
            raise LogBroken(f"the log is not what was anchored ({faults[0]}): nothing is taken out")
        if not self._anchors.sinks:
            raise InvalidRequest(
                "no anchor outside the database covers what is to go: set RUNWAY_ANCHOR_FOLDER or RUNWAY_ANCHOR_BUCKET"
            )
        covered = await self._anchors.covered_outside()
        for piece in pieces:
            if covered.get(piece.owner, 0) < piece.last:
                said = f"no anchor outside the database covers entry {piece.last} of {piece.owner!r}"
                raise InvalidRequest(f"{said}: run `runway log anchor`")

    async def _demand_old(self, pieces: Sequence[ArchivedPiece]) -> None:
        at, log = self._scope.clock.now() - KEPT, self._scope.store.log
        old = {owner: await log.last_before(owner, at) for owner in {piece.owner for piece in pieces}}
        for piece in pieces:
            if piece.last > old[piece.owner]:
                raise InvalidRequest(
                    f"{piece.file!r} holds entries of the last {KEPT.days} days, which the books of today are read "
                    "with: take out what is older"
                )


def describe_absent(pieces: Sequence[DetachedPiece]) -> LogFault:
    """What is missing, for a person."""
    absent = [piece for piece in pieces if not piece.is_at_hand]
    named = ", ".join(repr(piece.file) for piece in absent[:3]) + (" …" if len(absent) > 3 else "")
    said = (
        f"entries up to {absent[-1].last} were not looked at: of {len(pieces)} archived files {len(absent)} are not at "
        f"hand ({named}): bring them into the folder of RUNWAY_LOG_ARCHIVE_FOLDER"
    )
    return LogFault(absent[0].first, LogDifference.ABSENT, said)
