"""Secrets of connections, encrypted at rest.

A set of secrets is one AES-256-GCM ciphertext under a data key of its own, which is wrapped by the key-encryption key.
The associated data names version, firm, company, rail, connection and key, so that a row copied to another connection
does not open. The key-encryption key comes from the caller (`RUNWAY_SECRET_KEY`); an embedded database keeps one in a
file beside it, readable by its owner alone, when none is given.
"""

import base64
import binascii
import os
import secrets as random_source
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from runway_core.domain.identity import ConnectionId
from runway_core.errors import InvalidRequest, NotFound, StoreUnavailable
from sqlalchemy import Connection, Select, delete, select

from runway_store_sql.bulk import upsert_rows
from runway_store_sql.engine import Database
from runway_store_sql.tables import connections, secrets

VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_SHORTEST_KEY = 32


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


def read_key_file(path: Path) -> KeyEncryptionKey:
    """Read the key beside an embedded database, or make it, readable by its owner alone.

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
        return KeyEncryptionKey.from_text(path.read_text())
    except OSError as error:
        raise StoreUnavailable(
            f"the key file {str(path)!r} cannot be read or written: let this user, or set RUNWAY_SECRET_KEY"
        ) from error


class SqlTokenVault:
    """The `TokenVault` of a database."""

    def __init__(self, database: Database, *, secret_key: SecretStr | None, key_file: Path | None) -> None:
        self._database = database
        self._secret_key = secret_key
        self._key_file = key_file
        self._key: KeyEncryptionKey | None = None

    def __repr__(self) -> str:
        return f"SqlTokenVault({self._database.where})"

    def key_encryption_key(self) -> KeyEncryptionKey:
        """The key that seals; read when it is first needed.

        Raises:
            StoreUnavailable: none is set and none can be kept.
        """
        if self._key is None:
            if self._secret_key is not None:
                self._key = KeyEncryptionKey.from_text(self._secret_key.get_secret_value())
            elif self._key_file is not None:
                self._key = read_key_file(self._key_file)
            else:
                raise StoreUnavailable(
                    "secrets cannot be kept without a key: set RUNWAY_SECRET_KEY (`openssl rand -base64 32`)"
                )
        return self._key

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
        key = self.key_encryption_key()
        if row.key_id != key.key_id:
            raise StoreUnavailable(
                f"the secrets of connection {connection_id!r} were kept under key {row.key_id}, and this process has "
                f"{key.key_id}: set the RUNWAY_SECRET_KEY they were kept with, or connect again"
            )
        associated = _associate(row.firm_id, row.company_id, row.rail, connection_id, key.key_id)
        try:
            plain = _open(AESGCM(key.open(row.wrapped_key, associated)), row.ciphertext, associated)
        except InvalidTag as error:
            raise StoreUnavailable(
                f"the secrets of connection {connection_id!r} do not open: they were altered; connect again"
            ) from error
        return {name: SecretStr(text) for name, text in msgspec.json.decode(plain, type=dict[str, str]).items()}

    async def save(self, connection_id: ConnectionId, values: Mapping[str, SecretStr]) -> None:
        """Replace the secrets of a connection, durably.

        Raises:
            NotFound: no such connection: add it first.
        """
        key = self.key_encryption_key()
        plain = msgspec.json.encode({name: value.get_secret_value() for name, value in values.items()})

        def write(connection: Connection) -> None:
            row = connection.execute(_owner(connection_id)).first()
            if row is None:
                raise NotFound(f"no connection {connection_id!r}: add it before its secrets")
            associated = _associate(row.firm_id, row.company_id, row.rail, connection_id, key.key_id)
            data_key = AESGCM.generate_key(_KEY_BYTES * 8)
            sealed = (key.seal(data_key, associated), _seal(AESGCM(data_key), plain, associated))
            upsert_rows(connection, secrets, [(row.company_id, connection_id, key.key_id, *sealed)])

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


def _owner(connection_id: ConnectionId) -> Select[tuple[str, str, str]]:
    return select(connections.c.firm_id, connections.c.company_id, connections.c.rail).where(
        connections.c.connection_id == connection_id
    )


def _associate(firm_id: str, company_id: str, rail: str, connection_id: str, key_id: str) -> bytes:
    return "|".join((VERSION, firm_id, company_id, rail, connection_id, key_id)).encode()
