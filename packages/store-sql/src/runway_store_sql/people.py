"""People of a firm on SQL: a row a person, what proves them apart, and what was given out by its SHA-256.

The secret of a second factor is sealed like the secrets of connections: whoever reads the database cannot use it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft, from_microseconds, to_microseconds
from runway_core.domain.people import AccessToken, Credentials, Need, Person, TokenPurpose, firm_chain
from runway_core.domain.record import encode_plain
from runway_core.errors import InvalidRequest, NotFound, StaleRevision, StoreUnavailable
from sqlalchemy import ColumnElement, Connection, Select, Table, case, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import insert_rows, is_postgres, json_text
from runway_store_sql.chain import append_acts
from runway_store_sql.engine import Database
from runway_store_sql.people_tables import access_tokens, attempts, people
from runway_store_sql.people_tables import credentials as proofs
from runway_store_sql.vault import KeyRing, reseal_rows

_TOKEN_LISTS = 1000
"""So many tokens are listed at most."""


def _read_person(document: bytes | None) -> Person | None:
    return None if document is None else Person.model_validate_json(document)


def _read_token(row: Any) -> AccessToken:
    confines = msgspec.json.decode(row.confines)
    companies = confines["companies"]
    return AccessToken(
        token_hash=row.token_hash,
        token_id=row.token_id,
        firm_id=FirmId(row.firm_id),
        person_id=row.person_id,
        purpose=TokenPurpose(row.purpose),
        created_at=from_microseconds(row.created_at),
        seen_at=from_microseconds(row.seen_at),
        proved_at=from_microseconds(row.proved_at),
        ends_at=from_microseconds(row.ends_at),
        idle_seconds=row.idle_seconds,
        name=confines["name"],
        needs=tuple(Need(need) for need in confines["needs"]),
        companies=None if companies is None else tuple(CompanyId(company) for company in companies),
    )


def _token_row(token: AccessToken) -> tuple[object, ...]:
    return (
        token.firm_id,
        token.token_hash,
        token.token_id,
        token.person_id,
        token.purpose.value,
        to_microseconds(token.created_at),
        to_microseconds(token.seen_at),
        to_microseconds(token.proved_at),
        to_microseconds(token.ends_at),
        token.idle_seconds,
        json_text({"name": token.name, "needs": [need.value for need in token.needs], "companies": token.companies}),
    )


def _associate(firm_id: str, person_id: str) -> bytes:
    return "|".join(("v1", firm_id, "person", person_id, "second factor")).encode()


def _associate_row(row: Any) -> bytes:
    return _associate(row.firm_id, row.person_id)


class SqlPeopleStore:
    """The `PeopleStore` of a database."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    async def has_people(self, firm_id: FirmId) -> bool:
        """Whether the firm has anybody."""
        query = select(people.c.person_id).where(people.c.firm_id == firm_id).limit(1)
        return await self._database.read(lambda connection: connection.scalar(query)) is not None

    async def people(self, firm_id: FirmId) -> Sequence[Person]:
        """Everybody, by id."""
        query = select(people.c.document).where(people.c.firm_id == firm_id).order_by(people.c.person_id)
        documents = await self._database.read(lambda connection: connection.scalars(query).all())
        return [Person.model_validate_json(document) for document in documents]

    async def person(self, firm_id: FirmId, person_id: str) -> Person | None:
        """One person."""
        return await self._find(people.c.person_id == person_id, firm_id, person_id)

    async def person_by_email(self, firm_id: FirmId, email: str) -> Person | None:
        """Whoever signs in with an address."""
        return await self._find(people.c.email == email.strip().lower(), firm_id, email)

    async def person_by_subject(self, firm_id: FirmId, subject: str) -> Person | None:
        """Whoever a sign-in service calls so."""
        known = select(proofs.c.person_id).where(proofs.c.firm_id == firm_id, proofs.c.subject == subject)
        return await self._find(people.c.person_id == known.scalar_subquery(), firm_id, subject)

    async def _find(self, condition: Any, firm_id: FirmId, text: str) -> Person | None:
        if "\x00" in text:  # no database holds it, and PostgreSQL does not even look for it
            return None
        query = select(people.c.document).where(people.c.firm_id == firm_id, condition)
        return _read_person(await self._database.read(lambda connection: connection.scalar(query)))

    async def save_person(self, person: Person, drafts: Sequence[LogDraft], *, ends_tokens: bool = False) -> Person:
        """Store a person; see the port."""
        stored = person.model_copy(update={"version": person.version + 1})
        row = {"email": stored.email, "version": stored.version, "document": encode_plain(stored)}

        def write(connection: Connection) -> None:
            append_acts(connection, firm_chain(person.firm_id), drafts)  # savers of a firm take turns from here on
            taken = select(people.c.person_id).where(
                people.c.firm_id == person.firm_id,
                people.c.email == person.email,
                people.c.person_id != person.person_id,
            )
            if connection.scalar(taken) is not None:
                raise InvalidRequest("another person of the firm signs in with this address: choose another")
            _write_versioned(connection, people, stored, row)
            if ends_tokens:
                connection.execute(delete(access_tokens).where(*_tokens_of(person.firm_id, person.person_id)))

        await self._database.write(write)
        return stored

    async def credentials(self, firm_id: FirmId, person_id: str) -> Credentials:
        """What proves a person."""
        query = select(proofs).where(proofs.c.firm_id == firm_id, proofs.c.person_id == person_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return Credentials(person_id=person_id, firm_id=firm_id)
        return Credentials(
            person_id=person_id,
            firm_id=firm_id,
            password_hash=None if row.password_hash is None else SecretStr(row.password_hash),
            totp_secret=None if row.sealed_factor is None else SecretStr(self._open_factor(row).decode()),
            totp_step=row.totp_step,
            recovery_hashes=tuple(msgspec.json.decode(row.recovery_hashes)),
            subject=row.subject,
            version=row.version,
        )

    def _open_factor(self, row: Any) -> bytes:
        key = self._keys.find(row.key_id, f"the second factors of {row.person_id!r}")
        try:
            return key.open(row.sealed_factor, _associate_row(row))
        except InvalidTag as error:
            raise StoreUnavailable(
                f"the second factor of {row.person_id!r} does not open: it was altered; an owner removes it"
            ) from error

    async def save_credentials(self, credentials: Credentials, drafts: Sequence[LogDraft]) -> Credentials:
        """Store credentials; see the port."""
        stored = credentials.model_copy(update={"version": credentials.version + 1})
        key = self._keys.newest() if credentials.totp_secret is not None else None
        secret = credentials.totp_secret.get_secret_value().encode() if credentials.totp_secret is not None else b""
        associated = _associate(credentials.firm_id, credentials.person_id)
        password = credentials.password_hash
        row = {
            "version": stored.version,
            "password_hash": None if password is None else password.get_secret_value(),
            "subject": credentials.subject,
            "key_id": None if key is None else key.key_id,
            "sealed_factor": None if key is None else key.seal(secret, associated),
            "totp_step": credentials.totp_step,
            "recovery_hashes": json_text(credentials.recovery_hashes),
        }

        def write(connection: Connection) -> None:
            append_acts(connection, firm_chain(credentials.firm_id), drafts)
            known = select(people.c.person_id).where(
                people.c.firm_id == credentials.firm_id, people.c.person_id == credentials.person_id
            )
            if connection.scalar(known) is None:
                raise NotFound(f"no person {credentials.person_id!r} in this firm")
            taken = select(proofs.c.person_id).where(
                proofs.c.firm_id == credentials.firm_id,
                proofs.c.subject == credentials.subject,
                proofs.c.person_id != credentials.person_id,
            )
            if credentials.subject is not None and connection.scalar(taken) is not None:
                raise InvalidRequest("another person of the firm is known by this account of the sign-in service")
            _write_versioned(connection, proofs, stored, row)

        await self._database.write(write)
        return stored

    async def rotate(self) -> int:
        """Seal second factors that are under an older key under the newest one; returns how many were."""
        return await reseal_rows(
            self._database, self._keys, proofs.c.sealed_factor, open_row=self._open_factor, associate=_associate_row
        )

    async def add_token(self, token: AccessToken, drafts: Sequence[LogDraft] = ()) -> None:
        """Keep what was given out, and drop what has run out."""

        def write(connection: Connection) -> None:
            if drafts:
                append_acts(connection, firm_chain(token.firm_id), drafts)
            over = access_tokens.c.ends_at <= to_microseconds(token.created_at)
            connection.execute(delete(access_tokens).where(access_tokens.c.firm_id == token.firm_id, over))
            insert_rows(connection, access_tokens, [_token_row(token)])

        await self._database.write(write)

    async def token(self, firm_id: FirmId, token_hash: str) -> AccessToken | None:
        """What was given out under a hash."""
        query = select(access_tokens).where(
            access_tokens.c.firm_id == firm_id, access_tokens.c.token_hash == token_hash
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _read_token(row)

    async def tokens(
        self, firm_id: FirmId, purpose: TokenPurpose, person_id: str | None = None
    ) -> Sequence[AccessToken]:
        """What was given out for a purpose, the newest first."""
        query: Select[Any] = select(access_tokens).where(
            access_tokens.c.firm_id == firm_id, access_tokens.c.purpose == purpose.value
        )
        if person_id is not None:
            query = query.where(access_tokens.c.person_id == person_id)
        query = query.order_by(access_tokens.c.created_at.desc(), access_tokens.c.token_id).limit(_TOKEN_LISTS)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_read_token(row) for row in rows]

    async def move_token(self, token: AccessToken) -> None:
        """Keep new times of what was given out."""
        statement = (
            update(access_tokens)
            .where(access_tokens.c.firm_id == token.firm_id, access_tokens.c.token_hash == token.token_hash)
            .values(seen_at=to_microseconds(token.seen_at), proved_at=to_microseconds(token.proved_at))
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def end_token(self, firm_id: FirmId, token_id: str, drafts: Sequence[LogDraft] = ()) -> bool:
        """Take back what was given out."""
        statement = delete(access_tokens).where(
            access_tokens.c.firm_id == firm_id, access_tokens.c.token_id == token_id
        )

        def write(connection: Connection) -> bool:
            if connection.execute(statement).rowcount == 0:
                return False
            append_acts(connection, firm_chain(firm_id), drafts)
            return True

        return await self._database.write(write)

    async def end_tokens(
        self, firm_id: FirmId, person_id: str, purposes: Sequence[TokenPurpose], *, but: str | None = None
    ) -> int:
        """Take back all that a person was given for some purposes."""
        wanted = access_tokens.c.purpose.in_([purpose.value for purpose in purposes])
        statement = delete(access_tokens).where(*_tokens_of(firm_id, person_id), wanted)
        if but is not None:
            statement = statement.where(access_tokens.c.token_id != but)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def count_attempt(self, firm_id: FirmId, subject: str, at: datetime, *, forget_seconds: int) -> int:
        """Count one more attempt."""
        moment = to_microseconds(at)
        oldest = moment - forget_seconds * 1_000_000

        def write(connection: Connection) -> int:
            module = postgresql if is_postgres(connection) else sqlite
            added = module.insert(attempts).values(firm_id=firm_id, subject=subject, count=1, last_at=moment)
            more = {"count": case((attempts.c.last_at <= oldest, 1), else_=attempts.c.count + 1), "last_at": moment}
            statement = added.on_conflict_do_update(index_elements=["firm_id", "subject"], set_=more)
            counted: int = connection.scalar(statement.returning(attempts.c.count)) or 1
            return counted

        return await self._database.write(write)

    async def attempts(self, firm_id: FirmId, subject: str) -> tuple[int, datetime | None]:
        """How many attempts are counted."""
        query = select(attempts.c.count, attempts.c.last_at).where(
            attempts.c.firm_id == firm_id, attempts.c.subject == subject
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return (0, None) if row is None else (row[0], from_microseconds(row[1]))

    async def uncount_attempt(self, firm_id: FirmId, subject: str) -> None:
        """Take one attempt off the count."""
        held = (attempts.c.firm_id == firm_id, attempts.c.subject == subject, attempts.c.count > 0)
        statement = update(attempts).where(*held).values(count=attempts.c.count - 1)
        await self._database.write(lambda connection: connection.execute(statement))

    async def clear_attempts(self, firm_id: FirmId, subject: str) -> None:
        """Begin anew."""
        statement = delete(attempts).where(attempts.c.firm_id == firm_id, attempts.c.subject == subject)
        await self._database.write(lambda connection: connection.execute(statement))

    async def note(self, firm_id: FirmId, drafts: Sequence[LogDraft]) -> None:
        """Log what changed nothing here."""
        await self._database.write(lambda connection: append_acts(connection, firm_chain(firm_id), drafts))


def _tokens_of(firm_id: FirmId, person_id: str) -> tuple[ColumnElement[bool], ...]:
    return access_tokens.c.firm_id == firm_id, access_tokens.c.person_id == person_id


def _write_versioned(connection: Connection, table: Table, stored: Person | Credentials, row: dict[str, Any]) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleRevision: another version is there.
    """
    key = (table.c.firm_id == stored.firm_id, table.c.person_id == stored.person_id)
    held = connection.scalar(select(table.c.version).where(*key)) or 0
    if held != stored.version - 1:
        raise StaleRevision(
            f"{stored.person_id!r} was changed to version {held} meanwhile (yours is {stored.version - 1}): read again"
        )
    if held == 0:
        connection.execute(insert(table).values(firm_id=stored.firm_id, person_id=stored.person_id, **row))
    else:
        connection.execute(update(table).where(*key).values(row))
