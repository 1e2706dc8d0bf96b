"""Changes of single fields that checks look at: who changed what, when, from what to what."""

from pydantic import AwareDatetime

from runway_core.domain.identity import Subject
from runway_core.domain.record import Value


class FieldChange(Value):
    """One field of one record that changed since it was first mirrored, as the log has it. Values are plain text."""

    record: Subject
    field: str
    before: str | None
    after: str | None
    seen_at: AwareDatetime
    rail: str
    changed_by: str | None = None  # where the rail says who
