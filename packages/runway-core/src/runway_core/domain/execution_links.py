"""Which bill of the ledger a bill at an execution rail is, and what calculators see of the rail through that."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.execution import (
    CardPurchase,
    CardState,
    CardTransaction,
    ExecutionBill,
    ExecutionPayment,
    RailBill,
    RailPayment,
)

_SPENT = frozenset({CardState.PENDING, CardState.CLEARED})
Likeness = tuple[str, str, Decimal]


def link_bills(rail_bills: Iterable[ExecutionBill], ledger_bills: Sequence[Bill]) -> Mapping[str, str]:
    """Name the ledger's bill of each bill at the rail, as far as that is certain.

    What the rail names goes first. The others are linked when number, currency and total are those of exactly one bill
    on either side. Doubt links nothing, and the order of what is given changes nothing.
    """
    shown = sorted(rail_bills, key=lambda bill: bill.external_id)
    known = {bill.external_id for bill in ledger_bills}
    links = {bill.external_id: bill.ledger_bill_id for bill in shown if bill.ledger_bill_id in known}
    taken = set(links.values())
    alike: dict[Likeness, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for bill in shown:
        if bill.number and bill.external_id not in links:
            alike[_trait(bill)][0].append(bill.external_id)
    if alike:
        for entered in ledger_bills:
            if entered.number and entered.external_id not in taken and _trait(entered) in alike:
                alike[_trait(entered)][1].append(entered.external_id)
    pairs = {here[0]: there[0] for here, there in alike.values() if len(here) == len(there) == 1}
    return {rail_id: ledger_id for rail_id, ledger_id in {**links, **pairs}.items() if ledger_id is not None}


def _trait(bill: ExecutionBill | Bill) -> Likeness:
    number = "".join(letter for letter in (bill.number or "").casefold() if letter.isalnum())
    return number, bill.currency, bill.total


def make_rail_bills(rail_bills: Iterable[ExecutionBill], links: Mapping[str, str]) -> tuple[RailBill, ...]:
    """What calculators see of the bills."""
    return tuple(
        RailBill.trusted_many(
            [
                {
                    "rail": bill.feed,
                    "external_id": bill.external_id,
                    "bill_id": links.get(bill.external_id),
                    "number": bill.number,
                    "vendor_name": bill.vendor_name,
                    "due_date": bill.due_date,
                    "currency": bill.currency,
                    "total": bill.total,
                    "is_paid": not bill.open_balance,
                    "read_at": None,
                    "document_date": bill.document_date,
                    "state": bill.state,
                    "rail_vendor_id": bill.vendor_id,
                    "vendor_id": bill.ledger_vendor_id,
                }
                for bill in rail_bills
            ]
        )
    )


def make_rail_payments(payments: Iterable[ExecutionPayment], links: Mapping[str, str]) -> tuple[RailPayment, ...]:
    """What calculators see of the payments; one that was made elsewhere is none of this rail."""
    return tuple(
        RailPayment.trusted_many(
            [
                {
                    "rail": payment.feed,
                    "external_id": payment.external_id,
                    "currency": payment.currency,
                    "amount": payment.amount,
                    "state": payment.state,
                    "is_inflow": False,
                    "bill_ids": (links[payment.bill_id],) if payment.bill_id in links else (),
                    "invoice_ids": (),
                    "ledger_payment_id": None,
                    "released_on": payment.released_on,
                    "settles_on": payment.settled_on,
                    "account_id": None,
                    "read_at": None,
                    "rail_bill_id": payment.bill_id,
                }
                for payment in payments
                if not payment.is_outside
            ]
        )
    )


def make_card_purchases(
    purchases: Iterable[CardTransaction], payments: Iterable[ExecutionPayment]
) -> tuple[CardPurchase, ...]:
    """What calculators see of the purchases on cards: those that spent money, and which of them paid a bill there."""
    paying = {payment.card_transaction_id for payment in payments}
    return tuple(
        CardPurchase.trusted_many(
            [
                {
                    "rail": purchase.feed,
                    "external_id": purchase.external_id,
                    "booked_on": purchase.booked_on,
                    "currency": purchase.currency,
                    "amount": purchase.amount,
                    "merchant": purchase.merchant,
                    "text": purchase.text,
                    "is_pending": purchase.state is CardState.PENDING,
                    "is_in_ledger": purchase.is_in_ledger,
                    "pays_bill": purchase.external_id in paying,
                }
                for purchase in purchases
                if purchase.state in _SPENT
            ]
        )
    )
