"""What must hold of mirror, log, cursors and outbox whatever happened: each a function over what a run left.

    I1  the mirror is what folding the log gives, by content hash
    I2  the chain recomputes, numbers have no gap, the head is the last entry
    I3  a cursor promises no more than the log covers, and never goes back
    I5  the outbox has one event for each page that changed something, and no other
    I7  the version of a record never decreases
    G4  no entry says again what was said
    G8  who lost a connection to another writes nothing more

I4 and I6 are in `invariants_of_work`, I8 to I12 in `invariants_of_edges`. Each returns what is broken, and nothing when
all is well.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import json
from runway_core.domain.changes import ChangeKind
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.log_entry import ChainHead, LogEntry, hash_entry
from runway_core.domain.record import hash_content

from runway_testkit.remains import CompanyRemains, Remains

_RECORDS = frozenset(kind.value for kind in RECORD_CLASSES)

Version = tuple[int, bool]
"""The revision of a record, and whether it was deleted then: what comes later is greater."""

WasDeleted = Callable[[CompanyId, RecordKey, Version], bool]
"""Whether the source deleted a record at that version or later. Its tombstone has the last revision that was seen."""


class Violation(NamedTuple):
    """Something that must hold, and does not."""

    invariant: str
    where: str
    said: str


def find_broken_books(remains: Remains) -> list[Violation]:
    """All that one look at the books can find: I1, I2, I5, I7, G4 and G8."""
    looks = (
        find_unexplained_rows,
        find_broken_chains,
        find_wrong_events,
        find_regressions,
        find_repeats,
        find_late_writers,
    )
    return [broken for company in remains.companies.values() for look in looks for broken in look(company)]


def find_unexplained_rows(company: CompanyRemains) -> Iterator[Violation]:
    """I1."""
    folded: dict[RecordKey, tuple[bytes, bool, int]] = {}
    for key, entry in _record_entries(company):
        if entry.draft.what == ChangeKind.DELETED:
            folded[key] = (folded[key][0] if key in folded else b"", True, entry.sequence)
        else:
            folded[key] = (hash_content(entry.draft.content), False, entry.sequence)
    held = {key: (row.content_hash, row.is_deleted, row.log_sequence) for key, row in company.rows.items()}
    for key in sorted(folded.keys() | held.keys()):
        if folded.get(key) != held.get(key):
            yield Violation("I1", company.company_id, f"the log does not explain {key}")
        elif not held[key][1] and hash_content(company.rows[key].record.content()) != held[key][0]:
            yield Violation("I1", company.company_id, f"{key} is not what its own hash says")


def find_broken_chains(company: CompanyRemains) -> Iterator[Violation]:
    """I2; says the first entry that does not fit, and no more."""
    head = ChainHead()
    for entry in company.entries:
        fits = entry.sequence == head.sequence + 1 and entry.previous_hash == head.hash
        if not fits or entry.hash != hash_entry(head.hash, entry.canonical):
            yield Violation("I2", company.company_id, f"entry {entry.sequence} does not follow entry {head.sequence}")
            return
        head = ChainHead(entry.sequence, entry.hash)
    if company.head != head:
        yield Violation("I2", company.company_id, f"the head says {company.head.sequence}, the log {head.sequence}")


def find_uncovered_cursors(
    remains: Remains, promised: Mapping[ConnectionId, Mapping[RecordKey, Version]], was_deleted: WasDeleted
) -> Iterator[Violation]:
    """I3: what a stored cursor says was read is in the log.

    `promised` has, for each connection, the version of each record at the place of its stored cursor.
    """
    for company in remains.companies.values():
        logged = dict(versions_of(company))
        for connection_id in company.cursors:
            for key, version in promised.get(connection_id, {}).items():
                is_gone = was_deleted(company.company_id, key, version)
                if not is_covered(logged.get(key), version, is_gone=is_gone):
                    yield Violation("I3", company.company_id, f"the cursor is past {key}, the log is not")


def is_covered(logged: Version | None, wanted: Version, *, is_gone: bool) -> bool:
    """Whether the last logged version of a record is the wanted one or a later one."""
    if is_gone and (logged is None or logged[1]):
        return True
    return logged is not None and logged >= wanted


def find_cursors_gone_back(before: Mapping[ConnectionId, int], after: Mapping[ConnectionId, int]) -> list[Violation]:
    """I3: places of cursors that decreased between two looks. Leave out connections that were read anew on purpose."""
    return [
        Violation("I3", name, f"the cursor went back from {place} to {after.get(name, -1)}")
        for name, place in before.items()
        if after.get(name, -1) < place
    ]


def find_wrong_events(company: CompanyRemains) -> Iterator[Violation]:
    """I5: each entry about a record is in exactly one event, which names its kind and its chain of causes."""
    announced: dict[int, list[str]] = defaultdict(list)
    entries = {entry.sequence: entry for entry in company.entries}
    for event in company.events:
        if event.name != "records_changed":
            continue
        first, last = int(event.payload["first_sequence"]), int(event.payload["last_sequence"])
        told = [entries[place] for place in range(first, last + 1) if place in entries]
        for entry in told:
            announced[entry.sequence].append(event.event_id)
        if event.payload["kinds"] != ",".join(sorted({entry.draft.kind for entry in told})):
            yield Violation("I5", company.company_id, f"the event {event.event_id} does not say what changed")
        if any(entry.draft.attribution.correlation_id != event.correlation_id for entry in told):
            yield Violation(
                "I5", company.company_id, f"the event {event.event_id} is of another chain than its entries"
            )
    changed = {entry.sequence for _, entry in _record_entries(company)}
    for place in sorted(changed | announced.keys()):
        if len(announced.get(place, ())) != (1 if place in changed else 0):
            yield Violation("I5", company.company_id, f"entry {place} is in {len(announced.get(place, ()))} events")


def find_regressions(company: CompanyRemains) -> Iterator[Violation]:
    """I7, of rails whose revisions are numbers."""
    last: dict[RecordKey, int] = {}
    for key, (revision, _) in versions_of(company):
        if revision < last.get(key, revision):
            yield Violation("I7", company.company_id, f"{key} went back from {last[key]} to {revision}")
        last[key] = revision


def find_repeats(company: CompanyRemains) -> Iterator[Violation]:
    """G4: an entry whose record is as the entry before left it."""
    last: dict[RecordKey, bytes | None] = {}
    for key, entry in _record_entries(company):
        content = None if entry.draft.what == ChangeKind.DELETED else entry.draft.content
        if key in last and last[key] == content:
            yield Violation("G4", company.company_id, f"entry {entry.sequence} says {key} again")
        last[key] = content


def find_late_writers(company: CompanyRemains) -> Iterator[Violation]:
    """G8: once another pull of a rail has written, an earlier one writes nothing more.

    Pulls are told apart by their chain of causes, so this asks for a chain to reach a connection once. A comparison is
    the exception: it is tried again under its own name, and other pulls may come in between. It has begun anew then.
    """
    by_rail: dict[str, list[str]] = defaultdict(list)
    last_at: dict[str, datetime] = {}
    for _, entry in _record_entries(company):
        rail, writer = entry.draft.rail, entry.draft.attribution.correlation_id
        writers = by_rail[rail]
        if writer not in writers[-1:]:
            if writer in writers and not _has_swept_between(company, rail, last_at[rail], entry.draft.seen_at):
                yield Violation("G8", company.company_id, f"entry {entry.sequence} is of a pull that was overtaken")
            writers.append(writer)
        last_at[rail] = entry.draft.seen_at


def _has_swept_between(company: CompanyRemains, rail: str, after: datetime, until: datetime) -> bool:
    return any(of == rail and after <= began <= until for of, began in company.sweeps)


def find_differences(remains: Remains, shown: Mapping[CompanyId, Mapping[RecordKey, bytes]]) -> Iterator[Violation]:
    """G6: what the sources hold is mirrored, by content; to be asked when faults have stopped and work is done."""
    for company_id, records in shown.items():
        rows = remains.companies[company_id].rows
        mirrored = {key: row.record.content() for key, row in rows.items() if not row.is_deleted}
        for key in sorted(records.keys() | mirrored.keys()):
            if records.get(key) != mirrored.get(key):
                yield Violation("G6", company_id, f"{key} is not as its source shows it")


def versions_of(company: CompanyRemains) -> Iterator[tuple[RecordKey, Version]]:
    """The versions of records that were logged, in order; of rails whose revisions are numbers."""
    for key, entry in _record_entries(company):
        if entry.draft.revision.isdecimal():
            yield key, (int(entry.draft.revision), entry.draft.what == ChangeKind.DELETED)


def find_place(token: str) -> int | None:
    """How far a cursor of the books in memory has read: the number of events; `None` within a whole reading."""
    held = json.decode(token)
    place: int = held["read_to"]
    return place if held["whole_from"] is None else None


def say(violations: Iterable[Violation]) -> str:
    """What is broken, a line each."""
    return "\n".join(f"{one.invariant} {one.where}: {one.said}" for one in violations)


def name_broken(violations: Iterable[Violation]) -> Sequence[str]:
    """Which invariants are broken, each once."""
    return sorted({one.invariant for one in violations})


def _record_entries(company: CompanyRemains) -> Iterator[tuple[RecordKey, LogEntry]]:
    for entry in company.entries:
        if entry.draft.kind in _RECORDS:
            yield RecordKey(RecordKind(entry.draft.kind), entry.draft.external_id), entry
