"""What every execution rail promises: inherit `ExecutionRailContract`, and give a `desk` fixture.

class TestAcmeRail(ExecutionRailContract):
@pytest.fixture
def desk(self) -> ExecutionDesk: ...
"""

from typing import Protocol

import pytest
from runway_core.domain.execution import ExecutionBill, ExecutionPayment
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import NotSupported, RailAccessLost, RecordGone
from runway_core.ports.ledger_rail import RecordFix

from runway_testkit.rail_desk import RailDesk, fold, pull


class ExecutionDesk(RailDesk, Protocol):
    """One company at a vendor that pays bills, changed as people would, and rails opened on it."""

    async def change_a_bill(self) -> None:
        """Let a person change where one bill stands."""
        ...

    async def archive_a_bill(self) -> str:
        """Let a person put an unpaid bill away; returns its id."""
        ...

    async def confuse_access(self) -> None:
        """End the tokens, so that the vendor answers in whatever way it answers a dead one. The keys stay good."""
        ...


class ExecutionRailContract:
    """Every promise of an execution rail."""

    async def test_a_whole_reading_says_what_is_there_and_each_payment_has_its_bill(self, desk: ExecutionDesk) -> None:
        """If this fails: does the last page list every key of the kinds that it names?"""
        pages = await pull(desk)
        records = [change.record for page in pages for change in page.changes]
        last = pages[-1]
        bills = {record.external_id for record in records if isinstance(record, ExecutionBill)}
        payments = [record for record in records if isinstance(record, ExecutionPayment)]

        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert {record.kind for record in records} <= desk.abilities.kinds
        assert last.present_keys is not None
        kinds = last.present_kinds or desk.abilities.kinds
        assert last.present_keys == {record.key for record in records if record.kind in kinds}
        assert bills
        assert payments
        assert {payment.bill_id for payment in payments} <= bills

    async def test_a_second_reading_changes_nothing_when_nothing_happened(self, desk: ExecutionDesk) -> None:
        first = await pull(desk)
        second = await pull(desk, first[-1].next_cursor)

        assert fold(second, fold(first)) == fold(first)
        assert second[-1].present_keys is None

    async def test_resuming_at_any_page_loses_nothing(self, desk: ExecutionDesk) -> None:
        """If this fails: a page's cursor lies beyond what was given out by then."""
        pages = await pull(desk)
        whole = fold(pages)
        assert len(pages) > 2, "the desk's company must fill more than two pages"
        for place, page in enumerate(pages):
            resumed = await pull(desk, page.next_cursor)
            assert fold(resumed, fold(pages[: place + 1])) == whole

    async def test_a_change_of_a_bill_comes_without_reading_everything_again(self, desk: ExecutionDesk) -> None:
        """If this fails: does the vendor tell when a bill changed, and if not, is what is open read again?"""
        first = await pull(desk)
        await desk.change_a_bill()
        news = await pull(desk, first[-1].next_cursor)

        assert news[-1].present_keys is None
        assert fold(news, fold(first)) == fold(await pull(desk))
        assert fold(news, fold(first)) != fold(first)

    async def test_a_bill_that_was_put_away_is_a_deletion(self, desk: ExecutionDesk) -> None:
        first = await pull(desk)
        gone = await desk.archive_a_bill()
        news = await pull(desk, first[-1].next_cursor)

        key = RecordKey(RecordKind.RAIL_BILL, gone)
        assert key in {deletion.key for page in news for deletion in page.deletions}
        assert fold(news, fold(first)) == fold(await pull(desk))
        with pytest.raises(RecordGone):
            await desk.open().read_record(key)

    async def test_a_dead_token_is_renewed_and_never_taken_for_a_deletion(self, desk: ExecutionDesk) -> None:
        """If this fails: is an answer of "not there" believed before another call showed that the token is good?"""
        first = await pull(desk)
        bill = next(key for key in fold(first) if key.kind is RecordKind.RAIL_BILL)
        await desk.confuse_access()
        read = await desk.open().read_record(bill)
        await desk.confuse_access()
        news = await pull(desk, first[-1].next_cursor)

        assert read.key == bill
        assert fold(news, fold(first)) == fold(first)

    async def test_access_that_was_ended_is_lost_and_tells_no_secret(self, desk: ExecutionDesk) -> None:
        first = await pull(desk)
        bill = next(key for key in fold(first) if key.kind is RecordKind.RAIL_BILL)
        await desk.lose_access()
        with pytest.raises(RailAccessLost) as lost:
            await pull(desk, first[-1].next_cursor)
        with pytest.raises(RailAccessLost):
            await desk.open().read_record(bill)

        assert not [secret for secret in desk.secrets if secret in f"{lost.value} {lost.value!r}"]

    async def test_nothing_at_the_rail_is_written_by_a_fix(self, desk: ExecutionDesk) -> None:
        bill = next(key for key in fold(await pull(desk)) if key.kind is RecordKind.RAIL_BILL)
        with pytest.raises(NotSupported):
            await desk.open().apply_fix(RecordFix(bill, "", {"memo": "x"}), idempotency_key="k")
