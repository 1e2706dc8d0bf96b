"""Hypothesis strategies for what other rails say of a company's books, and what people keep beside them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from runway_core.domain.aliases import NameAlias
from runway_core.domain.bank import Reconciliation
from runway_core.domain.execution import CardPurchase, PaymentDetails, RailBill, RailPayment, RailPaymentState
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.planned_items import PlannedItem
from runway_core.domain.policy import CallBack

AS_OF = date(2026, 3, 2)
READ_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

_VENDOR_IDS = st.sampled_from(("V1", "V2", "V3"))
_AMOUNTS = st.sampled_from((Decimal("100.0000"), Decimal("1000.0000"), Decimal("77.5000")))
_BACK = st.integers(0, 60)
MERCHANT = "Ada Ltd"  # who is among the vendors of drawn books
_CURRENCIES = st.sampled_from(("USD", "USD", "EUR"))


def _days(back: int, ahead: int) -> st.SearchStrategy[date]:
    return st.integers(-back, ahead).map(lambda offset: AS_OF + timedelta(days=offset))


@st.composite
def _rail_bill(draw: st.DrawFn, number: int) -> RailBill:
    return RailBill(
        rail=draw(st.sampled_from(("ramp", "other"))),
        external_id=f"R{number}",
        bill_id=draw(st.sampled_from(("B0", "B1", "gone", None))),
        due_date=draw(st.none() | _days(20, 60)),
        currency=draw(_CURRENCIES),
        total=draw(_AMOUNTS),
        is_paid=draw(st.booleans()),
        read_at=READ_AT,
    )


@st.composite
def _rail_payment(draw: st.DrawFn, number: int) -> RailPayment:
    is_inflow = draw(st.booleans())
    ids = draw(st.lists(st.integers(0, 3), max_size=2))
    return RailPayment(
        rail="ramp",
        external_id=f"P{number}",
        currency=draw(_CURRENCIES),
        amount=draw(_AMOUNTS),
        state=draw(st.sampled_from(RailPaymentState)),
        is_inflow=is_inflow,
        bill_ids=() if is_inflow else tuple(f"B{one}" for one in ids),
        invoice_ids=tuple(f"I{one}" for one in ids) if is_inflow else (),
        ledger_payment_id=draw(st.sampled_from((None, "BP0", "CP0", "gone"))),
        settles_on=draw(st.none() | _days(30, 10)),
    )


@st.composite
def _planned_item(draw: st.DrawFn, number: int) -> PlannedItem:
    return PlannedItem(
        paper_id=f"plan{number}",
        changed_at=READ_AT - timedelta(days=40),
        changed_by="ada",
        label="Roof",
        on=draw(_days(30, 60)),
        amount=draw(_AMOUNTS),
        currency=draw(_CURRENCIES),
        is_inflow=draw(st.booleans()),
        owner="ada",
        confirmed_on=draw(_days(40, 0)),
        vendor_id=draw(st.none() | _VENDOR_IDS),
    )


def _details(vendor_id: str, changed_on: date | None, *, tail: str) -> PaymentDetails:
    return PaymentDetails(rail="ramp", vendor_id=vendor_id, account_tail=tail, changed_on=changed_on)


def _change(record: RecordKey, field: str, *, before: str | None) -> FieldChange:
    seen_at = READ_AT - timedelta(days=5)
    return FieldChange(record=record, field=field, before=before, after="9921", seen_at=seen_at, rail="qbo")


@st.composite
def _late_change(draw: st.DrawFn) -> FieldChange:
    """A change of what an entry of these books says of its money, or of one that is gone."""
    field, before, after = draw(
        st.sampled_from(
            (
                ("total", "5.0000", "6.0000"),
                ("document_date", "2026-01-05", "2026-02-05"),
                ("account_id", "savings", "bank"),
                ("is_void", "false", "true"),
            )
        )
    )
    kind, prefix = draw(st.sampled_from(((RecordKind.PURCHASE, "E"), (RecordKind.BILL, "B"))))
    return FieldChange(
        record=RecordKey(kind, f"{prefix}{draw(st.integers(0, 2))}"),
        field=field,
        before=before,
        after=after,
        seen_at=READ_AT - timedelta(days=draw(st.integers(0, 60))),
        rail="qbo",
    )


def _reconciliation(account_id: str, through: date) -> Reconciliation:
    return Reconciliation(account_id=account_id, through=through, reconciled_at=READ_AT - timedelta(days=20))


def _call_back(vendor_id: str, days_ago: int) -> CallBack:
    at = READ_AT - timedelta(days=days_ago)
    return CallBack(
        paper_id=vendor_id, changed_at=at, changed_by="ada", vendor_id=vendor_id, spoke_to="Mo", number_called="555"
    )


def _alias(vendor_id: str) -> NameAlias:
    party = RecordKey(RecordKind.VENDOR, vendor_id)
    return NameAlias(paper_id="zq pay", changed_at=READ_AT, changed_by="ada", text="ZQ PAY", party=party)


# Kept, and not made anew for each draw, which takes longer than drawing.
_CHANGES = st.builds(
    _change,
    st.sampled_from((RecordKey(RecordKind.VENDOR, "V1"), RecordKey(RecordKind.VENDOR, "gone"))),
    st.sampled_from(("bank_account", "email")),
    before=st.sampled_from((None, "4410")),
)
_DETAILS = st.builds(_details, _VENDOR_IDS, st.none() | _days(40, 2), tail=st.sampled_from(("4410", "9921")))
_LISTS: dict[str, st.SearchStrategy[list[Any]]] = {
    "payment_details": st.lists(_DETAILS, max_size=2),
    "changes": st.lists(_CHANGES | _late_change(), max_size=3),
    "reconciliations": st.lists(
        st.builds(_reconciliation, st.sampled_from(("bank", "savings")), _days(90, 0)), max_size=2
    ),
    "call_backs": st.lists(st.builds(_call_back, _VENDOR_IDS, st.integers(0, 40)), max_size=1),
    "aliases": st.lists(st.builds(_alias, _VENDOR_IDS), max_size=1),
}


def _card_purchase(number: int, amount: Decimal, back: int, *, is_in_ledger: bool) -> CardPurchase:
    return CardPurchase(
        rail="ramp",
        external_id=f"C{number}",
        booked_on=AS_OF - timedelta(days=back),
        currency="USD",
        amount=amount,
        merchant=MERCHANT,
        is_in_ledger=is_in_ledger,
    )


_SEVERAL = {most: st.integers(0, most) for most in (2, 3)}
_IS_ONE_RAIL = st.booleans()


@st.composite
def rails(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    """Fields of `Books` beside the ledger and the bank; nothing half of the time, as with companies of one rail."""
    if draw(_IS_ONE_RAIL):
        return {}
    return {
        "rail_bills": tuple(draw(_rail_bill(number)) for number in range(draw(_SEVERAL[2]))),
        "rail_payments": tuple(draw(_rail_payment(number)) for number in range(draw(_SEVERAL[3]))),
        "card_purchases": tuple(
            _card_purchase(number, draw(_AMOUNTS), draw(_BACK), is_in_ledger=draw(st.booleans()))
            for number in range(draw(_SEVERAL[2]))
        ),
        "planned_items": tuple(draw(_planned_item(number)) for number in range(draw(_SEVERAL[2]))),
        **{name: tuple(draw(several)) for name, several in _LISTS.items()},
    }
