"""Answers of calls on SQL, sealed under the newest key: they hold figures, or a secret, that the caller was given."""

from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from runway_core.domain.answered_calls import CallKey, Claim, ClaimState, KeptAnswer
from runway_core.domain.log_entry import to_microseconds
from runway_core.errors import StoreUnavailable
from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import is_postgres
from runway_store_sql.engine import Database
from runway_store_sql.people_tables import answered_calls
from runway_store_sql.vault import KeyRing, reseal_rows


def _own(call: CallKey) -> tuple[ColumnElement[bool], ...]:
    held = answered_calls.c
    return held.firm_id == call.firm_id, held.caller == call.caller, held.call_key == call.key


def _associate(call: CallKey) -> bytes:
    return "|".join(("v1", call.firm_id, "answer", call.caller, call.key)).encode()


def _associate_row(row: Any) -> bytes:
    return _associate(CallKey(row.firm_id, row.caller, row.call_key))


class SqlAnsweredCalls:
    """The `AnsweredCalls` of a database."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    async def claim(self, call: CallKey, fingerprint: str, claim_id: str, *, now: datetime, until: datetime) -> Claim:
        """Take a call on, unless its key is in use; see the port."""
        row = {
            "firm_id": call.firm_id,
            "caller": call.caller,
            "call_key": call.key,
            "fingerprint": fingerprint,
            "claim_id": claim_id,
            "ends_at": to_microseconds(until),
        }
        over = answered_calls.c.firm_id == call.firm_id, answered_calls.c.ends_at <= to_microseconds(now)

        def write(connection: Connection) -> Any:
            connection.execute(delete(answered_calls).where(*over))
            module = postgresql if is_postgres(connection) else sqlite
            taken = connection.execute(module.insert(answered_calls).values(row).on_conflict_do_nothing())
            return None if taken.rowcount else connection.execute(select(answered_calls).where(*_own(call))).first()

        held = await self._database.write(write)
        if held is None or held.claim_id == claim_id:
            return Claim(ClaimState.MINE)
        if held.fingerprint != fingerprint:
            return Claim(ClaimState.OTHER)
        if held.answer is None:
            return Claim(ClaimState.RUNNING)
        return Claim(ClaimState.ANSWERED, msgspec.json.decode(self._open(held), type=KeptAnswer))

    def _open(self, row: Any) -> bytes:
        if row.key_id is None:
            return bytes(row.answer)
        key = self._keys.find(row.key_id, "an answer that was kept to be given again")
        try:
            return key.open(row.answer, _associate_row(row))
        except InvalidTag as error:
            raise StoreUnavailable(
                f"the answer kept under {row.call_key!r} does not open: it was altered; look what the call did, and "
                "send another key"
            ) from error

    async def keep(self, call: CallKey, claim_id: str, answer: KeptAnswer, *, until: datetime) -> bool:
        """Keep the answer of a claimed call; see the port."""
        document = msgspec.json.encode(answer)
        key = self._keys.newest() if self._keys.has_keys else None
        statement = (
            update(answered_calls)
            .where(*_own(call), answered_calls.c.claim_id == claim_id, answered_calls.c.answer.is_(None))
            .values(
                ends_at=to_microseconds(until),
                key_id=None if key is None else key.key_id,
                answer=document if key is None else key.seal(document, _associate(call)),
            )
        )
        return await self._database.write(lambda connection: connection.execute(statement).rowcount) > 0

    async def release(self, call: CallKey, claim_id: str) -> None:
        """Let go of a claimed call that did nothing."""
        held = (*_own(call), answered_calls.c.claim_id == claim_id, answered_calls.c.answer.is_(None))
        await self._database.write(lambda connection: connection.execute(delete(answered_calls).where(*held)))

    async def rotate(self) -> int:
        """Seal answers that are under an older key under the newest one; returns how many were."""
        return await reseal_rows(
            self._database, self._keys, answered_calls.c.answer, open_row=self._open, associate=_associate_row
        )
