"""What every store promises of the rails that pay bills: mirrored like the rest, and seen beside the ledger's bills."""

from datetime import date
from decimal import Decimal

from runway_core.domain.bills import Bill, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.execution import (
    CardState,
    CardTransaction,
    ExecutionBill,
    ExecutionPayment,
    ExecutionState,
    ExecutionVendor,
    RailPaymentState,
)
from runway_core.domain.identity import RecordKey, RecordKind

from runway_testkit.bank_contract import BankContract
from runway_testkit.store_desk import StoreDesk

DAY = date(2026, 2, 20)
TOTAL = Decimal("120.0000")


def make_rail_bill(external_id: str = "r1", *, ledger_bill_id: str | None = "9") -> ExecutionBill:
    """An open bill at the rail that names the ledger's."""
    return ExecutionBill(
        external_id=external_id,
        feed="payrail",
        number="INV-9",
        vendor_name="Norton",
        ledger_bill_id=ledger_bill_id,
        document_date=DAY,
        due_date=date(2026, 3, 20),
        currency="USD",
        total=TOTAL,
        open_balance=TOTAL,
        state=ExecutionState.SCHEDULED,
    )


def make_rail_payment(external_id: str = "r1", *, state: RailPaymentState) -> ExecutionPayment:
    """The payment of that bill."""
    return ExecutionPayment(
        external_id=external_id,
        feed="payrail",
        bill_id="r1",
        document_date=DAY,
        currency="USD",
        amount=TOTAL,
        method=PaymentMethod.TRANSFER,
        state=state,
    )


def make_ledger_bill(external_id: str = "9", *, number: str | None = "inv 9") -> Bill:
    """The ledger's bill."""
    return Bill(
        external_id=external_id,
        number=number,
        document_date=DAY,
        currency="USD",
        total=TOTAL,
        open_balance=TOTAL,
    )


class ExecutionContract(BankContract):
    """Promises of what rails beside the ledger bring: banks, and those that pay bills."""

    async def test_a_rails_bill_and_payment_are_seen_with_the_ledgers_bill_that_they_are(self, desk: StoreDesk) -> None:
        """If this fails: does `load_books` link bills of execution rails, and leave out what is deleted?"""
        await desk.put(make_ledger_bill(), make_rail_bill(), make_rail_bill("r2", ledger_bill_id="elsewhere"))
        await desk.put(make_rail_payment(state=RailPaymentState.SCHEDULED))
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.RAIL_BILL, "r2")]))
        books = await load(desk)

        assert [(one.rail, one.external_id, one.bill_id, one.is_paid) for one in books.rail_bills] == [
            ("payrail", "r1", "9", False)
        ]
        assert [(one.external_id, one.bill_ids, one.state) for one in books.rail_payments] == [
            ("r1", ("9",), RailPaymentState.SCHEDULED)
        ]

    async def test_news_of_the_rail_or_the_ledger_are_seen_at_the_next_reading(self, desk: StoreDesk) -> None:
        await desk.put(make_rail_bill(ledger_bill_id=None), make_rail_payment(state=RailPaymentState.SCHEDULED))
        alone = await load(desk)
        await desk.put(make_ledger_bill())
        linked = await load(desk)
        await desk.put(make_rail_payment(state=RailPaymentState.SETTLED))
        settled = await load(desk)

        assert [books.rail_bills[0].bill_id for books in (alone, linked)] == [None, "9"]
        assert [one.state for one in settled.rail_payments] == [RailPaymentState.SETTLED]

    async def test_vendors_and_card_purchases_of_a_rail_are_mirrored(self, desk: StoreDesk) -> None:
        vendor = ExecutionVendor(external_id="v1", feed="payrail", name="Norton", ledger_vendor_id="3")
        purchase = CardTransaction(
            external_id="c1",
            feed="payrail",
            booked_on=DAY,
            currency="USD",
            amount=Decimal("12.5000"),
            state=CardState.CLEARED,
        )
        await desk.put(vendor, purchase)
        held = await desk.store.mirror.read_records(desk.id, [vendor.key, purchase.key])

        assert [held[one.key].record for one in (vendor, purchase)] == [vendor, purchase]

    async def test_books_hold_what_was_spent_on_cards_and_what_of_it_paid_a_bill(self, desk: StoreDesk) -> None:
        spent, paid, declined = (
            CardTransaction(
                external_id=name,
                feed="payrail",
                booked_on=DAY,
                currency="USD",
                amount=Decimal("12.5000"),
                state=CardState.DECLINED if name == "declined" else CardState.CLEARED,
            )
            for name in ("spent", "paid", "declined")
        )
        await desk.put(spent, paid, declined)
        alone = await load(desk)
        payment = make_rail_payment(state=RailPaymentState.SETTLED)
        await desk.put(make_rail_bill(), payment.model_copy(update={"card_transaction_id": "paid"}))
        paying = await load(desk)

        assert [(one.rail, one.external_id, one.pays_bill) for one in alone.card_purchases] == [
            ("payrail", "paid", False),
            ("payrail", "spent", False),
        ]
        assert [(one.external_id, one.pays_bill) for one in paying.card_purchases] == [("paid", True), ("spent", False)]


async def load(desk: StoreDesk) -> Books:
    """The company's books since the beginning of 2025."""
    return await desk.store.mirror.load_books(
        desk.company, as_of=date(2026, 3, 2), history_from=date(2025, 1, 1), read_at=desk.now
    )
