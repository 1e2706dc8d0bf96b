"""Recomputing a company's chain of log entries, and naming the first one that is not as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import (
    ChainHead,
    StoredEntry,
    StoredRow,
    copies_agree,
    decode_entry,
    hash_entry,
    read_place,
    to_microseconds,
)
from runway_core.errors import LogBroken
from runway_core.ports.transaction_log import TransactionLog

_TOGETHER = 200
"""So many entries are compared at once: their bytes stay in the nearest caches from one look to the next."""


class LogDifference(StrEnum):
    """What was done to a log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"  # the newest entries were cut off
    REWRITTEN = "rewritten"  # the chain fits itself, and not what an anchor says of it
    ABSENT = "absent"  # archived in files that are not at hand: not looked at


@dataclass(frozen=True, slots=True)
class LogFault:
    """The first entry that is not as it was written. `said` is for a person."""

    broken_at: int
    difference: LogDifference
    said: str


@dataclass(frozen=True, slots=True)
class LogVerification:
    """What verifying one company's log found. `broken_at` is the sequence number of the first bad entry."""

    company_id: CompanyId
    entries: int  # that were recomputed
    head_hash: str  # hex
    broken_at: int | None = None
    fault: str | None = None  # what differs, for a person
    difference: LogDifference | None = None
    trusted_through: int = 0  # entries up to this one were not looked at

    @property
    def is_sound(self) -> bool:
        """Every entry is as it was written, and the head agrees."""
        return self.broken_at is None

    def with_fault(self, fault: LogFault | None) -> "LogVerification":
        """The same with a fault that the entries alone do not show."""
        if fault is None:
            return self
        return replace(self, broken_at=fault.broken_at, fault=fault.said, difference=fault.difference)


class ChainFollower:
    """Recomputes a chain batch by batch and stops at the first entry that does not fit."""

    def __init__(self, company_id: CompanyId, start: ChainHead) -> None:
        self._owner = company_id.encode()
        self.sequence = start.sequence
        self.hash = start.hash

    def follow(self, entries: Sequence[StoredRow]) -> StoredEntry | None:
        """Take the next entries; the first one that does not fit is returned, and nothing behind it was looked at."""
        for start in range(0, len(entries), _TOGETHER):
            some = entries[start : start + _TOGETHER]
            if not self._take(some):
                return next((StoredEntry._make(entry) for entry in some if not self._take([entry])), None)
        return None

    def _take(self, entries: Sequence[StoredRow]) -> bool:
        """Go on to the last of the entries, if they fit all together."""
        columns = list(zip(*entries, strict=True))
        places, before, hashes, canonicals = columns[:4]
        end = self.sequence + len(entries)
        if (
            places != tuple(range(self.sequence + 1, end + 1))
            or before != (self.hash, *hashes[:-1])
            or tuple(map(hash_entry, before, canonicals)) != hashes
            or not copies_agree(self._owner, columns)
        ):
            return False
        self.sequence, self.hash = end, hashes[-1]
        return True


async def find_start(log: TransactionLog, company_id: CompanyId, sequence: int) -> ChainHead:
    """The chain as it stands at an entry that is trusted; its start where there is no such entry."""
    if sequence > 0:
        async for batch in log.stored(company_id, after=sequence - 1, batch=1):
            return ChainHead(sequence=batch[0].sequence, hash=batch[0].hash)
    return ChainHead()


async def verify_log(log: TransactionLog, company_id: CompanyId, *, start: ChainHead | None = None) -> LogVerification:
    """Recompute every hash of a company's chain and compare it with the head row; holds a batch at a time.

    Args:
        log: where the entries are.
        company_id: whose.
        start: an entry that is trusted, and its hash; those up to it are not looked at.
    """
    start = start or ChainHead()
    head = await log.head(company_id)
    follower = ChainFollower(company_id, start)
    fault: LogFault | None = None
    odd: StoredEntry | None = None
    past: StoredEntry | None = None

    def take(batch: Sequence[StoredRow]) -> bool:
        nonlocal odd, past
        is_within = not batch or batch[-1][0] <= head.sequence
        entries = batch if is_within else [entry for entry in batch if entry[0] <= head.sequence]
        odd = follower.follow(entries)
        past = StoredEntry._make(batch[len(entries)]) if odd is None and len(entries) < len(batch) else None
        return odd is None and past is None

    try:
        await log.follow(company_id, take, after=start.sequence)
        if odd is not None:
            fault = await _explain(log, company_id, follower, odd)
    except LogBroken as error:  # an archived file, which is not what was signed
        fault = LogFault(follower.sequence + 1, LogDifference.CHANGED, str(error))
    if fault is None:
        fault = _compare_head(follower, head)
    if fault is None and past is not None:
        fault = await _look_past_head(log, company_id, head, past)
    found = LogVerification(
        company_id=company_id,
        entries=follower.sequence - start.sequence,
        head_hash=follower.hash.hex(),
        trusted_through=start.sequence,
    )
    return found.with_fault(fault)


