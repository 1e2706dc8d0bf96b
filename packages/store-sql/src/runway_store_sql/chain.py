"""The end of a company's log chain within a transaction: lock it, append to it, move it."""

from collections.abc import Iterable, Iterator, Sequence

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import GENESIS, ChainHead, LogDraft, LogEntry, seal_in_turn, to_microseconds
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import insert_page, is_postgres
from runway_store_sql.sealing import find_sealing
from runway_store_sql.tables import log_entries, log_heads


def lock_head(connection: Connection, company_id: CompanyId) -> ChainHead:
    """Read where the chain ends and keep others from moving it until the transaction ends."""
    query = select(log_heads.c.sequence, log_heads.c.hash).where(log_heads.c.company_id == company_id)
    row = connection.execute(query.with_for_update() if is_postgres(connection) else query).first()
    if row is None:
        module = postgresql if is_postgres(connection) else sqlite
        begun = module.insert(log_heads).values(company_id=company_id, sequence=0, hash=GENESIS, due_sequence=0)
        connection.execute(begun.on_conflict_do_nothing())  # waits for whoever begins the same chain at this moment
        row = connection.execute(query.with_for_update() if is_postgres(connection) else query).one()
    return ChainHead(sequence=row.sequence, hash=row.hash)


def append_entries(
    connection: Connection, company_id: CompanyId, head: ChainHead, drafts: list[LogDraft]
) -> tuple[list[LogEntry], ChainHead]:
    """Put `drafts` behind the locked `head`, sealed, and write them; the head itself is moved by `move_head`."""
    if not drafts:
        return [], head
    sealing = find_sealing(connection, company_id, drafts)
    if sealing is None:
        sealed = seal_in_turn(company_id, head, drafts)
    else:
        sealed = seal_in_turn(company_id, head, sealing.conceal(drafts), sealing.seal)
    entries: list[LogEntry] = []
    insert_page(connection, log_entries, _make_rows(sealed, entries), count=len(drafts))
    return entries, entries[-1].as_head()


def _make_rows(sealed: Iterable[LogEntry], entries: list[LogEntry]) -> Iterator[tuple[object, ...]]:
    """The rows of the table, each made and its entry kept when it is asked for, while its bytes are in the caches.

    When entries of a page were seen is one value, which is converted once.
    """
    last, seen_at = None, 0
    for entry in sealed:
        entries.append(entry)
        company_id, sequence, draft, previous_hash, digest, canonical = entry
        if draft.seen_at is not last:
            last, seen_at = draft.seen_at, to_microseconds(draft.seen_at)
        yield (
            company_id,
            sequence,
            seen_at,
            draft.rail,
            draft.kind,
            draft.external_id,
            draft.what,
            draft.attribution.correlation_id,
            previous_hash,
            digest,
            canonical,
        )


def move_head(connection: Connection, company_id: CompanyId, head: ChainHead, *, is_due: bool) -> None:
    """Set the head; `is_due` says that a position which saw less is due again.

    PostgreSQL moved it with the entries already (`runway_follow_head`), and refuses any other head than that.
    """
    values = {"sequence": head.sequence, "hash": head.hash} | ({"due_sequence": head.sequence} if is_due else {})
    connection.execute(update(log_heads).where(log_heads.c.company_id == company_id).values(values))


def append_acts(
    connection: Connection, company_id: CompanyId, drafts: Sequence[LogDraft], *, is_due: bool = False
) -> ChainHead:
    """Lock, append and move in one go, for entries that change no record."""
    head = lock_head(connection, company_id)
    if not drafts:
        return head
    _, after = append_entries(connection, company_id, head, list(drafts))
    move_head(connection, company_id, after, is_due=is_due)
    return after
