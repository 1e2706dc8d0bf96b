"""The transaction log: what Runway saw, decided and did. It grows, and nothing in it ever changes."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry, StoredEntry, StoredRow


class TransactionLog(Protocol):
    """One append-only chain of entries a company. `MirrorStore.commit_page` appends to it in its own transaction.

    What was archived and taken out of the table is read from its files: whatever reads the log raises
    `StoreUnavailable`, naming the file, where one that it needs is not at hand, and `LogBroken` where one is not what
    it was.
    """

    async def append(self, company_id: CompanyId, drafts: Sequence[LogDraft]) -> ChainHead:
        """Append entries that change no record, such as a connection added, in one transaction."""
        ...

    async def head(self, company_id: CompanyId) -> ChainHead:
        """Where the chain ends: the head row, which `verify` compares with the entries."""
        ...

    def entries(self, company_id: CompanyId, *, after: int = 0, batch: int = 1000) -> AsyncIterator[LogEntry]:
        """Stream entries after a sequence number, in order, as stored: hashes are not recomputed here."""
        ...

    def stored(
        self, company_id: CompanyId, *, after: int = 0, batch: int = 2000
    ) -> AsyncIterator[Sequence[StoredEntry]]:
        """Stream entries after a sequence number as they are stored, a batch at a time, and nothing decoded."""
        ...

    async def follow(
        self, company_id: CompanyId, take: Callable[[Sequence[StoredRow]], bool], *, after: int = 0
    ) -> None:
        """Give `take` the same entries, some at a time, until it answers that it wants no more.

        It is called where entries are read, perhaps in a thread of the store's own, and never twice at once: verifying
        costs a third less than where each batch is handed over.
        """
        ...

    async def last_before(self, company_id: CompanyId, moment: datetime) -> int:
        """The number of an entry seen before a moment whose follower was not; nil when none was.

        Where clocks were set back there are several, and any of them may be meant.
        """
        ...

    async def last_drafts(self, company_id: CompanyId, *, through: int, kinds: Sequence[str]) -> Sequence[LogDraft]:
        """The last entry about each thing of some kinds up to an entry, in order: what they were then.

        Of connections, the last entry of each kind of act.

        Raises:
            LogBroken: an entry cannot be read.
        """
        ...

    async def hashes(self, company_id: CompanyId, sequences: Sequence[int]) -> dict[int, bytes]:
        """The hashes of those entries that are there."""
        ...

    async def history(self, company_id: CompanyId, key: tuple[StrEnum, str]) -> Sequence[LogEntry]:
        """Every entry about one thing by kind and id, such as a record or a working paper, oldest first."""
        ...
