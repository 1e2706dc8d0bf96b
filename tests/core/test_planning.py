"""Planning decides what a page does to the mirror; a dictionary stands for the mirror here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.changes import (
    Attribution,
    Cause,
    Change,
    ChangeKind,
    ChangePage,
    Cursor,
    Deletion,
    HeldVersion,
)
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.record import Record
from runway_core.errors import SuspiciousAbsence
from runway_core.sync.planning import MISSING_ALLOWED, PagePlan, find_missing, keys_of, plan_page, sift_page

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BY = Attribution(cause=Cause.PULL, actor="runway", correlation_id="run-1")


def account(
    external_id: str = "A", *, revision: int | None = 0, minutes: int | None = 0, balance: int = 0, name: str = "Bank"
) -> Account:
    return Account(
        external_id=external_id,
        revision="" if revision is None else str(revision),
        revision_number=revision,
        modified_at=None if minutes is None else NOW + timedelta(minutes=minutes),
        name=name,
        full_name=name,
        account_kind=AccountKind.BANK,
        account_type="Bank",
        currency="USD",
        balance=Decimal(balance).quantize(Decimal("0.0001")),
    )


def page(*records: Record, gone: Iterable[Deletion] = (), at: datetime = NOW) -> ChangePage:
    return ChangePage(
        changes=tuple(Change(record=record, raw=b"{}") for record in records),
        deletions=tuple(gone),
        next_cursor=Cursor("next"),
        source_time=at,
    )


@dataclass
class Mirror:
    """What a store keeps of each record, and how it applies a plan."""

    records: dict[RecordKey, Record] = field(default_factory=dict)
    held: dict[RecordKey, HeldVersion] = field(default_factory=dict)

    def plan(self, news: ChangePage) -> PagePlan:
        known = {key: self.held[key] for key in keys_of(news) if key in self.held}
        sifted = sift_page(news, known)
        previous = {key: self.records[key] for key in sifted.previous_keys}
        return plan_page(sifted, previous, rail="qbo", seen_at=NOW, attribution=BY)

    def apply(self, news: ChangePage) -> PagePlan:
        plan = self.plan(news)
        for upsert in plan.upserts:
            record = upsert.change.record
            self.records[record.key] = record
            self.held[record.key] = HeldVersion(
                content_hash=upsert.content_hash,
                revision_number=record.revision_number,
                modified_at=record.modified_at,
                source_time=news.source_time,
                is_deleted=False,
            )
        for tombstone in plan.tombstones:
            before = self.held[tombstone.key]
            self.held[tombstone.key] = HeldVersion(
                content_hash=before.content_hash,
                revision_number=before.revision_number,
                modified_at=tombstone.modified_at or before.modified_at,
                source_time=news.source_time,
                is_deleted=True,
            )
        return plan

    def live(self) -> set[RecordKey]:
        return {key for key, version in self.held.items() if not version.is_deleted}


def test_new_changed_gone_and_back_are_told_apart() -> None:
    mirror = Mirror()
    gone = Deletion(key=account().key)

    whats = [
        [draft.what for draft in mirror.apply(news).drafts]
        for news in (
            page(account()),
            page(account()),
            page(account(revision=1, minutes=1, name="Bank 2")),
            page(gone=[gone]),
            page(gone=[gone]),
            page(account(revision=2, minutes=2)),
        )
    ]

    assert whats == [
        [ChangeKind.CREATED],
        [],
        [ChangeKind.UPDATED],
        [ChangeKind.DELETED],
        [],
        [ChangeKind.RESTORED],
    ]


def test_a_change_logs_what_was_and_what_is() -> None:
    mirror = Mirror()
    mirror.apply(page(account()))

    (draft,) = mirror.apply(page(account(revision=1, minutes=1, name="New"))).drafts

    assert b'"name":["Bank","New"]' in draft.changed
    assert (draft.kind, draft.external_id, draft.revision) == ("account", "A", "1")


def test_what_is_older_stays_out_and_is_counted() -> None:
    mirror = Mirror()
    mirror.apply(page(account(revision=5, minutes=5)))

    plan = mirror.plan(page(account(revision=4, minutes=9, name="Old"), at=NOW + timedelta(hours=1)))

    assert plan.is_empty
    assert plan.counts.outdated == 1


def test_a_balance_that_moved_without_a_new_revision_is_news() -> None:
    mirror = Mirror()
    mirror.apply(page(account(balance=10)))

    plan = mirror.apply(page(account(balance=12), at=NOW + timedelta(minutes=5)))

    assert [change.balance for change in plan.balance_changes] == [12]
    assert plan.counts.updated == 1


def test_a_record_twice_in_a_page_is_written_once_the_newest() -> None:
    plan = Mirror().plan(page(account(revision=2, name="New"), account(revision=1, name="Old")))

    assert [draft.revision for draft in plan.drafts] == ["2"]
    assert plan.counts.outdated == 1


def test_a_record_changed_and_deleted_in_a_page_follows_the_later() -> None:
    early = Deletion(key=account().key, deleted_at=NOW - timedelta(hours=1))
    late = Deletion(key=account().key, deleted_at=NOW + timedelta(hours=1))
    mirror = Mirror()
    mirror.apply(page(account(minutes=-120)))

    kept = mirror.plan(page(account(revision=1, name="Kept"), gone=[early]))
    removed = mirror.plan(page(account(revision=1, name="Gone"), gone=[late]))

    assert [draft.what for draft in kept.drafts] == [ChangeKind.UPDATED]
    assert [draft.what for draft in removed.drafts] == [ChangeKind.DELETED]


def held_at(when: datetime, *, is_deleted: bool = False) -> HeldVersion:
    return HeldVersion(
        content_hash=b"", revision_number=None, modified_at=None, source_time=when, is_deleted=is_deleted
    )


@given(st.integers(0, 200), st.integers(0, 200))
def test_too_many_missing_at_once_are_asked_about(total: int, missing: int) -> None:
    missing = min(missing, total)
    held = {RecordKey(RecordKind.BILL, f"{n:04}"): held_at(NOW) for n in range(total)}
    present = frozenset(list(held)[missing:])
    began = NOW + timedelta(minutes=1)

    def gone(*, accept_missing: bool = False) -> list[RecordKey]:
        return [t.key for t in find_missing(held, present, began, accept_missing=accept_missing)]

    assert set(gone(accept_missing=True)) == held.keys() - present
    if missing > MISSING_ALLOWED and missing * 2 > total:
        with pytest.raises(SuspiciousAbsence, match="--accept-missing"):
            gone()
    else:
        assert set(gone()) == held.keys() - present


def test_what_was_seen_after_the_reading_began_is_not_missing() -> None:
    key, other = RecordKey(RecordKind.BILL, "1"), RecordKey(RecordKind.BILL, "2")
    held = {key: held_at(NOW), other: held_at(NOW - timedelta(days=1), is_deleted=True)}

    assert find_missing(held, frozenset(), NOW) == []


VERSIONS = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 6), st.integers(-3, 3)), min_size=1, max_size=12)


@given(st.lists(VERSIONS, min_size=1, max_size=4))
def test_planning_a_page_twice_plans_nothing(pages: list[list[tuple[str, int, int]]]) -> None:
    mirror = Mirror()
    for hour, versions in enumerate(pages):
        news = page(
            *(
                account(name_, revision=revision, minutes=revision, balance=balance)
                for name_, revision, balance in versions
            ),
            at=NOW + timedelta(hours=hour),
        )
        plan = mirror.apply(news)
        counts = plan.counts

        assert counts.changed + counts.unchanged + counts.outdated == len(versions)
        assert len(plan.drafts) == len(plan.upserts) + len(plan.tombstones)
        assert mirror.plan(news).is_empty


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 9)), min_size=1, max_size=10, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_newest_revision_wins_in_whatever_order_pages_come(versions: list[tuple[str, int]], random: Random) -> None:
    def arrive(order: list[tuple[str, int]]) -> dict[RecordKey, str]:
        mirror = Mirror()
        for step, (external_id, revision) in enumerate(order):
            record = account(external_id, revision=revision, minutes=revision, name=f"Version {revision}")
            mirror.apply(page(record, at=NOW + timedelta(minutes=step)))
        return {key: record.revision for key, record in mirror.records.items()}

    shuffled = random.sample(versions, len(versions))

    newest = {
        RecordKey(RecordKind.ACCOUNT, name): str(max(revision for other, revision in versions if other == name))
        for name, _ in versions
    }
    assert arrive(versions) == arrive(shuffled) == newest


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.booleans()), min_size=1, max_size=15))
def test_deleting_and_restoring_leaves_what_came_last(steps: list[tuple[str, bool]]) -> None:
    mirror, expected = Mirror(), set()
    for step, (external_id, is_there) in enumerate(steps):
        at = NOW + timedelta(minutes=step)
        record = account(external_id, revision=step, minutes=step)
        gone = Deletion(key=record.key, deleted_at=at)
        mirror.apply(page(record, at=at) if is_there else page(gone=[gone], at=at))
        if is_there:
            expected.add(record.key)
        else:
            expected.discard(record.key)

    assert mirror.live() == expected
