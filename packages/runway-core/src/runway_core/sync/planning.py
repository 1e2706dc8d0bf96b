"""Decide what a page of changes does to the mirror; touch nothing.

Stores call these inside their transaction, on what they hold at that moment:

    held = …HeldVersion of every key in keys_of(page)…
    sifted = sift_page(page, held)
    previous = …the held records of sifted.previous_keys…
    plan = plan_page(sifted, previous, …)

Planning the same page on the mirror that it made plans nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runway_core.domain.changes import Attribution, Change, ChangeKind, ChangePage, Deletion, HeldVersion
from runway_core.domain.field_changes import WHOLE_RECORD
from runway_core.domain.identity import RecordKey
from runway_core.domain.ledger import Account, BalanceChange
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.record import Record, encode_plain, find_changed_fields, hash_content, is_older
from runway_core.domain.sync_run import PageCounts
from runway_core.errors import SuspiciousAbsence

MISSING_ALLOWED = 20
"""So many records may vanish between two whole readings without anyone asking why."""


@dataclass(slots=True)
class PlannedUpsert:
    """One record to write, with its canonical content and hash."""

    key: RecordKey
    change: Change
    what: ChangeKind
    content: bytes
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class PlannedTombstone:
    """One record to mark as deleted; its last known values stay. `modified_at` is the rail's time of deletion."""

    key: RecordKey
    modified_at: datetime | None


@dataclass(slots=True)
class SiftedPage:
    """A page against what is held: only news is left."""

    source_time: datetime
    upserts: list[PlannedUpsert] = field(default_factory=list)
    tombstones: list[PlannedTombstone] = field(default_factory=list)
    unchanged: int = 0
    outdated: int = 0
    quarantined: int = 0

    @property
    def previous_keys(self) -> list[RecordKey]:
        """Held records that the plan must compare with or keep values of."""
        changed = [u.key for u in self.upserts if u.what is not ChangeKind.CREATED]
        return [*changed, *(t.key for t in self.tombstones)]


@dataclass(slots=True)
class PagePlan:
    """What to write. `drafts[i]` belongs to `upserts[i]`, then the tombstones follow in order."""

    upserts: list[PlannedUpsert]
    tombstones: list[PlannedTombstone]
    drafts: list[LogDraft]
    balance_changes: list[BalanceChange]
    counts: PageCounts

    @property
    def is_empty(self) -> bool:
        """Nothing changed: only the cursor and the counters move."""
        return not self.drafts


def keys_of(page: ChangePage) -> list[RecordKey]:
    """Every key a page speaks of, once."""
    keys = dict.fromkeys(change.key for change in page.changes)
    keys.update(dict.fromkeys(deletion.key for deletion in page.deletions))
    return list(keys)


def sift_page(page: ChangePage, held: Mapping[RecordKey, HeldVersion]) -> SiftedPage:
    """Keep what is news: drop what is held already, what is older than what is held, and doubles within the page."""
    sifted = SiftedPage(source_time=page.source_time, quarantined=len(page.rejected))
    deletions = {deletion.key: deletion for deletion in page.deletions}
    newest: dict[RecordKey, Change] = {}
    for change in page.changes:
        key = change.key
        twin = newest.get(key)
        if twin is not None:
            sifted.outdated += 1
            if _is_older_within_page(change, twin):
                continue
        newest[key] = change
    for key, change in newest.items():
        if key in deletions and _deletion_wins(deletions[key], change):
            sifted.outdated += 1
            continue
        deletions.pop(key, None)
        _sift_change(sifted, key, change, held.get(key))
    for deletion in deletions.values():
        _sift_deletion(sifted, deletion, held.get(deletion.key))
    return sifted


def _is_older_within_page(change: Change, twin: Change) -> bool:
    new, old = change.record, twin.record
    if (
        new.revision_number is not None
        and old.revision_number is not None
        and new.revision_number != old.revision_number
    ):
        return new.revision_number < old.revision_number
    return new.modified_at is not None and old.modified_at is not None and new.modified_at < old.modified_at


def _deletion_wins(deletion: Deletion, change: Change) -> bool:
    if deletion.deleted_at is None or change.record.modified_at is None:
        return True
    return deletion.deleted_at >= change.record.modified_at


def _sift_change(sifted: SiftedPage, key: RecordKey, change: Change, held: HeldVersion | None) -> None:
    record = change.record
    content = record.content()
    digest = hash_content(content)
    what = ChangeKind.CREATED
    if held is not None:
        if held.content_hash == digest and not held.is_deleted:
            sifted.unchanged += 1
            return
        if is_older(
            revision_number=record.revision_number,
            modified_at=record.modified_at,
            source_time=sifted.source_time,
            held_revision_number=held.revision_number,
            held_modified_at=held.modified_at,
            held_source_time=held.source_time,
        ):
            sifted.outdated += 1
            return
        what = ChangeKind.RESTORED if held.is_deleted else ChangeKind.UPDATED
    sifted.upserts.append(PlannedUpsert(key, change, what, content, digest))


