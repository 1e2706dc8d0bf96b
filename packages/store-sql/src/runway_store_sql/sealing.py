"""What entries of the log hold, sealed under a data key of their company: who destroys the key erases it.

A data key is made with the first entry of a company that holds anything, and wrapped by the key-encryption key, as the
secrets of connections are. Of a firm's own chain only digests are sealed: they tell of companies by name.

A sealed field is the data key's number, a nonce and a ciphertext of AES-256-GCM; the associated data names that key,
the company and the entry. Whoever sets no key-encryption key keeps a log in clear: only PostgreSQL without
`RUNWAY_SECRET_KEY`.
"""

import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogDraft, Opener, Sealer, is_to_be_sealed, to_microseconds
from runway_core.domain.paper_kinds import PAPER_CLASSES
from runway_core.domain.papers import PaperKind
from runway_core.domain.people import is_firm_chain
from runway_core.errors import CompanyErased, StoreUnavailable
from sqlalchemy import Connection, Select, bindparam, select, update

from runway_store_sql.bulk import insert_rows
from runway_store_sql.engine import Database
from runway_store_sql.log_tables import company_keys
from runway_store_sql.vault import KeyRing

KEY_RING = "runway_key_ring"
"""An option of connections: the `KeyRing` under which companies' data keys are wrapped. None: entries stay in clear."""

_NUMBER_BYTES = 8
_NONCE_BYTES = 12
_DATA_KEY_BITS = 256
_NONCES_AT_ONCE = 256
_CONCEALED_LENGTH = 32
_KEYS_OF = (
    select(company_keys)
    .where(company_keys.c.company_id == bindparam("owner"))
    .order_by(company_keys.c.made_at, company_keys.c.number)
)
_NAMED_BY_TEXT = frozenset(kind.value for kind, paper in PAPER_CLASSES.items() if paper.is_named_by_text)


def _ring_of(connection: Connection) -> KeyRing | None:
    ring: KeyRing | None = connection.get_execution_options().get(KEY_RING)
    return ring if ring is not None and ring.has_keys else None


def _tells_of_companies(draft: LogDraft) -> bool:
    return draft.kind == PaperKind.FIRM_DIGEST


def _associate(company_id: str, number: bytes, key_id: str) -> bytes:
    return b"|".join((b"v1", b"log", company_id.encode(), number, key_id.encode()))


def _rows(connection: Connection, company_id: CompanyId) -> Sequence[Any]:
    return connection.execute(_KEYS_OF, {"owner": company_id}).all()


def _unwrap(ring: KeyRing, row: Any) -> bytes:
    """A data key.

    Raises:
        StoreUnavailable: it is wrapped under a key that this process does not have, or was altered.
    """
    what = f"what the log of company {row.company_id!r} holds"
    key = ring.known(row.key_id)
    if key is None:
        raise StoreUnavailable(
            f"{what} is sealed under key {row.key_id}: set that as RUNWAY_SECRET_KEY or in RUNWAY_OTHER_SECRET_KEYS"
        )
    try:
        return key.open(row.wrapped_key, _associate(row.company_id, row.number, row.key_id))
    except InvalidTag as error:
        raise StoreUnavailable(f"{what} does not open: its key was altered; take the row from a backup") from error


class EntrySealing:
    """Seals entries of one chain, in one transaction."""

    def __init__(self, number: bytes, data_key: bytes) -> None:
        self.seal = _make_sealer(number, data_key)
        self._data_key = data_key

    def conceal(self, drafts: list[LogDraft]) -> list[LogDraft]:
        """The same, where an id that is a text out of the books is one that nobody can guess without the key.

        Equal ids stay equal, so that the last entry about each thing is found.
        """
        return [
            draft._replace(external_id=self._conceal(draft.external_id)) if draft.kind in _NAMED_BY_TEXT else draft
            for draft in drafts
        ]

    def _conceal(self, external_id: str) -> str:
        named = b"runway external id 1|" + external_id.encode()
        return hmac.digest(self._data_key, named, "sha256").hex()[:_CONCEALED_LENGTH]


def find_sealing(connection: Connection, company_id: CompanyId, drafts: Sequence[LogDraft]) -> EntrySealing | None:
    """What seals these entries; the company's data key is made the first time.

    `None` where there is nothing to seal and where there is no key-encryption key. The chain's head must be locked.

    Raises:
        StoreUnavailable: the data key does not open here.
        CompanyErased: it was destroyed.
    """
    wanted = _tells_of_companies if is_firm_chain(company_id) else is_to_be_sealed
    first = next(filter(wanted, drafts), None)
    if first is None:
        return None
    ring = _ring_of(connection)
    rows = _rows(connection, company_id)
    live = [row for row in rows if row.wrapped_key]
    if rows and not live and not is_firm_chain(company_id):
        raise CompanyErased(f"company {company_id!r} was erased: nothing is kept of it any more")
    if ring is None:
        if live:
            raise StoreUnavailable(
                f"the log of company {company_id!r} is sealed and this process has no key: set RUNWAY_SECRET_KEY"
            )
        return None
    if live:
        number, data_key = live[-1].number, _unwrap(ring, live[-1])
    else:
        number, data_key = os.urandom(_NUMBER_BYTES), AESGCM.generate_key(_DATA_KEY_BITS)
        wrapping = ring.newest()
        wrapped = wrapping.seal(data_key, _associate(company_id, number, wrapping.key_id))
        row = (company_id, number, to_microseconds(first.seen_at), wrapping.key_id, wrapped)
        insert_rows(connection, company_keys, [row])
    return EntrySealing(number, data_key)


