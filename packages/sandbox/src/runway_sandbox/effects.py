"""Carries a document's consequences into the rest of the books: settled documents, and everybody's balances.

A settled bill or invoice gets a new SyncToken; an account, vendor or customer whose balance moved gets a new
`LastUpdatedTime` and keeps its SyncToken (facts/qbo.md 3.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from runway_sandbox.books import Book, WireObject, stamp
from runway_sandbox.faults import business_rule, invalid_reference
from runway_sandbox.postings import (
    LINK_WORDS,
    NOTHING,
    BalanceKey,
    ControlAccounts,
    DocumentKey,
    as_money,
    compute_applied,
    compute_postings,
)

_OPEN_FIELDS = {
    "Bill": ("Balance",),
    "Invoice": ("Balance",),
    "CreditMemo": ("Balance", "RemainingCredit"),
    "VendorCredit": (),
}
_BALANCE_SHEET = frozenset({"Asset", "Liability", "Equity"})


def check_settlement(
    book: Book, kind: str, *, before: WireObject | None, after: WireObject | None
) -> dict[DocumentKey, Decimal]:
    """Work out how the settled amounts change, refusing a payment of nothing or of more than is open.

    Raises:
        ServiceFaultError: 2500 for a document that is not there, 6000 for more than its open balance.
    """
    old = compute_applied(kind, before) if before is not None else {}
    new = compute_applied(kind, after) if after is not None else {}
    changes: dict[DocumentKey, Decimal] = {}
    for key in {**old, **new}:
        target_kind, target_id = key
        if target_kind not in _OPEN_FIELDS:
            continue
        row = book.find(target_kind, target_id)
        if row is None:
            if key in new:
                raise invalid_reference("Txn", target_id)
            continue
        change = new.get(key, NOTHING) - old.get(key, NOTHING)
        held = row.parse()
        if "Balance" in held and change > as_money(held["Balance"]):
            raise business_rule(
                f"You can't apply {change} to {target_kind} {target_id}: only {held['Balance']} is open."
            )
        changes[key] = change
    return changes


class Effects:
    """Applies consequences to one company's books at one moment, and remembers whose SyncToken moved."""

    def __init__(self, book: Book, *, at: int) -> None:
        self._book = book
        self._at = at
        self._control = ControlAccounts.of(book)
        self.moved: list[DocumentKey] = []

    def replace(self, kind: str, *, before: WireObject | None, after: WireObject | None) -> None:
        """Move every balance by the difference between a document as it was and as it is."""
        old = compute_postings(kind, before, control=self._control) if before is not None else {}
        new = compute_postings(kind, after, control=self._control) if after is not None else {}
        for key in {**old, **new}:
            change = new.get(key, NOTHING) - old.get(key, NOTHING)
            if change:
                self._move_balance(key, change)

    def settle(
        self, payment: DocumentKey, changes: dict[DocumentKey, Decimal], *, linked: Iterable[DocumentKey]
    ) -> None:
        """Lower the open rest of settled documents and set or drop their links to the payment."""
        payment_kind, payment_id = payment
        link = {"TxnId": payment_id, "TxnType": LINK_WORDS.get(payment_kind, payment_kind)}
        still_linked = set(linked)
        for key, change in changes.items():
            row = self._book.find(*key)
            if row is None:
                continue
            held = row.parse()
            for field in _OPEN_FIELDS[key[0]]:
                if field in held:
                    held[field] = as_money(held[field]) - change
            others = [known for known in held.get("LinkedTxn") or [] if known != link]
            links = [*others, link] if key in still_linked else others
            if links == (held.get("LinkedTxn") or []) and not change:
                continue
            if links or key[0] in {"Invoice", "CreditMemo"}:
                held["LinkedTxn"] = links
            else:
                held.pop("LinkedTxn", None)
            held["SyncToken"] = str(int(held.get("SyncToken", "0")) + 1)
            stamp(held, at=self._at)
            self._book.shelf(key[0]).put(held)
            self.moved.append(key)

    def _move_balance(self, key: BalanceKey, change: Decimal) -> None:
        row = self._book.find(*key)
        if row is None:
            return
        held = row.parse()
        if key[0] == "Account":
            if held.get("Classification") not in _BALANCE_SHEET:
                return
            held["CurrentBalance"] = as_money(held.get("CurrentBalance")) + change
            held["CurrentBalanceWithSubAccounts"] = as_money(held.get("CurrentBalanceWithSubAccounts")) + change
        else:
            held["Balance"] = as_money(held.get("Balance")) + change
            if key[0] == "Customer":
                held["BalanceWithJobs"] = as_money(held.get("BalanceWithJobs")) + change
        stamp(held, at=self._at)
        self._book.shelf(key[0]).put(held, balance_only=True)
        self._move_parents(key[0], held, change)

    def _move_parents(self, kind: str, child: WireObject, change: Decimal) -> None:
        field = {"Account": "CurrentBalanceWithSubAccounts", "Customer": "BalanceWithJobs"}.get(kind)
        seen: set[str] = {str(child["Id"])}
        while field is not None and isinstance(child.get("ParentRef"), dict):
            parent_id = str(child["ParentRef"].get("value"))
            row = self._book.find(kind, parent_id)
            if row is None or parent_id in seen:
                return
            seen.add(parent_id)
            child = row.parse()
            child[field] = as_money(child.get(field)) + change
            stamp(child, at=self._at)
            self._book.shelf(kind).put(child, balance_only=True)