def _sift_deletion(sifted: SiftedPage, deletion: Deletion, held: HeldVersion | None) -> None:
    if held is None or held.is_deleted:
        sifted.unchanged += 1
    elif (
        deletion.deleted_at is not None
        and held.modified_at is not None
        and held.modified_at <= held.source_time
        and deletion.deleted_at < held.modified_at
    ):
        sifted.outdated += 1
    else:
        sifted.tombstones.append(PlannedTombstone(key=deletion.key, modified_at=deletion.deleted_at))


def find_missing(
    held: Mapping[RecordKey, HeldVersion],
    present: frozenset[RecordKey],
    reading_began: datetime,
    *,
    live_count: int | None = None,
    accept_missing: bool = False,
) -> list[PlannedTombstone]:
    """Name the live records that a whole reading did not show and that were last seen before it began.

    A store may leave out of `held` what `present` names, when `live_count` says how many live records there are.

    Raises:
        SuspiciousAbsence: more than half of what is held would go, and more than a handful.
    """
    live = [key for key, version in held.items() if not version.is_deleted]
    missing = [key for key in live if key not in present and held[key].source_time < reading_began]
    count = len(live) if live_count is None else live_count
    if not accept_missing and len(missing) > MISSING_ALLOWED and len(missing) * 2 > count:
        raise SuspiciousAbsence(
            f"the rail shows {count - len(missing)} of the {count} records held here: nothing was retired. "
            "Check that the right company is connected; if they are truly gone, run "
            "`runway sync COMPANY --full --accept-missing`"
        )
    return [PlannedTombstone(key=key, modified_at=None) for key in sorted(missing)]


def plan_page(
    sifted: SiftedPage,
    previous: Mapping[RecordKey, Record],
    *,
    rail: str,
    seen_at: datetime,
    attribution: Attribution,
) -> PagePlan:
    """Turn news into what to write: log drafts with changed fields, balance history, counters."""
    drafts = [_draft_change(upsert, previous, rail=rail, seen_at=seen_at, by=attribution) for upsert in sifted.upserts]
    drafts += [
        LogDraft(
            seen_at=seen_at,
            rail=rail,
            kind=str(tombstone.key.kind),
            external_id=tombstone.key.external_id,
            what=str(ChangeKind.DELETED),
            attribution=attribution,
            revision=previous[tombstone.key].revision if tombstone.key in previous else "",
            changed=_draft_loss(previous.get(tombstone.key)),
        )
        for tombstone in sifted.tombstones
    ]
    kinds = [upsert.what for upsert in sifted.upserts]
    created = kinds.count(ChangeKind.CREATED)
    return PagePlan(
        upserts=sifted.upserts,
        tombstones=sifted.tombstones,
        drafts=drafts,
        balance_changes=list(_find_moved_balances(sifted, previous, seen_at)),
        counts=PageCounts(
            pages=1,
            created=created,
            updated=len(kinds) - created,
            deleted=len(sifted.tombstones),
            unchanged=sifted.unchanged,
            outdated=sifted.outdated,
            quarantined=sifted.quarantined,
        ),
    )


def _draft_change(
    upsert: PlannedUpsert, previous: Mapping[RecordKey, Record], *, rail: str, seen_at: datetime, by: Attribution
) -> LogDraft:
    record = upsert.change.record
    before = previous.get(upsert.key) if previous else None
    changed = b"" if before is None else encode_plain(find_changed_fields(before, record))
    return LogDraft(
        seen_at=seen_at,
        rail=rail,
        kind=str(record.kind),
        external_id=record.external_id,
        what=str(upsert.what),
        attribution=by,
        revision=record.revision,
        content=upsert.content,
        raw=upsert.change.raw,
        changed=changed,
    )


def _draft_loss(gone: Record | None) -> bytes:
    """All that is lost with a record, so that whoever reads the entry need not look for what it was."""
    return b"" if gone is None else encode_plain({WHOLE_RECORD: (gone.__dict__, None)})


def _find_moved_balances(
    sifted: SiftedPage, previous: Mapping[RecordKey, Record], seen_at: datetime
) -> Iterable[BalanceChange]:
    for upsert in sifted.upserts:
        record = upsert.change.record
        if not isinstance(record, Account):
            continue
        before = previous.get(record.key)
        if isinstance(before, Account) and before.balance == record.balance and before.currency == record.currency:
            continue
        yield BalanceChange(
            account_id=record.external_id,
            observed_at=seen_at,
            source_time=sifted.source_time,
            currency=record.currency,
            balance=record.balance,
        )
