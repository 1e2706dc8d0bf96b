"""Archived pieces in memory: there is no table to relieve, so entries stay, and the chain says that they went."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import ArchivedPiece, DetachedPiece
from runway_core.domain.log_entry import LogDraft
from runway_core.errors import InvalidRequest, LogBroken

from runway_testkit.memory_people import MemoryChain
from runway_testkit.memory_state import CompanyState


class MemoryLogArchives:
    """The `LogArchives` in memory."""

    def __init__(self, states: Mapping[CompanyId, CompanyState], firms: Mapping[CompanyId, MemoryChain]) -> None:
        self._states = states
        self._firms = firms
        self._out: dict[CompanyId, list[DetachedPiece]] = {}

    async def detached(self, owner: CompanyId) -> Sequence[DetachedPiece]:
        """The pieces that were taken out of a chain."""
        return list(self._out.get(owner, ()))

    async def look_for_files(self, owners: Collection[CompanyId]) -> Mapping[str, bool]:
        """All are found: there are none that could be away."""
        return {piece.file: piece.is_at_hand for owner in owners for piece in self._out.get(owner, ())}

    async def detach(self, piece: ArchivedPiece, mark: LogDraft) -> None:
        """Note that a piece is out, and mark it."""
        held = self._out.setdefault(piece.owner, [])
        end = held[-1].last if held else 0
        if piece.first != end + 1:
            raise InvalidRequest(f"{piece.file!r} begins with entry {piece.first}: the next that may go is {end + 1}")
        chain = self._firms.get(piece.owner) or self._states[piece.owner]
        if piece.last > len(chain.entries) or chain.entries[piece.last - 1].hash != piece.last_hash:
            raise LogBroken(f"the log holds other entries than {piece.file!r}")
        out = DetachedPiece(
            first=piece.first,
            last=piece.last,
            last_hash=piece.last_hash,
            first_seen_at=chain.entries[piece.first - 1].draft.seen_at,
            file=piece.file,
            sha256=piece.sha256,
            mark=0,
            is_at_hand=True,
        )
        held.append(replace(out, mark=self._append(piece.owner, mark)))

    async def drop_empty_months(self) -> int:
        """There are no months here."""
        return 0

    async def put_back(self, owner: CompanyId, piece: DetachedPiece, mark: LogDraft) -> None:
        """Note that the last piece is back, and mark it."""
        held = self._out.get(owner, [])
        if not held or held[-1] != piece:
            raise InvalidRequest(f"{piece.file!r} is not the piece that was taken out last")
        held.pop()
        self._append(owner, mark)

    def _append(self, owner: CompanyId, mark: LogDraft) -> int:
        firm = self._firms.get(owner)
        if firm is not None:
            firm.append(owner, [mark])
            return firm.head.sequence
        self._states[owner].append([mark])
        return self._states[owner].head.sequence