def _make_sealer(number: bytes, data_key: bytes) -> Sealer:
    """It is made for one transaction and asks the system for many nonces at once."""
    encrypt = AESGCM(data_key).encrypt
    nonces: list[bytes] = []

    def seal(held: bytes, place: bytes) -> bytes:
        if not nonces:
            drawn = os.urandom(_NONCE_BYTES * _NONCES_AT_ONCE)
            nonces.extend(drawn[at : at + _NONCE_BYTES] for at in range(0, len(drawn), _NONCE_BYTES))
        nonce = nonces.pop()
        return b"".join((number, nonce, encrypt(nonce, held, place + number)))

    return seal


def read_opener(connection: Connection, company_id: CompanyId) -> Opener:
    """What opens the sealed entries of a company; what it lacks for that it says when it is asked to."""
    ring = _ring_of(connection)
    rows = {row.number: row for row in _rows(connection, company_id)}
    return _make_opener(company_id, rows, ring)


def _make_opener(company_id: CompanyId, rows: Mapping[bytes, Any], ring: KeyRing | None) -> Opener:
    ciphers: dict[bytes, AESGCM | None] = {}

    def find(number: bytes) -> AESGCM | None:
        row = rows.get(number)
        if row is not None and not row.wrapped_key:
            return None
        if row is None:
            raise StoreUnavailable(
                f"the key of what the log of company {company_id!r} holds is not in this database: take the row of "
                "`company_keys` from a backup"
            )
        if ring is None:
            raise StoreUnavailable(
                f"the log of company {company_id!r} is sealed and this process has no key: set RUNWAY_SECRET_KEY"
            )
        return AESGCM(_unwrap(ring, row))

    def open_sealed(sealed: bytes, place: bytes) -> bytes | None:
        number, nonce = sealed[:_NUMBER_BYTES], sealed[_NUMBER_BYTES : _NUMBER_BYTES + _NONCE_BYTES]
        if number not in ciphers:
            ciphers[number] = find(number)
        cipher = ciphers[number]
        if cipher is None:
            return None
        try:
            return cipher.decrypt(nonce, sealed[_NUMBER_BYTES + _NONCE_BYTES :], place + number)
        except InvalidTag as error:
            raise ValueError("what it holds does not open: it was altered") from error

    return open_sealed


def open_lazily(connection: Connection, company_id: CompanyId) -> Opener:
    """The same for the rest of a transaction; keys are asked for when the first sealed entry is met."""
    held: list[Opener] = []

    def open_sealed(sealed: bytes, place: bytes) -> bytes | None:
        if not held:
            held.append(read_opener(connection, company_id))
        return held[0](sealed, place)

    return open_sealed


def destroy_keys(connection: Connection, company_id: CompanyId, *, at: datetime) -> None:
    """Destroy the data keys of a chain; that they were there stays, so that nobody takes them for lost."""
    if not _rows(connection, company_id) and not is_firm_chain(company_id):
        insert_rows(connection, company_keys, [(company_id, bytes(_NUMBER_BYTES), to_microseconds(at), "", b"")])
    destroyed = update(company_keys).where(company_keys.c.company_id == company_id)
    connection.execute(destroyed.values(key_id="", wrapped_key=b""))


async def rewrap_company_keys(database: Database, ring: KeyRing, *, batch: int = 500) -> int:
    """Wrap data keys that are under an older key under the newest one; returns how many were.

    Raises:
        StoreUnavailable: one is under a key that this process does not have.
    """
    newest = ring.read()[0]
    query = select(company_keys).where(company_keys.c.key_id.not_in((newest.key_id, "")))
    query = query.order_by(company_keys.c.company_id, company_keys.c.number).limit(batch)
    moved = 0
    while rows := await database.read(partial(_read_all, query=query)):
        fresh = [
            {
                "of_company": row.company_id,
                "of_number": row.number,
                "held_key": row.key_id,
                "new_key": newest.key_id,
                "new_wrapped": newest.seal(_unwrap(ring, row), _associate(row.company_id, row.number, newest.key_id)),
            }
            for row in rows
        ]
        await database.write(partial(_replace_wrapped, fresh=fresh))
        moved += len(fresh)
    return moved


def _read_all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


def _replace_wrapped(connection: Connection, fresh: Sequence[Mapping[str, Any]]) -> None:
    statement = (
        update(company_keys)
        .where(
            company_keys.c.company_id == bindparam("of_company"),
            company_keys.c.number == bindparam("of_number"),
            company_keys.c.key_id == bindparam("held_key"),
        )
        .values(key_id=bindparam("new_key"), wrapped_key=bindparam("new_wrapped"))
    )
    connection.execute(statement, fresh)
