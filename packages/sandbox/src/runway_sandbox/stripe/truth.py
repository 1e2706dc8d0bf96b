"""Which things at the processor and in the books are one, and where the two were made to differ."""

from __future__ import annotations

from typing import Any

from runway_sandbox.processor import Processor
from runway_sandbox.processor_things import Charge, Payout

_PLANTED = {  # what it is called, which check may find it, and why
    "payout_booked_as_income": (
        "payout booked as income",
        "SY04",
        "the deposit books the payout as one sale, without tax and fees",
    ),
    "fee_not_recorded": ("fee not recorded", None, "the deposit books sales less the fees, and no fees"),
    "payout_sum_wrong": ("payout sum wrong", None, "the parts that are listed make up another sum than was paid"),
}

Pair = dict[str, Any]


def find_same(processor: Processor) -> list[Pair]:
    """List the pairs: a payout and its deposit, a charge and its receipt. What is to come is among them."""
    pairs = [("Deposit", one.deposit_id, "payout", one.id) for one in processor.of_kind(Payout) if one.deposit_id]
    pairs += [("Payment", one.receipt_id, "charge", one.id) for one in processor.of_kind(Charge) if one.receipt_id]
    return [
        {
            "records": [
                {"rail": "qbo", "kind": kind, "id": identifier},
                {"rail": "stripe", "kind": theirs, "id": their_id},
            ]
        }
        for kind, identifier, theirs, their_id in pairs
    ]


def find_differences(processor: Processor) -> list[Pair]:
    """List what was planted, with the records on both sides."""
    return [
        {
            "what": what,
            "check": check,
            "records": [
                {"rail": "qbo", "kind": "Deposit", "id": one.deposit_id},
                {"rail": "stripe", "kind": "payout", "id": one.id},
            ],
            "note": note,
        }
        for one in processor.of_kind(Payout)
        if one.planted
        for what, check, note in [_PLANTED[one.planted]]
    ]
