"""Records that a rail understood and a database cannot hold: they go to quarantine like any other bad record.

PostgreSQL holds no NUL within text, and neither database holds a whole number beyond 64 bits. Both databases refuse the
same records, so that moving from one to the other loses nothing.
"""

from dataclasses import replace

from runway_core.domain.changes import Change, ChangePage, RejectedRecord
from runway_core.sync.planning import SiftedPage

from runway_store_sql.tables import RECORD_SPECS, FieldForm

_WIDEST = 2**63
_INTEGERS = {
    kind: tuple(field.name for field in spec.columns if field.form is FieldForm.INTEGER)
    for kind, spec in RECORD_SPECS.items()
}
_NUL = b"\\u0000"
_ESCAPED_BACKSLASH = b"\\\\"


def set_aside_unnameable(page: ChangePage) -> ChangePage:
    """Move records whose id cannot be asked for from the page's changes to its rejected ones."""
    bad = [change for change in page.changes if "\x00" in change.record.external_id]
    if not bad:
        return page
    return replace(
        page,
        changes=tuple(change for change in page.changes if "\x00" not in change.record.external_id),
        rejected=(*page.rejected, *(_reject(change, "its id holds a NUL character") for change in bad)),
    )


def set_aside_unstorable(page: ChangePage, sifted: SiftedPage) -> ChangePage:
    """Move news that no column can hold from `sifted` to the page's rejected records."""
    rejected = []
    for upsert in sifted.upserts:
        reason = _find_reason(upsert.change, upsert.content)
        if reason is not None:
            rejected.append((upsert, _reject(upsert.change, reason)))
    if not rejected:
        return page
    refused = {id(upsert) for upsert, _ in rejected}
    sifted.upserts = [upsert for upsert in sifted.upserts if id(upsert) not in refused]
    sifted.quarantined += len(rejected)
    return replace(page, rejected=(*page.rejected, *(bad for _, bad in rejected)))


def _reject(change: Change, reason: str) -> RejectedRecord:
    record = change.record
    return RejectedRecord(record.kind, record.external_id.replace("\x00", ""), reason, change.raw)


def _find_reason(change: Change, content: bytes) -> str | None:
    if _NUL in content and _NUL in content.replace(_ESCAPED_BACKSLASH, b""):
        return "a text in it holds a NUL character"
    for name in _INTEGERS[change.record.kind]:
        number = change.record.__dict__[name]
        if number is not None and not -_WIDEST <= number < _WIDEST:
            return f"{name} {number} is too large a number"
    return None
