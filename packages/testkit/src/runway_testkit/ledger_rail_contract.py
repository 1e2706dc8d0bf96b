"""What every ledger rail promises: inherit `LedgerRailContract`, and give a `desk` fixture over books to be edited.

    class TestAcmeRail(LedgerRailContract):
        @pytest.fixture
        def desk(self) -> LedgerRailDesk: ...

A promise that a rail cannot keep is not dropped: its `abilities` say so, and the test checks that it says so.
"""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Protocol

import pytest
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import NotSupported, RailRefused, RecordGone, StaleRevision
from runway_core.ports.ledger_rail import LedgerRail, RailAbilities, RecordFix
from runway_core.ports.sweeping import SweepableRail

PAGES_AT_MOST = 1000


class LedgerRailDesk(Protocol):
    """A company's books at the vendor, as the person there sees them. At least three open bills are in them."""

    @property
    def abilities(self) -> RailAbilities:
        """What the rail states that it can do."""
        ...

    def open(self) -> LedgerRail:
        """Make a rail anew, as another process would."""
        ...

    async def enter_bill(self) -> RecordKey:
        """Enter a bill in the vendor's own pages."""
        ...

    async def edit_bill(self) -> RecordKey:
        """Change the memo of a bill in the vendor's own pages."""
        ...

    async def delete_bill(self) -> RecordKey:
        """Delete a bill that nothing is linked to."""
        ...


async def read_pages(rail: LedgerRail, cursor: Cursor | None) -> list[ChangePage]:
    """Read to the last page."""
    pages = []
    async for page in rail.changes_since(cursor):
        pages.append(page)
        assert len(pages) <= PAGES_AT_MOST, "the reading does not end"
    return pages


def contents(pages: Iterable[ChangePage]) -> dict[RecordKey, bytes]:
    """Every record as it was last shown."""
    held: dict[RecordKey, bytes] = {}
    for page in pages:
        for change in page.changes:
            held[change.record.key] = change.record.content()
        for deletion in page.deletions:
            held.pop(deletion.key, None)
    return held


