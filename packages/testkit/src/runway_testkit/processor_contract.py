"""What every store promises of card processors: mirrored like the rest, and seen as payouts with their parts."""

from datetime import date
from decimal import Decimal

from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.processor import (
    Charge,
    ChargeState,
    PayoutState,
    ProcessorEntry,
    ProcessorEntryKind,
    SentPayout,
)

from runway_testkit.bank_contract import load
from runway_testkit.execution_contract import ExecutionContract
from runway_testkit.store_desk import StoreDesk

DAY = date(2026, 2, 20)


def make_charge(external_id: str = "ch1", *, refunded: str = "0.0000") -> Charge:
    """A payment by card for an invoice."""
    return Charge(
        external_id=external_id,
        feed="cards",
        booked_on=DAY,
        currency="USD",
        amount=Decimal("100.0000"),
        refunded=Decimal(refunded),
        state=ChargeState.SUCCEEDED,
        customer_name="Ann",
        invoice_number="1042",
        text="Subscription",
    )


def make_entry(
    external_id: str = "t1", *, source_id: str | None = "ch1", payout_id: str | None = "po1"
) -> ProcessorEntry:
    """What that charge brought."""
    return ProcessorEntry(
        external_id=external_id,
        feed="cards",
        booked_on=DAY,
        available_on=date(2026, 2, 24),
        currency="USD",
        entry_kind=ProcessorEntryKind.CHARGE,
        category="charge",
        gross=Decimal("100.0000"),
        fee=Decimal("3.2000"),
        net=Decimal("96.8000"),
        source_id=source_id,
        payout_id=payout_id,
    )


def make_payout(
    external_id: str = "po1", *, state: PayoutState = PayoutState.IN_TRANSIT, on: date = date(2026, 2, 25)
) -> SentPayout:
    """What was sent to the bank of it."""
    return SentPayout(
        external_id=external_id,
        feed="cards",
        booked_on=on,
        arrives_on=date(2026, 2, 27),
        currency="USD",
        amount=Decimal("96.8000"),
        state=state,
        trace_id="ST-1",
    )


class ProcessorContract(ExecutionContract):
    """Promises of what an insights rail brings."""

    async def test_payouts_are_seen_with_their_parts_and_what_is_held_by_day(self, desk: StoreDesk) -> None:
        """If this fails: does `load_books` read all five kinds, and give the fields of `see_processor`?"""
        await desk.put(make_charge(), make_entry(), make_payout(), make_entry("t2", source_id=None, payout_id=None))
        await desk.put(make_payout("old", on=date(2025, 3, 31)))  # a part of it may be older than the books
        books = await load(desk)

        (payout,) = books.payouts
        (part,) = payout.parts
        (balance,) = books.processor_balances
        assert (payout.external_id, payout.amount, payout.has_arrived) == ("po1", Decimal("96.8000"), False)
        assert (part.net, part.fee, part.invoice_number, part.customer_name) == (
            Decimal("96.8000"),
            Decimal("3.2000"),
            "1042",
            "Ann",
        )
        assert (balance.rail, balance.amount) == ("cards", Decimal("96.8000"))

    async def test_what_happens_at_the_processor_is_seen_at_the_next_reading_and_logged(self, desk: StoreDesk) -> None:
        await desk.put(make_charge(), make_entry(), make_payout())
        before = await load(desk)
        await desk.put(make_payout(state=PayoutState.PAID))
        paid = await load(desk)
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.PAYOUT, "po1")]))
        gone = await load(desk)

        assert [one.has_arrived for one in (*before.payouts, *paid.payouts)] == [False, True]
        assert gone.payouts == ()
        assert [paid.log_sequence - before.log_sequence, gone.log_sequence - paid.log_sequence] == [1, 1]
