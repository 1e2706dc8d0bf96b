"""What was made to differ between the windows differs so, is told by the truth, and nothing else differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from runway_sandbox.economy import EconomyCompany, build_company

from tests.sandbox import test_plaid as bank
from tests.sandbox import test_stripe as cards
from tests.sandbox.ramp_window import AS_OF, DAY_S, START, RampWindow

Wire = dict[str, Any]
Pair = tuple[str, str, str, str]  # kind and id in the ledger, kind and id elsewhere
Differs = Callable[[Wire, Wire], bool]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md"
PLANTED_WITHIN_DAYS = 85
RESTAURANT, CLINIC = (7, 0), (8, 8)
"""Seed and index of companies that are paid by card; together they have each difference."""


@cache
def economy(company: tuple[int, int]) -> EconomyCompany:
    seed, index = company
    return build_company(index=index, seed=seed, bills=120, as_of=AS_OF)


class Windows:
    """All windows over one company, read to their end."""

    def __init__(self, sandbox: Any) -> None:
        payer, processor = RampWindow(sandbox), cards.Window(sandbox)
        (self.truth,) = sandbox.control("/truth")["companies"]
        self.book = payer.book
        lines, _ = bank.Window(sandbox).read_all()
        since = int(START.timestamp()) - PLANTED_WITHIN_DAYS * DAY_S
        payouts = processor.all(processor.api.v1.payouts, created={"gte": since})
        self.purchases = {one["id"]: one for one in payer.read_all("transactions")}
        self.shown: Mapping[str, Mapping[str, Wire]] = {
            "bill": {one["id"]: one for one in payer.read_all("bills")},
            "vendor": {one["id"]: one for one in payer.read_all("vendors")},
            "transaction": {one.transaction_id: {"amount": one.amount} for one in lines.values() if not one.pending},
            "payout": {one.id: {"amount": one.amount, "parts": self._parts(processor, one)} for one in payouts},
        }

    def _parts(self, processor: cards.Window, payout: Any) -> list[Any]:
        parts = processor.all(processor.api.v1.balance_transactions, payout=payout.id)
        return [one for one in parts if one.type != "payout"]

    @property
    def pairs(self) -> list[Pair]:
        """What is one thing, of the kinds that differences are about and that are there by now."""
        records = (one["records"] for one in self.truth["same"])
        found = [(a["kind"], a["id"], b["kind"], b["id"]) for a, b in records]
        return [one for one in found if one[3] in self.shown.get(one[2], {})]

    def differing(self, differs: Differs, kind: str) -> set[str]:
        """Ids of those of a kind that differ so from what they are in the ledger."""
        return {
            other_id
            for ledger_kind, ledger_id, other_kind, other_id in self.pairs
            if other_kind == kind
            and (row := self.book.find(ledger_kind, ledger_id)) is not None
            and differs(row.parse(), self.shown[kind][other_id])
        }

    def told(self, what: str, *, note: str = "") -> set[str]:
        """Ids of the last record that each difference of a name tells of."""
        told = [one for one in self.truth["differences"] if one["what"] == what and note in one["note"]]
        return {one["records"][-1]["id"] for one in told}

    def unpaired(self, kind: str) -> set[str]:
        """Ids of those of a kind that are nothing in the ledger."""
        return set(self.shown[kind]) - {one[3] for one in self.pairs if one[2] == kind}


def cents(amount: Any) -> int:
    return int(Decimal(str(amount)) * 100)


def more_at_payer(bill: Wire, shown: Wire) -> int:
    return int(shown["amount"]["amount"]) - cents(bill["TotalAmt"])


def lines_below_nil(deposit: Wire) -> bool:
    return any(cents(line["Amount"]) < 0 for line in deposit["Line"])


def is_on_its_way(shown: Wire) -> bool:
    return bool(shown["status_summary"] == "PAYMENT_PROCESSING")


DIFFERENCES: Mapping[str, tuple[str, str, Differs]] = {
    "amount off by cents": ("amount off", "bill", lambda bill, shown: 0 < more_at_payer(bill, shown) < 100),
    "amount off by one unit": ("amount off", "bill", lambda bill, shown: more_at_payer(bill, shown) == 100),
    "dates off": ("dates off", "bill", lambda bill, shown: bill.get("DueDate", "") not in {"", shown["due_at"][:10]}),
    "paid here, open there": (
        "paid here, open there",
        "bill",
        lambda bill, shown: shown["status"] == "PAID" and cents(bill["Balance"]) > 0,
    ),
    "open here, paid there": (
        "open here, paid there",
        "bill",
        lambda bill, shown: shown["status"] == "OPEN" and not cents(bill["Balance"]) and not is_on_its_way(shown),
    ),
    "vendor spelled differently": (
        "vendor spelled differently",
        "vendor",
        lambda vendor, shown: shown["name"] != vendor["DisplayName"],
    ),
    "payout booked as income": (
        "payout booked as income",
        "payout",
        lambda deposit, shown: len(deposit["Line"]) == 1 and any(one.fee for one in shown["parts"]),
    ),
    "fee not recorded": (
        "fee not recorded",
        "payout",
        lambda deposit, _: len(deposit["Line"]) > 1 and not lines_below_nil(deposit),
    ),
    "wrong payout sum": (
        "payout sum wrong",
        "payout",
        lambda _, shown: sum(one.net for one in shown["parts"]) != shown["amount"],
    ),
}


@pytest.fixture
def windows(serve: Any) -> Windows:
    return Windows(serve(economy(RESTAURANT), start_at=START))


@pytest.mark.parametrize(
    ("company", "not_planted"),
    [(RESTAURANT, {"amount off by cents"}), (CLINIC, {"fee not recorded"})],
)
def test_each_difference_that_was_planted_is_there_and_the_sound_part_is_alike(
    serve: Any, company: tuple[int, int], not_planted: set[str]
) -> None:
    windows = Windows(serve(economy(company), start_at=START))
    for name, (what, kind, differs) in DIFFERENCES.items():
        note = {"amount off by cents": "cents", "amount off by one unit": "one unit"}.get(name, "")
        differing = windows.differing(differs, kind)

        assert differing == windows.told(what, note=note), name
        assert (differing == set()) is (name in not_planted), name


def test_what_stands_on_one_side_only_was_planted_there_and_bank_lines_are_over_their_entries(windows: Windows) -> None:
    twice = windows.told("duplicate across rails")
    (again,) = (windows.shown["bill"][one] for one in twice)
    (records,) = (o["records"] for o in windows.truth["differences"] if o["what"] == "duplicate across rails")
    first = windows.shown["bill"][records[1]["id"]]
    same = {record["id"] for one in windows.truth["same"] for record in one["records"]}
    alone = {one for one in windows.purchases if one not in same}
    (swiped,) = (windows.shown["bill"][one]["payment"] for one in windows.told("paid here, open there"))
    by_card = windows.told("paid by card, open")
    totals = {
        other_id: cents(row.parse()["TotalAmt"])
        for kind, ledger_id, other_kind, other_id in windows.pairs
        if other_kind == "transaction" and kind in {"Deposit", "BillPayment", "Purchase", "Payment"}
        if (row := windows.book.find(kind, ledger_id)) is not None
    }

    page = PAGE.read_text(encoding="utf-8")
    told = [rf"\| {one['what']} \|.*\| {one['check'] or ''} ?\|" for one in windows.truth["differences"]]

    assert [one for one in told if not re.search(one, page)] == []
    assert windows.unpaired("bill") == windows.told("missing there") | twice
    assert windows.unpaired("transaction") == windows.told("missing in the ledger") != set()
    assert windows.unpaired("vendor") == set()
    assert (first["vendor"]["id"], first["amount"]) == (again["vendor"]["id"], again["amount"])
    assert (first["remote_id"], again["remote_id"]) == (records[0]["id"], None)
    assert first["invoice_number"] != again["invoice_number"]
    assert first["invoice_number"] in again["invoice_number"] or again["invoice_number"] in first["invoice_number"]
    assert alone == by_card | set(swiped["details"]["transaction_ids"])
    assert len(by_card) == 1
    assert len(totals) > 50
    assert all(abs(cents(windows.shown["transaction"][one]["amount"])) == total for one, total in totals.items())
