"""Archived pieces of the log: taking their entries out of the table, and putting them back.

This is the one way in which an entry leaves the table, and the chain says of each that it went.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import ArchivedPiece, DetachedPiece
from runway_core.domain.log_entry import LogDraft


class LogArchives(Protocol):
    """Pieces of chains that are in files alone."""

    async def detached(self, owner: CompanyId) -> Sequence[DetachedPiece]:
        """The pieces that were taken out of a chain, oldest first: they are its beginning, without a gap."""
        ...

    async def look_for_files(self, owners: Collection[CompanyId]) -> Mapping[str, bool]:
        """Whether each file that pieces of some chains are in is found, in the folder or where copies are kept.

        Nothing is read of them, and nothing fetched.

        Raises:
            StoreUnavailable: where copies are kept does not answer.
        """
        ...

    async def detach(self, piece: ArchivedPiece, mark: LogDraft) -> None:
        """Take the entries of a piece out of the table, and append the mark that says so, in one transaction.

        The piece is read from its file first, entry by entry.

        Raises:
            LogBroken: the file is not what its manifest says, or the table holds other entries.
            InvalidRequest: it does not follow the piece that was taken out last, or this role may not.
            StoreUnavailable: the file cannot be read.
        """
        ...

    async def drop_empty_months(self) -> int:
        """Give the room of months back that are over and that nothing is left of in the table; returns how many.

        Readers wait for it for a moment. A database that keeps the log in one table has no months, and a role that may
        not take entries out drops none; where the log is in use all the time, they are left for the next time.
        """
        ...

    async def put_back(self, owner: CompanyId, piece: DetachedPiece, mark: LogDraft) -> None:
        """Put the entries of the piece that was taken out last back, byte for byte, and append the mark that says so.

        Raises:
            LogBroken: the file is not what was taken out.
            InvalidRequest: a later piece is out, or this role may not.
            StoreUnavailable: the file cannot be read.
        """
        ...


class ArchiveCopies(Protocol):
    """A place beside the folder of the archive in which its files are kept too, such as a bucket with object lock.

    Called from worker threads, so it waits for what it asks.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def put(self, file: Path) -> None:
        """Keep a file under its name; the same one again is harmless.

        Raises:
            StoreUnavailable: it does not answer, or does not take it.
            LogBroken: it holds another file under that name.
        """
        ...

    def names(self) -> frozenset[str]:
        """The names of all files that it holds.

        Raises:
            StoreUnavailable: it does not answer.
        """
        ...

    def fetch(self, name: str, to: Path) -> bool:
        """Write a file of that name to a path; false where it holds none.

        Raises:
            StoreUnavailable: it does not answer.
        """
        ...
