"""What every store promises of changes that books hold."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from runway_core.domain.field_changes import WHOLE_RECORD, FieldChange
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.past import read_contents

from runway_testkit.desk_contract import DeskContract
from runway_testkit.store_desk import StoreDesk, make_account, make_bill

BILL = RecordKey(RecordKind.BILL, "1")


async def load_changes(desk: StoreDesk, *, days: int = 0) -> tuple[FieldChange, ...]:
    """What books say changed lately, when they are read so many days on."""
    books = await desk.store.mirror.load_books(
        desk.company,
        as_of=date(2026, 3, 2),
        history_from=date(2025, 1, 1),
        read_at=desk.now + timedelta(days=days),
    )
    return books.changes


class ChangesContract(DeskContract):
    """The promises of `Books.changes`."""

    async def test_books_hold_what_changed_of_watched_fields_in_sixty_days(self, desk: StoreDesk) -> None:
        """If this fails: does the reading begin sixty days before, and is what was held carried on?"""
        await desk.put(make_bill(), make_account())
        first_seen = desk.now
        await desk.put(make_bill(revision=1, memo="freight").model_copy(update={"total": Decimal("45.0000")}))
        before = await load_changes(desk)
        await desk.put(make_bill(revision=2).model_copy(update={"document_date": date(2026, 2, 3)}))
        after = await load_changes(desk)

        assert before == (
            FieldChange(record=BILL, field="total", before="40.0000", after="45.0000", seen_at=first_seen, rail="qbo"),
        )
        assert [(change.field, change.after) for change in after] == [
            ("total", "45.0000"),
            ("document_date", "2026-02-03"),
            ("total", "40.0000"),
        ]
        assert await load_changes(desk, days=61) == ()

    async def test_books_hold_what_was_deleted_as_it_last_was(self, desk: StoreDesk) -> None:
        """If this fails: are entries of deletions read beside those of updates, and does each hold the lost record?"""
        bill = make_bill(memo="timber")
        await desk.put(bill, make_bill("2"))
        before = await load_changes(desk)
        seen = desk.now
        await desk.commit(desk.make_page(deleted=[BILL]))
        (change,) = await load_changes(desk)

        assert before == ()
        assert (change.record, change.field, change.after, change.seen_at) == (BILL, WHOLE_RECORD, None, seen)
        assert read_contents(RecordKind.BILL, [(change.before or "").encode()]) == [bill]
        assert await load_changes(desk, days=61) == ()

    async def test_what_was_deleted_is_told_of_a_past_day_too(self, desk: StoreDesk) -> None:
        """If this fails: does reading the past take entries of deletions?"""
        known = desk.now
        await desk.put(make_bill())
        await desk.commit(desk.make_page(deleted=[BILL]))
        later = desk.now

        async def load(moment: datetime) -> tuple[FieldChange, ...]:
            books = await desk.store.mirror.load_books(
                desk.company, as_of=date(2026, 3, 2), history_from=date(2025, 1, 1), read_at=moment, known_at=moment
            )
            return books.changes

        assert await load(known) == ()
        assert [change.field for change in await load(later)] == [WHOLE_RECORD]
