"""Records that a rail understood and a database cannot hold: they go to quarantine like any other bad record.

PostgreSQL holds no NUL within text, and neither database holds a whole number beyond 64 bits. Both databases refuse the
same records, so that moving from one to the other loses nothing.
"""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from runway_core.domain.changes import Change, ChangePage, RejectedRecord

from runway_store_sql.tables import RECORD_SPECS, FieldForm

_WIDEST = 2**63
_INTEGERS = {
    kind: tuple(field.name for field in spec.columns if field.form is FieldForm.INTEGER)
    for kind, spec in RECORD_SPECS.items()
}


def set_aside_unstorable(page: ChangePage) -> ChangePage:
    """Move what cannot be stored from the page's changes to its rejected ones."""
    bad = [(change, reason) for change in page.changes if (reason := _find_reason(change))]
    if not bad:
        return page
    refused = {id(change) for change, _ in bad}
    return replace(
        page,
        changes=tuple(change for change in page.changes if id(change) not in refused),
        rejected=(
            *page.rejected,
            *(
                RejectedRecord(change.record.kind, change.record.external_id.replace("\x00", ""), reason, change.raw)
                for change, reason in bad
            ),
        ),
    )


def _find_reason(change: Change) -> str | None:
    values: dict[str, Any] = change.record.__dict__
    for name in _INTEGERS[change.record.kind]:
        number = values[name]
        if number is not None and not -_WIDEST <= number < _WIDEST:
            return f"{name} {number} is too large a number"
    for name, value in values.items():
        if type(value) is str:
            if "\x00" in value:
                return f"{name} holds a NUL character"
        elif type(value) is tuple and any(_holds_nul(item) for item in value):
            return f"{name} holds a NUL character"
    return None


def _holds_nul(item: BaseModel) -> bool:
    return any(type(value) is str and "\x00" in value for value in item.__dict__.values())
