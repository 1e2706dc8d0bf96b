"""What a log says stood at a moment: the last version of every record, paper, connection and decided finding.

The log holds each of them whole, so the last entry about a thing is what it was. Reading it back is the other half of
`Record.content`: equal records, equal bytes, in both directions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypedDict, get_args, get_origin, get_type_hints

import msgspec
from pydantic import AwareDatetime

from runway_core.domain.changes import ChangeKind
from runway_core.domain.company import Company, Connection, ConnectionState
from runway_core.domain.documents import DocumentLine, DocumentLink, Lines, Links
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.paper_kinds import BOOKS_PAPERS, PAPER_CLASSES
from runway_core.domain.papers import PaperKey, PaperKind, WorkingPaper
from runway_core.domain.record import Record
from runway_core.errors import LogBroken

_KINDS = {kind.value: kind for kind in RECORD_CLASSES}
_PAPERS = {kind.value: kind for kind in PAPER_CLASSES}


@dataclass(slots=True)
class Past:
    """What stood after some entries. Tombstones keep their last record; figures leave them out."""

    company: Company | None = None
    connections: dict[ConnectionId, Connection] = field(default_factory=dict)
    records: dict[RecordKind, list[Record]] = field(default_factory=dict)  # live ones, by external id
    papers: dict[PaperKey, WorkingPaper] = field(default_factory=dict)
    findings: dict[str, TrackedFinding] = field(default_factory=dict)  # those that people decided about


def fold_drafts(drafts: Iterable[LogDraft], *, company_id: CompanyId) -> Past:
    """What stands after these entries, oldest first. Entries that a later one overtook may be left out of them.

    Raises:
        LogBroken: the content of an entry cannot be read.
    """
    past = Past()
    contents: dict[RecordKind, dict[str, bytes]] = defaultdict(dict)
    for draft in drafts:
        kind = _KINDS.get(draft.kind)
        if kind is not None:
            if draft.what == ChangeKind.DELETED:
                contents[kind].pop(draft.external_id, None)
            else:
                contents[kind][draft.external_id] = draft.content
        elif draft.content or draft.changed:
            _take_act(past, draft)
    try:
        past.records = {
            kind: read_contents(kind, [held[name] for name in sorted(held)]) for kind, held in contents.items() if held
        }
    except msgspec.MsgspecError as error:
        raise LogBroken(f"a record of company {company_id!r} cannot be read back from its log: {error}") from error
    return past


def _take_act(past: Past, draft: LogDraft) -> None:
    if draft.kind in _PAPERS:
        kind = PaperKind(draft.kind)
        paper = PAPER_CLASSES[kind].model_validate_json(draft.content)
        past.papers[paper.key] = paper
    elif draft.kind == "company" and draft.content:
        past.company = Company.model_validate_json(draft.content)
    elif draft.kind == "finding" and draft.content:
        past.findings[draft.external_id] = TrackedFinding.model_validate_json(draft.content)
    elif draft.kind == "connection":
        _take_connection(past, draft)


def _take_connection(past: Past, draft: LogDraft) -> None:
    connection_id = ConnectionId(draft.external_id)
    if draft.what == "connection_added":
        past.connections[connection_id] = Connection.model_validate_json(draft.content)
    elif draft.what == "connection_state_changed" and connection_id in past.connections:
        state = ConnectionState(msgspec.json.decode(draft.changed)["state"][1])
        held = past.connections[connection_id]
        past.connections[connection_id] = held.model_copy(update={"state": state})


def _content_type(hint: Any) -> Any:
    """What msgspec reads a field as."""
    if hint == Lines:
        return tuple[DocumentLine, ...]
    if hint == Links:
        return tuple[DocumentLink, ...]
    if hint is AwareDatetime:
        return datetime
    if get_origin(hint) is Annotated:
        return _content_type(get_args(hint)[0])
    parts = get_args(hint)
    if parts and type(None) in parts:
        (inner,) = (part for part in parts if part is not type(None))
        return _content_type(inner) | None
    return hint


@cache
def _reader(kind: RecordKind) -> tuple[Callable[[bytes], list[dict[str, Any]]], dict[str, Any], int]:
    """What reads many contents of a kind in one go, the fields' defaults, and how many fields there are."""
    record_class = RECORD_CLASSES[kind]
    hints = get_type_hints(record_class, include_extras=True)
    types = {name: _content_type(hints[name]) for name in record_class.model_fields}
    content = TypedDict("content", types, total=False)  # type: ignore[misc]  # made of the record's own fields
    defaults = {
        name: item.get_default(call_default_factory=True, validated_data={})
        for name, item in record_class.model_fields.items()
        if not item.is_required()
    }
    decoder: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list.__class_getitem__(content))
    return decoder.decode, defaults, len(types)


def read_contents(kind: RecordKind, contents: Sequence[bytes]) -> list[Record]:
    """Build records of one kind from their logged contents, at the speed of C; fields of a later version get defaults.

    Raises:
        msgspec.MsgspecError: a content is not of this kind.
    """
    decode, defaults, count = _reader(kind)
    values = decode(b"[" + b",".join(contents) + b"]")
    whole = [value if len(value) == count else defaults | value for value in values]
    return RECORD_CLASSES[kind].trusted_many(whole)


def is_in_books(record: Record, history_from: date) -> bool:
    """Whether books that reach back to a day hold a record: it has no day, a later one, or is still open."""
    day = getattr(record, "document_date", None) or getattr(record, "booked_on", None)
    if day is None or day >= history_from:
        return True
    can_be_open, rest = find_open_rest(record)
    return can_be_open and (rest is None or rest > 0)


def find_open_rest(record: Record) -> tuple[bool, Decimal | None]:
    """Whether a kind can stay open at all, and what is left of this record."""
    for name in ("open_balance", "unapplied"):
        if name in type(record).model_fields:
            return True, getattr(record, name)
    return False, None


def books_papers(papers: Iterable[WorkingPaper]) -> dict[str, Any]:
    """The papers that calculators see, by their field of `Books`: those that are not closed, by id.

    `policy` is the company's own one, or `None`.
    """
    current = sorted((paper for paper in papers if not paper.is_closed), key=lambda paper: paper.key)
    policies = (paper for paper in current if paper.paper_kind is PaperKind.POLICY)
    return {"policy": next(policies, None)} | {
        name: tuple(paper for paper in current if paper.paper_kind is kind) for kind, name in BOOKS_PAPERS.items()
    }


def papers_of(past: Past, kind: PaperKind) -> list[WorkingPaper]:
    """The papers of one kind, closed ones too, the last changed first, then by id."""
    found = [paper for key, paper in sorted(past.papers.items()) if key.kind is kind]
    return sorted(found, key=lambda paper: paper.changed_at, reverse=True)


def with_reading(connection: Connection, read: Mapping[ConnectionId, tuple[datetime, datetime]]) -> Connection:
    """A connection with when its last whole pull began and ended; the beginning stands for the rail's own clock."""
    if connection.connection_id not in read:
        return connection
    began, ended = read[connection.connection_id]
    return connection.model_copy(update={"source_read_at": began, "last_success_at": ended, "last_attempt_at": began})