class LedgerRailContract:
    """The promises of `LedgerRail`. Every test opens rails of its own at the desk."""

    async def test_the_rail_says_who_the_company_is(self, desk: LedgerRailDesk) -> None:
        rail = desk.open()

        profile = await rail.check_connection()

        assert profile.external_id
        assert rail.calls >= 1

    async def test_a_whole_reading_ends_with_every_key(self, desk: LedgerRailDesk) -> None:
        """If this fails: are keys collected over all pages, and only the last page marked?"""
        pages = await read_pages(desk.open(), None)

        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert pages[-1].present_keys is not None
        assert contents(pages).keys() <= pages[-1].present_keys
        assert pages[-1].reading_began is not None
        assert all(page.present_keys is None for page in pages[:-1])

    async def test_the_reading_began_before_its_answers(self, desk: LedgerRailDesk) -> None:
        """If this fails: what was read would be retired by its own reading."""
        pages = await read_pages(desk.open(), None)

        began = pages[-1].reading_began
        assert began is not None
        assert all(page.source_time >= began for page in pages)

    async def test_records_are_of_the_kinds_stated_and_keep_their_payload(self, desk: LedgerRailDesk) -> None:
        pages = await read_pages(desk.open(), None)

        changes = [change for page in pages for change in page.changes]
        assert {change.record.kind for change in changes} <= desk.abilities.kinds
        assert all(change.raw for change in changes)
        assert sum(change.record.kind is RecordKind.BILL for change in changes) >= 3

    async def test_every_time_is_in_utc(self, desk: LedgerRailDesk) -> None:
        pages = await read_pages(desk.open(), None)

        records = [change.record for page in pages for change in page.changes]
        times = [time for record in records for time in (record.created_at, record.modified_at) if time is not None]
        assert {time.utcoffset() for time in times} <= {timedelta(0)}
        assert {page.source_time.tzinfo for page in pages} == {UTC}

    async def test_reading_twice_shows_the_same(self, desk: LedgerRailDesk) -> None:
        """If this fails: does content depend on when or in which order it was read?"""
        first = await read_pages(desk.open(), None)
        second = await read_pages(desk.open(), None)

        assert contents(first) == contents(second)

    async def test_resuming_at_any_cursor_loses_nothing(self, desk: LedgerRailDesk) -> None:
        """If this fails: is `next_cursor` taken before the page's last change was read?"""
        whole = await read_pages(desk.open(), None)
        pages: list[ChangePage] = []
        cursor = None
        while not pages or not pages[-1].is_last:
            reading = desk.open().changes_since(cursor)
            pages.append(await anext(reading))
            await reading.aclose()
            cursor = pages[-1].next_cursor
            assert len(pages) <= PAGES_AT_MOST, "resuming does not get on"

        assert contents(pages) == contents(whole)
        assert pages[-1].present_keys == whole[-1].present_keys

    async def test_nothing_new_is_told_when_nothing_happened(self, desk: LedgerRailDesk) -> None:
        """Records may come twice, but as they were."""
        whole = await read_pages(desk.open(), None)
        news = await read_pages(desk.open(), whole[-1].next_cursor)

        known = contents(whole)
        assert news[-1].is_last
        assert contents(news).items() <= known.items()

    async def test_a_new_record_is_told(self, desk: LedgerRailDesk) -> None:
        whole = await read_pages(desk.open(), None)
        key = await desk.enter_bill()
        news = await read_pages(desk.open(), whole[-1].next_cursor)

        assert key not in contents(whole)
        assert key in contents(news)

    async def test_an_edit_is_told(self, desk: LedgerRailDesk) -> None:
        whole = await read_pages(desk.open(), None)
        key = await desk.edit_bill()
        news = await read_pages(desk.open(), whole[-1].next_cursor)

        assert contents(news)[key] != contents(whole)[key]

    async def test_a_deletion_is_told(self, desk: LedgerRailDesk) -> None:
        """If this fails: without deletions in the feed, `reports_deletions` must be false."""
        whole = await read_pages(desk.open(), None)
        key = await desk.delete_bill()
        news = await read_pages(desk.open(), whole[-1].next_cursor)
        again = await read_pages(desk.open(), None)

        told = any(deletion.key == key for page in news for deletion in page.deletions)
        present = news[-1].present_keys
        retired = present is not None and key not in present
        assert (told or retired) is desk.abilities.reports_deletions
        assert again[-1].present_keys is not None
        assert key not in again[-1].present_keys

    async def test_what_happens_while_everything_is_read_is_not_lost(self, desk: LedgerRailDesk) -> None:
        """If this fails: where does the cursor of the last page start?"""
        reading = desk.open().changes_since(None)
        pages = [await anext(reading)]
        entered, edited = await desk.enter_bill(), await desk.edit_bill()
        pages += [page async for page in reading]
        pages += await read_pages(desk.open(), pages[-1].next_cursor)
        now = await read_pages(desk.open(), None)

        assert contents(pages)[entered] == contents(now)[entered]
        assert contents(pages)[edited] == contents(now)[edited]

    async def test_a_rail_that_can_be_compared_shows_each_kind_whole(self, desk: LedgerRailDesk) -> None:
        """If this fails: are inactive records left out, or is the last page?"""
        rail = desk.open()
        whole = contents(await read_pages(desk.open(), None))

        assert isinstance(rail, SweepableRail) is desk.abilities.can_be_swept
        if isinstance(rail, SweepableRail):
            for kind in rail.swept_kinds:
                rows = [rows async for rows in rail.read_kind(kind)]
                shown = {change.key: change.record.content() for page in rows for change in page.changes}
                bad = {rejected.external_id for page in rows for rejected in page.rejected}
                assert shown == {key: content for key, content in whole.items() if key.kind is kind}
                assert await rail.count_kind(kind) == len(shown) + len(bad)
            assert rail.rows_a_call > 0

    async def test_one_record_reads_as_in_a_whole_reading(self, desk: LedgerRailDesk) -> None:
        pages = await read_pages(desk.open(), None)
        key, content = next(item for item in contents(pages).items() if item[0].kind is RecordKind.BILL)

        change = await desk.open().read_record(key)

        assert change.record.content() == content

    async def test_a_record_that_was_never_there_is_gone(self, desk: LedgerRailDesk) -> None:
        with pytest.raises(RecordGone):
            await desk.open().read_record(RecordKey(RecordKind.BILL, "987654321"))

    async def test_a_deleted_record_is_gone(self, desk: LedgerRailDesk) -> None:
        key = await desk.delete_bill()

        with pytest.raises(RecordGone):
            await desk.open().read_record(key)

    async def test_a_fix_is_written_and_told(self, desk: LedgerRailDesk) -> None:
        rail, fix = await self._plan_fix(desk, "memo", "checked by the advisor")
        whole = await read_pages(rail, None)
        written = await rail.apply_fix(fix, idempotency_key="fix-1")
        news = await read_pages(desk.open(), whole[-1].next_cursor)

        assert getattr(written.record, "memo") == "checked by the advisor"  # noqa: B009 - a field of bills
        assert written.record.revision != fix.expected_revision
        assert contents(news)[fix.key] == written.record.content()

    async def test_repeating_a_fix_with_its_key_is_the_same_write(self, desk: LedgerRailDesk) -> None:
        """If this fails: does the key reach the vendor, and is the body the same each time?"""
        rail, fix = await self._plan_fix(desk, "memo", "written once")
        first = await rail.apply_fix(fix, idempotency_key="fix-2")
        second = await desk.open().apply_fix(fix, idempotency_key="fix-2")

        assert second.record.revision == first.record.revision
        assert second.record.content() == first.record.content()

    async def test_a_fix_of_a_changed_record_is_refused(self, desk: LedgerRailDesk) -> None:
        rail, fix = await self._plan_fix(desk, "memo", "planned on an old page")
        await rail.apply_fix(fix, idempotency_key="fix-3")
        late = RecordFix(key=fix.key, expected_revision=fix.expected_revision, fields={"memo": "too late"})

        with pytest.raises(StaleRevision):
            await rail.apply_fix(late, idempotency_key="fix-4")

    async def test_a_field_that_cannot_be_written_is_refused(self, desk: LedgerRailDesk) -> None:
        rail, fix = await self._plan_fix(desk, "open_balance", "0")

        with pytest.raises(RailRefused):
            await rail.apply_fix(fix, idempotency_key="fix-5")

    async def test_a_fix_of_a_deleted_record_is_refused(self, desk: LedgerRailDesk) -> None:
        rail, _ = await self._plan_fix(desk, "memo", "")
        key = await desk.delete_bill()

        with pytest.raises(RecordGone):
            await rail.apply_fix(
                RecordFix(key=key, expected_revision="0", fields={"memo": "late"}), idempotency_key="fix-6"
            )

    async def test_a_kind_that_cannot_be_written_is_refused(self, desk: LedgerRailDesk) -> None:
        fix = RecordFix(key=RecordKey(RecordKind.JOURNAL_ENTRY, "1"), expected_revision="0", fields={"memo": "x"})
        if RecordKind.JOURNAL_ENTRY in desk.abilities.writes:
            pytest.skip("this rail states that it writes journal entries")

        with pytest.raises(NotSupported):
            await desk.open().apply_fix(fix, idempotency_key="fix-7")

    async def test_closing_twice_is_harmless(self, desk: LedgerRailDesk) -> None:
        rail = desk.open()
        await rail.aclose()
        await rail.aclose()

        assert rail.calls == 0

    async def _plan_fix(self, desk: LedgerRailDesk, field: str, value: object) -> tuple[LedgerRail, RecordFix]:
        """Plan to write one field of a bill; rails that write no bills must say so."""
        if RecordKind.BILL not in desk.abilities.writes:
            pytest.skip("this rail states that it writes no bills")
        rail = desk.open()
        key = await desk.edit_bill()
        change = await rail.read_record(key)
        return rail, RecordFix(key=key, expected_revision=change.record.revision, fields={field: value})
