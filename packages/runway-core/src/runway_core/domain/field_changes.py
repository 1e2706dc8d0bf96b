"""Changes that figures and checks look at: of single fields, and of records that went. Who, when, from what to what."""

from collections.abc import Iterator

import msgspec
from pydantic import AwareDatetime

from runway_core.domain.changes import Cause, ChangeKind
from runway_core.domain.identity import RecordKey, RecordKind, Subject
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.record import Value

CHANGES_DAYS = 60
"""Books hold the changes of so many days."""

WATCHED_FIELDS = frozenset(
    {
        "account_id",
        "account_tail",
        "bank_account",
        "books_closed_through",
        "document_date",
        "from_account_id",
        "iban",
        "is_void",
        "lines",
        "routing_number",
        "to_account_id",
        "total",
    }
)
"""The fields whose changes books hold: what moves money elsewhere, and the closing date."""


WHOLE_RECORD = "record"
"""Stands in place of a field where a record was deleted: `before` is all of it as canonical JSON, `after` is `None`."""

_TAKEN_BACK = frozenset({RecordKind.BANK_TRANSACTION})
"""A bank takes every pending line back once it is posted: no news."""

TELLING = frozenset({ChangeKind.UPDATED.value, ChangeKind.DELETED.value})
"""The kinds of entries of the log that changes are read from."""


class FieldChange(Value):
    """One field of one record that changed since it was first mirrored, as the log has it. Values are plain text.

    A deleted record shows as one change of the field `record`. If it came back later it is in the books again.
    """

    record: Subject
    field: str
    before: str | None
    after: str | None
    seen_at: AwareDatetime
    rail: str
    changed_by: str | None = None  # where the rail says who


def read_field_changes(draft: LogDraft) -> Iterator[FieldChange]:
    """What an entry of the log says of watched fields, by field; nothing unless a mirrored record changed or went.

    Who changed it is known where a person did so here; a rail rarely says.
    """
    if draft.what not in TELLING or draft.kind not in RECORD_CLASSES or not draft.changed:
        return
    is_gone = draft.what == ChangeKind.DELETED
    if is_gone and draft.kind in _TAKEN_BACK:
        return
    by = draft.attribution
    for name, (before, after) in sorted(_decode(draft.changed).items()):
        if name in WATCHED_FIELDS or (is_gone and name == WHOLE_RECORD):
            yield FieldChange(
                record=RecordKey(RecordKind(draft.kind), draft.external_id),
                field=name,
                before=_say(before),
                after=_say(after),
                seen_at=draft.seen_at,
                rail=draft.rail,
                changed_by=by.actor if by.cause is Cause.PERSON else None,
            )


_decode = msgspec.json.Decoder(dict[str, tuple[object, object]]).decode


def _say(value: object) -> str | None:
    """A value of canonical JSON as plain text: what is no text stays as JSON writes it."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
