"""Secrets of connections, encrypted at rest.

A set of secrets is one AES-256-GCM ciphertext under a data key of its own, which is wrapped by the key-encryption key.
The associated data names version, firm, company, rail, connection and key, so that a row copied to another connection
does not open. The key-encryption key comes from the caller (`RUNWAY_SECRET_KEY`); an embedded database keeps one in a
file beside it, readable by its owner alone, when none is given.

Rotation needs no stop: the newest key seals, older ones still open, and `rotate` seals again what is under an older
one. A row that somebody replaces meanwhile is left to them.
"""

import base64
import binascii
import os
import secrets as random_source
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from runway_core.domain.identity import ConnectionId
from runway_core.errors import InvalidRequest, NotFound, StoreUnavailable
from sqlalchemy import Column, Connection, Select, bindparam, delete, select, update

from runway_store_sql.bulk import upsert_rows
from runway_store_sql.engine import Database
from runway_store_sql.tables import connections, secrets

VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_SHORTEST_KEY = 32

Associate = Callable[[Any], bytes]
"""What the sealed bytes of a row are bound to, so that they open nowhere else."""


class KeyEncryptionKey:
    """The key that wraps data keys. It is never shown."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.key_id = sha256(b"runway key id" + key).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"KeyEncryptionKey({self.key_id})"

    @classmethod
    def from_text(cls, text: str) -> "KeyEncryptionKey":
        """Read a key: 32 bytes in base64 as they are, any other text of 32 characters and more through HKDF.

        Raises:
            InvalidRequest: it is too short to keep anything secret.
        """
        text = text.strip()
        if len(text) < _SHORTEST_KEY:
            raise InvalidRequest("RUNWAY_SECRET_KEY is too short: make one with `openssl rand -base64 32`")
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _KEY_BYTES:
            derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"runway vault v1")
            raw = derive.derive(text.encode())
        return cls(raw)

    def seal(self, key: bytes, associated: bytes) -> bytes:
        """Wrap a data key."""
        return _seal(self._cipher, key, associated)

    def open(self, wrapped: bytes, associated: bytes) -> bytes:
        """Unwrap a data key."""
        return _open(self._cipher, wrapped, associated)


def _seal(cipher: AESGCM, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, associated)


def _open(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)


def read_key_file(path: Path) -> list[KeyEncryptionKey]:
    """Read the keys beside an embedded database, a line each, the newest first; make the first one where there is none.

    The file is readable by its owner alone.

    Raises:
        StoreUnavailable: it cannot be read or written, or others may read it.
    """
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "wb") as file:
                file.write(base64.b64encode(random_source.token_bytes(_KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        if path.stat().st_mode & 0o077:
            raise StoreUnavailable(f"others may read the key file {str(path)!r}: run `chmod 600` on it")
        return [KeyEncryptionKey.from_text(line) for line in path.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise StoreUnavailable(
            f"the key file {str(path)!r} cannot be read or written: let this user, or set RUNWAY_SECRET_KEY"
        ) from error


def add_to_key_file(path: Path) -> None:
    """Put a new key before the others of a key file, in one step: readers see the old file or the new one.

    Raises:
        StoreUnavailable: it cannot be read or written.
    """
    read_key_file(path)
    fresh = path.with_name(path.name + ".new")
    try:
        text = base64.b64encode(random_source.token_bytes(_KEY_BYTES)).decode() + "\n" + path.read_text()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StoreUnavailable(f"the key file {str(path)!r} cannot be written: let this user") from error


class KeyRing:
    """The keys of a process: the newest one seals, all of them open.

    A key file is read again when a key is not known: another process may have put a new one there.
    """

    def __init__(self, secret_keys: Sequence[SecretStr], key_file: Path | None) -> None:
        self._secret_keys = secret_keys
        self._key_file = key_file
        self._keys: list[KeyEncryptionKey] = []

    @property
    def has_keys(self) -> bool:
        """Whether keys are given, or kept in a file."""
        return bool(self._secret_keys) or self._key_file is not None

    @property
    def key_file(self) -> Path | None:
        """The file that keys are kept in; `None` where they are given."""
        return None if self._secret_keys else self._key_file

    def read(self) -> list[KeyEncryptionKey]:
        """Read the keys anew, the newest first.

        Raises:
            StoreUnavailable: there is none.
            InvalidRequest: one is too short.
        """
        if self._secret_keys:
            self._keys = [KeyEncryptionKey.from_text(key.get_secret_value()) for key in self._secret_keys]
        elif self._key_file is not None:
            self._keys = read_key_file(self._key_file)
        else:
            raise StoreUnavailable(
                "secrets cannot be kept without a key: set RUNWAY_SECRET_KEY (`openssl rand -base64 32`)"
            )
        return self._keys

    def newest(self) -> KeyEncryptionKey:
        """The key that seals."""
        return (self._keys or self.read())[0]

    def known(self, key_id: str) -> KeyEncryptionKey | None:
        """The key of an id, if this process has it."""
        held = next((key for key in self._keys if key.key_id == key_id), None)
        return held or next((key for key in self.read() if key.key_id == key_id), None)

    def find(self, key_id: str, what: str) -> KeyEncryptionKey:
        """The key of an id.

        Raises:
            StoreUnavailable: this process does not have it.
        """
        key = self.known(key_id)
        if key is not None:
            return key
        raise StoreUnavailable(
            f"{what} were kept under key {key_id}, and this process has {self.newest().key_id}: set the "
            "RUNWAY_SECRET_KEY they were kept with, or name it among RUNWAY_OTHER_SECRET_KEYS, or connect again"
        )


async def reseal_rows(
    database: Database, keys: KeyRing, sealed: Column[Any], *, open_row: Callable[[Any], bytes], associate: Associate
) -> int:
    """Seal a column again under the newest key where its row's `key_id` names an older one; returns how many rows.

    `open_row` opens what a row holds, and `associate` gives what it is bound to. A row that somebody replaces meanwhile
    is left to them.

    Raises:
        StoreUnavailable: something was kept under a key that this process does not have, or was altered.
    """
    newest, table = keys.read()[0], sealed.table
    query = select(table).where(table.c.key_id.is_not(None), table.c.key_id != newest.key_id)
    rows = await database.read(lambda connection: connection.execute(query).all())
    held = [*table.primary_key, sealed]
    statement = update(table).where(*(column == bindparam(f"held_{column.name}") for column in held))
    statement = statement.values({"key_id": newest.key_id, sealed.name: bindparam("sealed_anew")})
    values = [
        {f"held_{column.name}": getattr(row, column.name) for column in held}
        | {"sealed_anew": newest.seal(open_row(row), associate(row))}
        for row in rows
    ]
    if values:
        await database.write(lambda connection: connection.execute(statement, values))
    return len(values)


class SqlTokenVault:
    """The `TokenVault` of a database."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    def __repr__(self) -> str:
        return f"SqlTokenVault({self._database.where})"

    async def load(self, connection_id: ConnectionId) -> Mapping[str, SecretStr]:
        """The secrets of a connection; empty when there are none."""
        query = (
            select(connections.c.firm_id, connections.c.company_id, connections.c.rail, secrets)
            .join(
                secrets,
                (secrets.c.company_id == connections.c.company_id)
                & (secrets.c.connection_id == connections.c.connection_id),
            )
            .where(connections.c.connection_id == connection_id)
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return {}
        plain = self._open(row)
        return {name: SecretStr(text) for name, text in msgspec.json.decode(plain, type=dict[str, str]).items()}

    def _open(self, row: Any) -> bytes:
        key = self._keys.find(row.key_id, f"the secrets of connection {row.connection_id!r}")
        associated = _associate(row.firm_id, row.company_id, row.rail, row.connection_id, key.key_id)
        try:
            return _open(AESGCM(key.open(row.wrapped_key, associated)), row.ciphertext, associated)
        except InvalidTag as error:
            raise StoreUnavailable(
                f"the secrets of connection {row.connection_id!r} do not open: they were altered; connect again"
            ) from error

    def _seal(self, row: Any, plain: bytes) -> tuple[str, bytes, bytes]:
        """Key id, wrapped data key and ciphertext, under the newest key and a fresh data key."""
        key = self._keys.newest()
        associated = _associate(row.firm_id, row.company_id, row.rail, row.connection_id, key.key_id)
        data_key = AESGCM.generate_key(_KEY_BYTES * 8)
        return key.key_id, key.seal(data_key, associated), _seal(AESGCM(data_key), plain, associated)

    async def rotate(self, *, batch: int = 200) -> int:
        """Seal what is under an older key under the newest one; returns how many sets were. Repeating is harmless.

        Raises:
            StoreUnavailable: a set was kept under a key that this process does not have.
        """
        newest = self._keys.read()[0].key_id
        query = (
            select(connections.c.firm_id, connections.c.rail, secrets)
            .join(
                secrets,
                (secrets.c.company_id == connections.c.company_id)
                & (secrets.c.connection_id == connections.c.connection_id),
            )
            .where(secrets.c.key_id != newest)
            .order_by(secrets.c.connection_id)
            .limit(batch)
        )
        sealed_again = 0
        while rows := await self._database.read(lambda connection: connection.execute(query).all()):
            fresh = [(row, self._seal(row, self._open(row))) for row in rows]
            sealed_again += await self._database.write(partial(_replace_sealed, fresh=fresh))
        return sealed_again

    async def save(self, connection_id: ConnectionId, values: Mapping[str, SecretStr]) -> None:
        """Replace the secrets of a connection, durably.

        Raises:
            NotFound: no such connection: add it first.
        """
        self._keys.newest()  # without a key nothing is asked of the database
        plain = msgspec.json.encode({name: value.get_secret_value() for name, value in values.items()})

        def write(connection: Connection) -> None:
            row = connection.execute(_owner(connection_id)).first()
            if row is None:
                raise NotFound(f"no connection {connection_id!r}: add it before its secrets")
            upsert_rows(connection, secrets, [(row.company_id, connection_id, *self._seal(row, plain))])

        await self._database.write(write)

    async def forget(self, connection_id: ConnectionId) -> None:
        """Remove the secrets of a connection. Repeating is harmless."""

        def write(connection: Connection) -> None:
            row = connection.execute(_owner(connection_id)).first()
            if row is not None:
                connection.execute(
                    delete(secrets).where(
                        secrets.c.company_id == row.company_id, secrets.c.connection_id == connection_id
                    )
                )

        await self._database.write(write)


def _replace_sealed(connection: Connection, fresh: Sequence[tuple[Any, tuple[str, bytes, bytes]]]) -> int:
    """Write what was sealed again, but where somebody replaced the secrets meanwhile."""
    statement = (
        update(secrets)
        .where(
            secrets.c.company_id == bindparam("held_company"),
            secrets.c.connection_id == bindparam("held_connection"),
            secrets.c.ciphertext == bindparam("held_ciphertext"),
        )
        .values(
            key_id=bindparam("new_key"), wrapped_key=bindparam("new_wrapped"), ciphertext=bindparam("new_ciphertext")
        )
    )
    values = [
        {
            "held_company": row.company_id,
            "held_connection": row.connection_id,
            "held_ciphertext": row.ciphertext,
            "new_key": key_id,
            "new_wrapped": wrapped,
            "new_ciphertext": ciphertext,
        }
        for row, (key_id, wrapped, ciphertext) in fresh
    ]
    connection.execute(statement, values)
    return len(values)


def _owner(connection_id: ConnectionId) -> Select[tuple[str, str, str, str]]:
    return select(
        connections.c.firm_id, connections.c.company_id, connections.c.rail, connections.c.connection_id
    ).where(connections.c.connection_id == connection_id)


def _associate(firm_id: str, company_id: str, rail: str, connection_id: str, key_id: str) -> bytes:
    return "|".join((VERSION, firm_id, company_id, rail, connection_id, key_id)).encode()
