"""What every insights rail promises: inherit `InsightsRailContract`, and give a `desk` fixture.

class TestAcmeRail(InsightsRailContract):
@pytest.fixture
def desk(self) -> InsightsDesk: ...
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

import pytest
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.processor import Charge, Dispute, ProcessorEntry, ProcessorEntryKind, Refund, SentPayout
from runway_core.errors import NotSupported, RailAccessLost
from runway_core.ports.ledger_rail import RecordFix

from runway_testkit.rail_desk import RailDesk, fold, pull


class InsightsDesk(RailDesk, Protocol):
    """One company's account at a processor, changed as the world would, and rails opened on it."""

    @property
    def odd_payouts(self) -> Sequence[str]:
        """The ids of payouts whose parts were made not to add up."""
        ...

    async def take_payment(self) -> str:
        """Let a customer pay by card; returns the charge's id."""
        ...

    async def refund(self, charge_id: str) -> None:
        """Give the whole of a charge back."""
        ...

    async def pay_out(self) -> str:
        """Send all that is available to the bank, so that the rail can list its parts; returns the payout's id."""
        ...


class InsightsRailContract:
    """Every promise of an insights rail."""

    async def test_a_whole_reading_says_what_is_there_and_names_what_it_came_of(self, desk: InsightsDesk) -> None:
        """If this fails: are all kinds in the first reading, and does its last page list every key?"""
        pages = await pull(desk)
        records = [change.record for page in pages for change in page.changes]
        charges = {record.external_id for record in records if isinstance(record, Charge)}
        claims = [record for record in records if isinstance(record, Refund | Dispute)]

        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert pages[-1].present_keys == frozenset(record.key for record in records)
        assert {record.kind for record in records} <= desk.abilities.kinds
        assert charges
        assert claims
        assert {claim.charge_id for claim in claims} <= charges

    async def test_every_automatic_payout_is_the_sum_of_its_parts(self, desk: InsightsDesk) -> None:
        """If this fails: are fees positive and outflows negative, and does each part name its payout?"""
        records = [change.record for page in await pull(desk) for change in page.changes]
        sums: dict[str | None, Decimal] = defaultdict(Decimal)
        for entry in records:
            if isinstance(entry, ProcessorEntry):
                assert entry.net == entry.gross - entry.fee
                assert entry.fee >= 0
                if entry.entry_kind is not ProcessorEntryKind.PAYOUT:
                    sums[entry.payout_id] += entry.net
        payouts = [record for record in records if isinstance(record, SentPayout) and record.external_id in sums]

        assert payouts
        assert {one.external_id for one in payouts if sums[one.external_id] != one.amount} == set(desk.odd_payouts)

    async def test_a_second_reading_brings_nothing_when_nothing_happened(self, desk: InsightsDesk) -> None:
        first = await pull(desk)
        second = await pull(desk, first[-1].next_cursor)

        assert fold(second) == {}
        assert second[-1].present_keys is None

    async def test_resuming_at_any_page_loses_nothing(self, desk: InsightsDesk) -> None:
        """If this fails: a page's cursor lies beyond what was given out by then."""
        pages = await pull(desk)
        whole = fold(pages)
        assert len(pages) > 1, "the desk's account must fill more than one page"
        for place in (0, len(pages) // 2, len(pages) - 1):
            resumed = await pull(desk, pages[place].next_cursor)
            assert fold(resumed, fold(pages[: place + 1])) == whole

    async def test_a_payment_and_its_refund_come_without_reading_everything_again(self, desk: InsightsDesk) -> None:
        first = await pull(desk)
        paid = await desk.take_payment()
        second = await pull(desk, first[-1].next_cursor)
        await desk.refund(paid)
        third = await pull(desk, second[-1].next_cursor)
        (charge,) = (c.record for page in second for c in page.changes if isinstance(c.record, Charge))
        shown = [change.record for page in third for change in page.changes]

        assert (charge.external_id, charge.refunded) == (paid, Decimal(0))
        assert {page.present_keys for page in (*second, *third)} == {None}
        assert [one.charge_id for one in shown if isinstance(one, Refund)] == [paid]
        assert [one.refunded for one in shown if isinstance(one, Charge)] == [charge.amount]
        assert fold(third, fold(second, fold(first))) == fold(await pull(desk))

    async def test_a_payout_is_told_with_its_parts(self, desk: InsightsDesk) -> None:
        await desk.take_payment()
        first = await pull(desk)
        payout_id = await desk.pay_out()
        news = await pull(desk, first[-1].next_cursor)
        records = [change.record for page in news for change in page.changes]
        parts = [one for one in records if isinstance(one, ProcessorEntry) and one.payout_id == payout_id]

        (payout,) = (one for one in records if isinstance(one, SentPayout) and one.external_id == payout_id)
        assert payout.amount == sum(one.net for one in parts if one.entry_kind is not ProcessorEntryKind.PAYOUT)
        assert fold(news, fold(first)) == fold(await pull(desk))

    async def test_nothing_is_written_and_lost_access_tells_no_secret(self, desk: InsightsDesk) -> None:
        first = await pull(desk)
        with pytest.raises(NotSupported):
            await desk.open().apply_fix(RecordFix(RecordKey(RecordKind.PAYOUT, "one"), ""), idempotency_key="k")
        await desk.lose_access()
        with pytest.raises(RailAccessLost) as lost:
            await pull(desk, first[-1].next_cursor)

        assert not [secret for secret in desk.secrets if secret in f"{lost.value} {lost.value!r}"]