def _compare_head(follower: ChainFollower, head: ChainHead) -> LogFault | None:
    if follower.sequence < head.sequence:
        said = f"the head says {head.sequence} entries, {follower.sequence} are there: the newest were cut off"
        return LogFault(follower.sequence + 1, LogDifference.TRUNCATED, said)
    if follower.sequence > head.sequence:
        said = f"the head says {head.sequence} entries, and {follower.sequence} are there"
        return LogFault(head.sequence + 1, LogDifference.INSERTED, said)
    if follower.hash != head.hash:
        said = "it and the head row disagree: the entry was changed with its hash mended, or the head was"
        return LogFault(max(follower.sequence, 1), LogDifference.CHANGED, said)
    return None


async def _look_past_head(
    log: TransactionLog, company_id: CompanyId, head: ChainHead, entry: StoredEntry
) -> LogFault | None:
    """An entry and its head are committed together: one that the head never reached came by another way."""
    if (await log.head(company_id)).sequence >= entry.sequence:
        return None  # appended meanwhile
    said = f"the head says {head.sequence} entries and does not know this one: it was added past it"
    return LogFault(entry.sequence, LogDifference.INSERTED, said)


async def _explain(log: TransactionLog, company_id: CompanyId, follower: ChainFollower, entry: StoredEntry) -> LogFault:
    """Say what was done, where `entry` stands in place of the one that should follow."""
    expected = follower.sequence + 1
    if entry.sequence == expected:
        fault = _explain_alone(company_id, follower, entry)
        if fault is not None:
            return fault
    return await _explain_by_rest(log, company_id, expected, entry)


def _explain_alone(company_id: CompanyId, follower: ChainFollower, entry: StoredEntry) -> LogFault | None:
    """What the entry itself shows; `None` where the entries behind it must be asked."""
    expected, previous = entry.sequence, follower.hash
    place = read_place(entry.canonical)
    fits = hash_entry(previous, entry.canonical) == entry.hash
    if fits and place is not None and place[0] != company_id.encode():
        return LogFault(expected, LogDifference.CHANGED, "it belongs to another company")
    if fits and place is not None and place[1] != expected:
        return LogFault(expected, LogDifference.REWRITTEN, f"it says it is entry {place[1]}")
    if fits and entry.previous_hash != previous:
        return LogFault(expected, LogDifference.CHANGED, "the hash of the entry before it was changed beside it")
    if fits:
        return LogFault(expected, LogDifference.CHANGED, _compare_copies(entry))
    follows_another = hash_entry(entry.previous_hash, entry.canonical) == entry.hash
    if follows_another and place is not None:
        if place[1] == expected and expected > 1:
            said = f"it was changed with its hash mended: entry {expected} still follows what stood there before"
            return LogFault(expected - 1, LogDifference.CHANGED, said)
        if place[1] == expected - 1 and entry.hash != previous:
            said = f"it was put before the true entry {expected - 1}, which now stands behind it"
            return LogFault(expected - 1, LogDifference.INSERTED, said)
    return None


def _compare_copies(entry: StoredEntry) -> str:
    try:
        _, _, draft = decode_entry(entry.canonical)
    except ValueError as error:
        return str(error)
    pairs = (
        ("seen_at", entry.seen_at, to_microseconds(draft.seen_at)),
        ("rail", entry.rail, draft.rail),
        ("kind", entry.kind, draft.kind),
        ("external_id", entry.external_id, draft.external_id),
        ("what", entry.what, draft.what),
        ("correlation_id", entry.correlation_id, draft.attribution.correlation_id),
    )
    differing = [f"{name} is {copy!r}, and {hashed!r} was hashed" for name, copy, hashed in pairs if copy != hashed]
    return f"beside its content, {'; '.join(differing)}"


async def _explain_by_rest(log: TransactionLog, company_id: CompanyId, expected: int, odd: StoredEntry) -> LogFault:
    """Look for the entry that is wanted among those behind: only they tell a removal from an insertion or a move."""
    seen: set[int] = set()
    found_at: int | None = None
    is_said_twice = has_strangers = False
    async for batch in log.stored(company_id, after=expected - 1):
        for entry in batch:
            place = read_place(entry.canonical)
            if place is None or place[1] < expected or place[1] in seen:
                has_strangers = True
                is_said_twice = is_said_twice or (place is not None and place[1] == expected)
                continue
            seen.add(place[1])
            if place[1] == expected:
                found_at = entry.sequence
    changed = LogFault(expected, LogDifference.CHANGED, "its content is not what was hashed")
    if found_at == expected:
        if not is_said_twice:
            return changed
        said = f"another entry behind it says that it is entry {expected} too: this one was put before it"
        return LogFault(expected, LogDifference.INSERTED, said)
    if found_at is not None:
        if has_strangers and odd.sequence == expected:
            said = f"it was put there: the true entry {expected} stands at {found_at}"
            return LogFault(expected, LogDifference.INSERTED, said)
        return LogFault(expected, LogDifference.REORDERED, f"it was moved: entry {expected} stands at {found_at}")
    if odd.sequence != expected:
        said = f"entry {expected} is missing: the next one is {odd.sequence}"
        return LogFault(expected, LogDifference.REMOVED, said)
    place = read_place(odd.canonical)
    if place is None or hash_entry(odd.previous_hash, odd.canonical) != odd.hash:
        return changed
    if place[1] < expected:
        return LogFault(expected, LogDifference.INSERTED, f"it says it is entry {place[1]}, and was put there")
    said = f"entry {expected} is missing: what stands there says it is entry {place[1]}"
    return LogFault(expected, LogDifference.REMOVED, said)
