"""A company's chain, streamed as the lines of a file."""

from collections.abc import AsyncIterator

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import ChainHead
from runway_core.domain.log_files import write_end, write_entries, write_start
from runway_core.ports.transaction_log import TransactionLog


async def export_log(
    log: TransactionLog, company_id: CompanyId, *, before: ChainHead, last: int | None = None
) -> AsyncIterator[bytes]:
    """The lines of a chain behind `before`, up to entry `last` or its end, some entries at a time.

    Nothing is verified here: the file holds what the database does, and shows by itself where that is broken.
    """
    end = before
    yield write_start(company_id, before)
    async for batch in log.stored(company_id, after=before.sequence):
        entries = batch if last is None else [entry for entry in batch if entry.sequence <= last]
        if entries:
            end = ChainHead(sequence=entries[-1].sequence, hash=entries[-1].hash)
            yield write_entries(entries)
        if len(entries) < len(batch):
            break
    yield write_end(end)
