"""Which bank transactions and which documents of the books are one thing, and what the bank alone shows."""

from __future__ import annotations

from typing import Any

from runway_sandbox.bank import CHARGE, BankFeed
from runway_sandbox.books import Book
from runway_sandbox.opaque import opaque_id
from runway_sandbox.plaid.items import Item


def find_same(item: Item, book: Book) -> list[dict[str, Any]]:
    """List the pairs, those still to come included; a document on two accounts stands twice.

    What a card processor sent that nobody has booked is a pair with its payout.
    """
    return [
        {
            "records": [
                {"rail": "stripe", "kind": "payout", "id": line.document_id}
                if line.kind == "Payout"
                else {"rail": "qbo", "kind": line.kind, "id": line.document_id},
                {"rail": "plaid", "kind": "transaction", "id": opaque_id("posted", item.item_id, line.key)},
            ]
        }
        for line in BankFeed(book).lines()
        if line.kind != CHARGE
    ]


def find_differences(item: Item, book: Book) -> list[dict[str, Any]]:
    """List what was planted: each with the ledger's account and the bank's line, which no entry stands for."""
    return [
        {
            "what": "missing in the ledger",
            "check": "BK03",
            "records": [
                {"rail": "qbo", "kind": "Account", "id": line.ledger_account_id},
                {"rail": "plaid", "kind": "transaction", "id": opaque_id("posted", item.item_id, line.key)},
            ],
            "note": "taken by the bank, and nobody entered it",
        }
        for line in BankFeed(book).lines()
        if line.kind == CHARGE
    ]
