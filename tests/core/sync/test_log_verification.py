"""Whatever is done to a company's log afterwards, verifying names the first entry that is not as it was written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import (
    GENESIS,
    ChainHead,
    LogDraft,
    LogEntry,
    StoredEntry,
    copies_agree,
    encode_entry,
    hash_entry,
    read_copies,
    seal_entries,
)
from runway_core.sync.verification import LogDifference, verify_log

from tests.core.desk import FirmDesk, bank, bill, bills

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LENGTH = 11  # company added, connection added, six records, connection active, the week's forecast, one edit


async def desk_with_log() -> tuple[FirmDesk, Company]:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank(), *bills(5))
    await desk.runway.sync(acme.company_id)
    desk.ledger("Acme").put(bill("B00", memo="edited"))
    await desk.runway.sync(acme.company_id)
    return desk, acme


def store_entry(entry: LogEntry) -> StoredEntry:
    return StoredEntry(entry.sequence, entry.previous_hash, entry.hash, entry.canonical, *read_copies(entry.canonical))


def agree(company_id: str, *entries: StoredEntry) -> bool:
    """Whether copies say what was hashed, of all entries together."""
    return copies_agree(company_id.encode(), list(zip(*entries, strict=True)))


def rewrite(entry: LogEntry, **changes: Any) -> LogEntry:
    """An entry with another content, its own hash recomputed: the work of someone who can write to the table."""
    draft = entry.draft._replace(**changes)
    canonical = encode_entry(entry.company_id, entry.sequence, draft)
    return entry._replace(draft=draft, canonical=canonical, hash=hash_entry(entry.previous_hash, canonical))


def flip(entry: LogEntry, at: int) -> LogEntry:
    at %= len(entry.canonical)
    changed = bytearray(entry.canonical)
    changed[at] ^= 1
    return entry._replace(canonical=bytes(changed))


async def test_an_untouched_log_is_sound() -> None:
    desk, acme = await desk_with_log()

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.is_sound, found.entries, found.fault) == (True, LENGTH, None)
    assert found.head_hash == (await desk.store.log.head(acme.company_id)).hash.hex()


@given(
    first=st.sampled_from([1, 8, 97, 999]),
    names=st.lists(st.text(max_size=6), min_size=1, max_size=6),
    kinds=st.lists(st.sampled_from(["bill", "vendor", "Straße"]), min_size=6, max_size=6),
    lied=st.sampled_from(["seen_at", "rail", "kind", "external_id", "what", "correlation_id", "sequence", "canonical"]),
    at=st.integers(0, 5),
)
def test_copies_agree_with_what_was_hashed_and_each_that_was_changed_does_not(
    first: int, names: list[str], kinds: list[str], lied: str, at: int
) -> None:
    by = Attribution(cause=Cause.PULL, actor="ada", correlation_id="run-№7")
    drafts = [LogDraft(NOON, "qbo", kind, name, "créated", by) for kind, name in zip(kinds, names, strict=False)]
    entries, _ = seal_entries(CompanyId("büro"), ChainHead(sequence=first - 1), drafts)
    stored = [store_entry(entry) for entry in entries]
    at %= len(stored)
    one = stored[at]
    lie = {
        "seen_at": one.seen_at + 1,
        "sequence": one.sequence + 1,
        "canonical": one.canonical[:-1] + b"8",
        "rail": f"{one.rail}{one.kind[:1]}",  # moved from the neighbour, so that their text together stays the same
    }
    changes: dict[str, Any] = {lied: lie.get(lied, f"{getattr(one, lied)}x")} | (
        {"kind": one.kind[1:]} if lied == "rail" else {}
    )

    with_lie = [entry._replace(**changes) if entry is one else entry for entry in stored]
    assert agree("büro", *stored)
    assert not agree("buro", one)
    assert not agree("büro", *with_lie)
    assert [agree("büro", entry) for entry in with_lie] == [entry is not one for entry in stored]


def test_bytes_that_are_longer_than_their_fields_are_found_among_equal_neighbours() -> None:
    """What neighbours' headers come to is kept: the length of each entry's own bytes is still looked at."""
    by = Attribution(cause=Cause.PULL, actor="runway", correlation_id="run")
    drafts = [LogDraft(NOON, "qbo", "bill", f"{number}", "created", by, content=b"a bill") for number in range(10, 15)]
    entries, _ = seal_entries(CompanyId("acme"), ChainHead(), drafts)
    stored = [store_entry(entry) for entry in entries]
    canonical = stored[3].canonical
    longer = stored[3]._replace(canonical=canonical[:-3] + b"x" + canonical[-3:])

    assert agree("acme", *stored)
    assert not agree("acme", *stored[:3], longer, stored[4])
    assert [agree("acme", entry) for entry in (*stored[:3], longer, stored[4])] == [True, True, True, False, True]


async def test_a_log_without_entries_is_sound() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme")
    state = desk.store._states[acme.company_id]
    state.entries, state.head = [], ChainHead()

    assert (await desk.runway.verify_log(acme.company_id)).is_sound


@given(index=st.integers(0, LENGTH - 1), at=st.integers(0, 10**6))
async def test_a_changed_byte_is_found_where_it_is(index: int, at: int) -> None:
    desk, acme = await desk_with_log()
    entries = desk.store._states[acme.company_id].entries
    entries[index] = flip(entries[index], at)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.fault) == (index + 1, "its content is not what was hashed")
    assert found.difference is LogDifference.CHANGED


@given(index=st.integers(0, LENGTH - 1))
async def test_a_change_with_its_hash_mended_is_named_by_the_next_entry(index: int) -> None:
    """The next entry still follows the old hash; behind the last one stands the head."""
    desk, acme = await desk_with_log()
    entries = desk.store._states[acme.company_id].entries
    moved = entries[index].draft.seen_at + timedelta(days=1)
    entries[index] = rewrite(entries[index], seen_at=moved)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.difference) == (index + 1, LogDifference.CHANGED)
    assert found.fault is not None


@given(index=st.integers(0, LENGTH - 2))
async def test_a_removed_entry_is_named(index: int) -> None:
    desk, acme = await desk_with_log()
    del desk.store._states[acme.company_id].entries[index]

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.fault) == (index + 1, f"entry {index + 1} is missing: the next one is {index + 2}")
    assert found.difference is LogDifference.REMOVED


@given(index=st.integers(0, LENGTH - 2))
async def test_a_removed_entry_whose_followers_closed_the_gap_is_found(index: int) -> None:
    desk, acme = await desk_with_log()
    state = desk.store._states[acme.company_id]
    del state.entries[index]
    for place in range(index, len(state.entries)):
        state.entries[place] = state.entries[place]._replace(sequence=place + 1)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.difference) == (index + 1, LogDifference.REMOVED)
    assert found.fault == f"entry {index + 1} is missing: what stands there says it is entry {index + 2}"


@given(index=st.integers(0, LENGTH - 1), copied=st.integers(0, LENGTH - 1))
async def test_an_inserted_entry_is_found(index: int, copied: int) -> None:
    desk, acme = await desk_with_log()
    state = desk.store._states[acme.company_id]
    state.entries.insert(index, state.entries[copied]._replace(sequence=index + 1))
    for place in range(index + 1, len(state.entries)):
        state.entries[place] = state.entries[place]._replace(sequence=place + 1)

    found = await desk.runway.verify_log(acme.company_id)

    assert found.broken_at == (index + 1 if index != copied else index + 2)  # a copy before itself is itself
    assert found.difference is LogDifference.INSERTED


async def test_a_forged_entry_that_fits_its_neighbours_hash_is_named_by_the_next() -> None:
    desk, acme = await desk_with_log()
    entries = desk.store._states[acme.company_id].entries
    forged = rewrite(entries[4], external_id="B99")
    entries.insert(4, forged)
    for place in range(5, len(entries)):
        entries[place] = entries[place]._replace(sequence=place + 1)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.difference) == (5, LogDifference.INSERTED)


@given(places=st.lists(st.integers(0, LENGTH - 1), min_size=2, max_size=2, unique=True).map(sorted))
async def test_entries_that_changed_places_are_found(places: list[int]) -> None:
    desk, acme = await desk_with_log()
    entries = desk.store._states[acme.company_id].entries
    one, two = places
    first, second = entries[one], entries[two]
    entries[one], entries[two] = second._replace(sequence=one + 1), first._replace(sequence=two + 1)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.difference) == (one + 1, LogDifference.REORDERED)
    assert found.fault == f"it was moved: entry {one + 1} stands at {two + 1}"


@given(left=st.integers(0, LENGTH - 1))
async def test_a_tail_that_was_cut_off_is_found_by_the_head(left: int) -> None:
    desk, acme = await desk_with_log()
    del desk.store._states[acme.company_id].entries[left:]

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.entries, found.difference) == (left + 1, left, LogDifference.TRUNCATED)
    assert found.fault is not None
    assert f"the head says {LENGTH} entries, {left} are there" in found.fault


async def test_a_head_that_was_changed_is_found() -> None:
    desk, acme = await desk_with_log()
    state = desk.store._states[acme.company_id]
    state.head = ChainHead(sequence=state.head.sequence, hash=bytes(32))

    assert (await desk.runway.verify_log(acme.company_id)).broken_at == LENGTH


async def test_a_log_is_verified_from_a_trusted_entry_on() -> None:
    """What was changed before it is not seen; what was changed behind it is."""
    desk, acme = await desk_with_log()
    desk.clock.advance(timedelta(hours=1))
    desk.ledger("Acme").put(bill("B00", memo="edited again"))
    await desk.runway.sync(acme.company_id)
    entries = desk.store._states[acme.company_id].entries
    entries[1] = flip(entries[1], 80)
    since = entries[-1].draft.seen_at

    found = await desk.runway.verify_log(acme.company_id, since=since)
    entries[-1] = flip(entries[-1], 80)
    broken = await desk.runway.verify_log(acme.company_id, since=since)

    assert (found.is_sound, found.entries, found.trusted_through) == (True, 1, LENGTH)
    assert broken.broken_at == LENGTH + 1


class LogThatGrows:
    """Another worker appends an entry whenever the head was read."""

    def __init__(self, desk: FirmDesk) -> None:
        self._log = desk.store.log

    async def head(self, company_id: CompanyId) -> ChainHead:
        head = await self._log.head(company_id)
        [last] = [entry async for entry in self._log.entries(company_id, after=head.sequence - 1)]
        await self._log.append(company_id, [last.draft])
        return head

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


async def test_what_is_appended_while_verifying_is_no_fault() -> None:
    desk, acme = await desk_with_log()
    log: Any = LogThatGrows(desk)

    found = await verify_log(log, acme.company_id)

    assert (found.is_sound, found.entries) == (True, LENGTH)


async def test_an_entry_added_past_the_head_is_found() -> None:
    desk, acme = await desk_with_log()
    state = desk.store._states[acme.company_id]
    sealed, _ = seal_entries(acme.company_id, state.head, [state.entries[-1].draft])
    state.entries += sealed

    found = await desk.runway.verify_log(acme.company_id)

    assert found.broken_at == LENGTH + 1
    assert found.fault is not None
    assert "added past it" in found.fault


def resealed(entries: list[LogEntry], company_id: CompanyId) -> tuple[list[LogEntry], ChainHead]:
    """The whole chain written anew with right hashes, as by someone who owns the database."""
    previous, made = GENESIS, []
    for sequence, entry in enumerate(entries, start=1):
        canonical = encode_entry(company_id, entry.sequence, entry.draft)
        digest = hash_entry(previous, canonical)
        made.append(entry._replace(sequence=sequence, previous_hash=previous, canonical=canonical, hash=digest))
        previous = digest
    return made, ChainHead(sequence=len(made), hash=previous)


@pytest.mark.parametrize(
    ("forge", "broken_at", "fault"),
    [
        (lambda entries: (entries[:3] + entries[4:], "Acme"), 4, "it says it is entry 5"),
        (lambda entries: (entries, "Birch"), 1, "it belongs to another company"),
    ],
)
async def test_a_chain_that_was_sealed_anew_still_says_whose_and_which_it_is(
    forge: Callable[[list[LogEntry]], tuple[list[LogEntry], str]], broken_at: int, fault: str
) -> None:
    desk, acme = await desk_with_log()
    state = desk.store._states[acme.company_id]
    entries, owner = forge(state.entries)
    company_id = acme.company_id if owner == "Acme" else CompanyId("another")
    state.entries, state.head = resealed(entries, company_id)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.fault) == (broken_at, fault)


async def test_bytes_of_another_serialisation_are_named_not_raised() -> None:
    desk, acme = await desk_with_log()
    state = desk.store._states[acme.company_id]
    last = state.entries[-1]
    canonical = b"\x07" + last.canonical[1:]
    forged = last._replace(canonical=canonical, hash=hash_entry(last.previous_hash, canonical))
    state.entries[-1], state.head = forged, ChainHead(sequence=LENGTH, hash=forged.hash)

    found = await desk.runway.verify_log(acme.company_id)

    assert (found.broken_at, found.fault) == (LENGTH, "not an entry of serialisation 1 or 2")
