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
from runway_store_sql.vault import KeyRing

_SEED_BYTES = 32


def read_given_key(text: str) -> Ed25519PrivateKey:
    """Read a private key: 32 bytes in base64.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise InvalidRequest("RUNWAY_LOG_KEY is no key: make one with `openssl rand -base64 32`")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _associate(public_key: bytes, key_id: str) -> bytes:
    return b"|".join((b"v1", b"log key", public_key, key_id.encode()))


class SqlLogKeys:
    """The `LogKeys` of a database."""

    def __init__(self, database: Database, ring: KeyRing, *, given: SecretStr | None) -> None:
        self._database = database
        self._ring = ring
        self._given = given

    def __repr__(self) -> str:
        return f"SqlLogKeys({self._database.where})"

    async def _rows(self) -> Sequence[Any]:
        query = select(log_keys).order_by(log_keys.c.number)
        return await self._database.read(lambda connection: connection.execute(query).all())

    async def current(self, at: datetime) -> LogKey:
        """The key that signs; the first time it is made."""
        keys = await self.keys()
        given = self._read_given()
        if keys and (given is None or given.public_key().public_bytes_raw() == keys[-1].public_key):
            return keys[-1]
        return await self._add(given, at)

    async def rotate(self, at: datetime) -> LogKey:
        """Make a new key that signs from now on, endorsed by the one before.

        Raises:
            InvalidRequest: the key is given from outside, and still the same.
        """
        given, keys = self._read_given(), await self.keys()
        if given is not None and keys and given.public_key().public_bytes_raw() == keys[-1].public_key:
            raise InvalidRequest("the key is given by RUNWAY_LOG_KEY: set another one there first")
        return await self._add(given, at)

    def _read_given(self) -> Ed25519PrivateKey | None:
        return None if self._given is None else read_given_key(self._given.get_secret_value())

    async def _add(self, given: Ed25519PrivateKey | None, at: datetime) -> LogKey:
        private = given or Ed25519PrivateKey.generate()
        public_key = private.public_key().public_bytes_raw()
        rows = await self._rows()
        before = self._open(rows[-1]) if rows else None
        endorsement = b"" if before is None else before.sign(ENDORSED_AS + public_key)
        key_id: str | None = None
        sealed: bytes | None = None
        if given is None:
            sealing = self._ring.newest()
            key_id = sealing.key_id
            sealed = sealing.seal(private.private_bytes_raw(), _associate(public_key, key_id))
        row = (len(rows) + 1, to_microseconds(at), public_key, endorsement, key_id, sealed)

        def write(connection: Connection) -> None:
            taken = select(log_keys.c.number).where(log_keys.c.number == row[0])
            if connection.scalar(taken) is None:
                insert_rows(connection, log_keys, [row])

        await self._database.write(write)
        return (await self.keys())[-1]  # another process may have been first

    def _open(self, row: Any) -> Ed25519PrivateKey | None:
        """The private key of a row, where this process can have it."""
        given = self._read_given()
        if given is not None and given.public_key().public_bytes_raw() == row.public_key:
            return given
        if row.sealed_key is None:
            return None
        sealing = self._ring.known(row.key_id)
        if sealing is None:
            return None
        try:
            return Ed25519PrivateKey.from_private_bytes(
                sealing.open(row.sealed_key, _associate(row.public_key, row.key_id))
            )
        except InvalidTag as error:
            raise StoreUnavailable(
                "the key that signs anchors does not open: it was altered; make a new one with `runway log rotate-key`"
            ) from error

    async def reseal(self) -> int:
        """Seal private keys that are under an older key under the newest one; returns how many were."""
        newest = self._ring.read()[0]
        moved = 0
        for row in await self._rows():
            private = self._open(row) if row.key_id not in (None, newest.key_id) else None
            if private is not None:
                sealed = newest.seal(private.private_bytes_raw(), _associate(row.public_key, newest.key_id))
                held = log_keys.c.number == row.number, log_keys.c.sealed_key == row.sealed_key
                statement = update(log_keys).where(*held).values(key_id=newest.key_id, sealed_key=sealed)
                await self._database.write(partial(_run, statement=statement))  # as many as keys were ever made: few
                moved += 1
        return moved

    async def keys(self) -> Sequence[LogKey]:
        """All keys, the first one first."""
        return [
            LogKey(public_key=row.public_key, made_at=from_microseconds(row.made_at), endorsement=row.endorsement)
            for row in await self._rows()
        ]

    async def sign(self, message: bytes) -> bytes:
        """The current key's signature.

        Raises:
            StoreUnavailable: this process does not have the private key.
        """
        rows = await self._rows()
        private = self._open(rows[-1]) if rows else None
        if private is None:
            raise StoreUnavailable(
                "this process does not have the key that signs anchors: set the RUNWAY_LOG_KEY or RUNWAY_SECRET_KEY it "
                "was made with, or make a new one with `runway log rotate-key`"
            )
        return private.sign(message)

    def is_signed(self, message: bytes, *, signature: bytes, public_key: bytes) -> bool:
        """Whether a signature of `message` is that of a key."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _run(connection: Connection, *, statement: Update) -> None:
    connection.execute(statement)
