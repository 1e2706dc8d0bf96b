"""What a fix would write where: planned on the record as it is mirrored, told before anything is written."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from runway_core.domain.findings import SuggestedFix
from runway_core.domain.fixes import FieldWrite, Fix, FixState
from runway_core.domain.record import Record
from runway_core.errors import InvalidRequest

LINE_ACCOUNT = "line_account"
"""The one field that is none of the record's own: which line goes to which account, as JSON."""


def plan_writes(record: Record, suggested: SuggestedFix) -> tuple[FieldWrite, ...]:
    """Each field with what it says and what it is to say; those that say it already are left out.

    Raises:
        InvalidRequest: the fix writes nothing, or names a field that the record does not have.
    """
    if not suggested.fields:
        raise InvalidRequest(f"{suggested.label!r} cannot be done from here: do it in the ledger")
    writes = [
        FieldWrite(field=name, before=read_field(record, name, like=after), after=after)
        for name, after in sorted(suggested.fields.items())
    ]
    news = tuple(write for write in writes if not _says(write.before, write))
    if not news:
        raise InvalidRequest(f"{suggested.label!r} is done already: the record says so")
    return news


def read_field(record: Record, name: str, *, like: str | None) -> str | None:
    """What a field of a record says, as text. Of lines' accounts, only those of the lines that `like` names.

    Raises:
        InvalidRequest: the record has no such field.
    """
    if name == LINE_ACCOUNT:
        wanted = _read_accounts(like)
        lines = getattr(record, "lines", ())
        return write_accounts({line.line_id: line.account_id for line in lines if line.line_id in wanted})
    if name not in type(record).model_fields:
        raise InvalidRequest(f"a {record.kind.value} has no field {name!r}")
    value = getattr(record, name)
    return value.isoformat() if isinstance(value, date) else value if value is None else str(value)


def shows(record: Record, writes: Sequence[FieldWrite]) -> bool:
    """Whether a record says what the writes wanted it to say."""
    return all(_says(read_field(record, write.field, like=write.after), write) for write in writes)


def judge_waiting(fix: Fix, record: Record, *, is_deleted: bool) -> dict[str, Any] | None:
    """What the mirror says of a fix that was written, as fields of the fix; nothing while it shows the time before."""
    if is_deleted:
        return {"state": FixState.UNDONE, "error": "the record was deleted since it was written"}
    if _is_from_before(fix, record):
        return None
    if shows(record, fix.writes):
        return {"state": FixState.CONFIRMED}
    if record.revision == fix.written_revision:
        return {"state": FixState.REFUSED, "error": "the ledger took the write and still shows the old values"}
    return {"state": FixState.UNDONE, "error": "the record was changed again since it was written"}


def _is_from_before(fix: Fix, record: Record) -> bool:
    """Whether a record is of a version before the write; without counting revisions only the planned one is known."""
    written = fix.written_revision or ""
    if record.revision_number is not None and written.isdigit():
        return record.revision_number < int(written)
    return record.revision == fix.expected_revision


def reverse(writes: Sequence[FieldWrite]) -> tuple[FieldWrite, ...]:
    """The writes that take these back."""
    return tuple(FieldWrite(field=w.field, before=w.after, after=w.before) for w in writes)


def rail_fields(writes: Sequence[FieldWrite]) -> dict[str, Any]:
    """The new values as rails take them: days as days, accounts of lines as a mapping, everything else as text."""
    return {write.field: _typed(write.field, write.after) for write in writes}


def name_fix(finding_id: str, record: Record, writes: Sequence[FieldWrite], *, attempt: int) -> str:
    """The id of a fix: the same write on the same version of a record has the same one, so that twice is once."""
    parts = [finding_id, str(record.key), record.revision, *(f"{w.field}={w.after}" for w in writes), f"{attempt}"]
    return sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def name_undoing(fix: Fix, *, attempt: int) -> str:
    """The id of the fix that takes another back."""
    return sha256(f"undo\x1f{fix.paper_id}\x1f{attempt}".encode()).hexdigest()[:24]


def write_accounts(accounts: Mapping[str | None, str | None]) -> str:
    """Accounts by line as canonical JSON."""
    return json.dumps(accounts, sort_keys=True, separators=(",", ":"))


def _says(held: str | None, write: FieldWrite) -> bool:
    if write.field == LINE_ACCOUNT:
        return _read_accounts(held) == _read_accounts(write.after)
    return (held or None) == (write.after or None)  # an emptied text reads as none


def _typed(name: str, value: str | None) -> Any:
    if name == LINE_ACCOUNT:
        return _read_accounts(value)
    if name == "due_date" and value is not None:
        return date.fromisoformat(value)
    return value


def _read_accounts(text: str | None) -> dict[str, str | None]:
    found = json.loads(text) if text else {}
    if not isinstance(found, dict):
        raise InvalidRequest(f"{LINE_ACCOUNT} must say which line goes to which account")
    return found
