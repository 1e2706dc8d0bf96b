"""The keys that sign anchors and archives: Ed25519, the private ones sealed like the secrets of connections.

A private key may also be given from outside (`RUNWAY_LOG_KEY`); then the database never holds it.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import SecretStr
from runway_core.domain.anchors import ENDORSED_AS
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.errors import InvalidRequest, StoreUnavailable
from runway_core.ports.anchors import LogKey
from sqlalchemy import Connection, Update, select, update

from runway_store_sql.bulk import insert_rows
from runway_store_sql.engine import Database
from runway_store_sql.log_tables import log_keys
from runway_store_sql.vault import KeyEncryptionKey, KeyRing

_SEED_BYTES = 32


def read_given_key(text: str, name: str) -> Ed25519PrivateKey:
    """Read a private key: 32 bytes in base64.

    Raises:
        InvalidRequest: it is none; `name` says whose setting it is.
    """
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise InvalidRequest(f"{name} is no key: make one with `openssl rand -base64 32`")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _associate(public_key: bytes, key_id: str) -> bytes:
    return b"|".join((b"v1", b"log key", public_key, key_id.encode()))


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def _describe(row: Any) -> LogKey:
    return LogKey(public_key=row.public_key, made_at=from_microseconds(row.made_at), endorsement=row.endorsement)


def _lacking(row: Any, why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the key {row.public_key.hex()}, which signs the log, is not at hand: {why}. Where it is lost, "
        "`runway log rotate-key --unendorsed` makes one that it does not vouch for: tell auditors the new public key"
    )


class SqlLogKeys:
    """The `LogKeys` of a database.

    Args:
        database: where the keys are.
        ring: the keys under which private ones are sealed.
        given: the private key from outside (`RUNWAY_LOG_KEY`), which then is the newest.
        before: the one that was given before it (`RUNWAY_LOG_KEY_BEFORE`), to endorse it.
    """

    def __init__(
        self, database: Database, ring: KeyRing, *, given: SecretStr | None, before: SecretStr | None = None
    ) -> None:
        self._database = database
        self._ring = ring
        self._given = given
        self._before = before

    def __repr__(self) -> str:
        return f"SqlLogKeys({self._database.where})"

    async def _rows(self) -> Sequence[Any]:
        query = select(log_keys).order_by(log_keys.c.number)
        return await self._database.read(lambda connection: connection.execute(query).all())

    async def current(self, at: datetime) -> LogKey:
        """The key that signs; the first time it is made, and never again.

        Raises:
            InvalidRequest: RUNWAY_LOG_KEY is another key than the one that signs.
        """
        rows, given = await self._rows(), self._read_given()
        if not rows:
            return await self._add(1, given or Ed25519PrivateKey.generate(), at=at, endorsement=b"")
        if given is not None and _public(given) != rows[-1].public_key:
            raise InvalidRequest(
                f"RUNWAY_LOG_KEY is not the key that signs, whose public key is {rows[-1].public_key.hex()}: set that "
                "one there; or to change keys run `runway log rotate-key`, with the old one in RUNWAY_LOG_KEY_BEFORE "
                "where it was given from outside too"
            )
        return _describe(rows[-1])

    async def rotate(self, at: datetime, *, unendorsed: bool = False) -> LogKey:
        """Make a new key that signs from now on, endorsed by the one before.

        Raises:
            InvalidRequest: the key is given from outside, and one that signed already.
            StoreUnavailable: the key before is not at hand, and nobody said to do without.
        """
        given, rows = self._read_given(), await self._rows()
        if given is not None and _public(given) in {row.public_key for row in rows}:
            raise InvalidRequest(
                "the key is given by RUNWAY_LOG_KEY, and it signed already: first set another one there, and this one "
                "as RUNWAY_LOG_KEY_BEFORE"
            )
        private = given or Ed25519PrivateKey.generate()
        endorsement = b""
        try:
            if rows:
                endorsement = self._open(rows[-1]).sign(ENDORSED_AS + _public(private))
        except StoreUnavailable:
            if not unendorsed:
                raise
        return await self._add(len(rows) + 1, private, at=at, endorsement=endorsement)

    def _read_given(self) -> Ed25519PrivateKey | None:
        return None if self._given is None else read_given_key(self._given.get_secret_value(), "RUNWAY_LOG_KEY")

    def _read_before(self) -> Ed25519PrivateKey | None:
        if self._before is None:
            return None
        return read_given_key(self._before.get_secret_value(), "RUNWAY_LOG_KEY_BEFORE")

    async def _add(self, number: int, private: Ed25519PrivateKey, *, at: datetime, endorsement: bytes) -> LogKey:
        """Keep a key: by its public half alone where it is given from outside, else sealed."""
        key_id: str | None = None
        sealed: bytes | None = None
        public_key = _public(private)
        if self._given is None:
            sealing = self._ring.newest()
            key_id = sealing.key_id
            sealed = sealing.seal(private.private_bytes_raw(), _associate(public_key, key_id))
        row = (number, to_microseconds(at), public_key, endorsement, key_id, sealed)

        def write(connection: Connection) -> None:
            taken = select(log_keys.c.number).where(log_keys.c.number == number)
            if connection.scalar(taken) is None:
                insert_rows(connection, log_keys, [row])

        await self._database.write(write)
        return _describe((await self._rows())[-1])  # another process may have been first

    def _open(self, row: Any) -> Ed25519PrivateKey:
        """The private key of a row.

        Raises:
            StoreUnavailable: this process cannot have it; the message says why and what to do.
        """
        for given in (self._read_given(), self._read_before()):
            if given is not None and _public(given) == row.public_key:
                return given
        if row.sealed_key is None:
            raise _lacking(row, "it was given from outside: set it as RUNWAY_LOG_KEY, or RUNWAY_LOG_KEY_BEFORE")
        sealing = self._find_sealing(row)
        try:
            seed = sealing.open(row.sealed_key, _associate(row.public_key, row.key_id))
        except InvalidTag as error:
            raise _lacking(row, "what is sealed of it was altered: take the row from a backup") from error
        return Ed25519PrivateKey.from_private_bytes(seed)

    def _find_sealing(self, row: Any) -> KeyEncryptionKey:
        try:
            sealing = self._ring.known(row.key_id)
        except StoreUnavailable:  # there is none at all
            sealing = None
        if sealing is None:
            said = f"it is sealed under key {row.key_id}: set that as RUNWAY_SECRET_KEY or in RUNWAY_OTHER_SECRET_KEYS"
            raise _lacking(row, said)
        return sealing

    async def reseal(self) -> int:
        """Seal private keys that are under an older key under the newest one; returns how many were.

        Raises:
            StoreUnavailable: the key that signs does not open. Older ones that do not are left as they are.
        """
        newest = self._ring.read()[0]
        rows = await self._rows()
        moved = 0
        for row in rows:
            if row.key_id in (None, newest.key_id):
                continue
            try:
                private = self._open(row)
            except StoreUnavailable:
                if row is rows[-1]:
                    raise
                continue
            sealed = newest.seal(private.private_bytes_raw(), _associate(row.public_key, newest.key_id))
            held = log_keys.c.number == row.number, log_keys.c.sealed_key == row.sealed_key
            statement = update(log_keys).where(*held).values(key_id=newest.key_id, sealed_key=sealed)
            await self._database.write(partial(_run, statement=statement))  # as many as keys were ever made: few
            moved += 1
        return moved

    async def keys(self) -> Sequence[LogKey]:
        """All keys, the first one first."""
        return [_describe(row) for row in await self._rows()]

    async def sign(self, message: bytes, *, public_key: bytes) -> bytes:
        """The signature of one of the keys.

        Raises:
            StoreUnavailable: this process does not have the private key.
        """
        for row in await self._rows():
            if row.public_key == public_key:
                return self._open(row).sign(message)
        raise StoreUnavailable(f"the database has no key {public_key.hex()}: it was rolled back meanwhile; try again")

    def is_signed(self, message: bytes, *, signature: bytes, public_key: bytes) -> bool:
        """Whether a signature of `message` is that of a key."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _run(connection: Connection, *, statement: Update) -> None:
    connection.execute(statement)
