"""Payouts against their parts, their deposits and the bank: the payout of the reference, 1,598.35."""

from typing import Any

import pytest
from runway_core.calculators.reconciliation.processors import compare_processors
from runway_core.domain.bank import BankTransaction
from runway_core.domain.conflicts import Conflict, ConflictDecision, ConflictKind, Resolution
from runway_core.domain.documents import DocumentLine
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Deposit
from runway_core.domain.processor import Payout, PayoutPart, PayoutPartKind
from runway_core.domain.reconciliation import RailPair
from runway_testkit.books_making import READ_AT, amount, day, deposit, invoice, line, make_books


def part(external_id: str, gross: str, fee: str) -> PayoutPart:
    kind = PayoutPartKind.CHARGE if amount(gross) > 0 else PayoutPartKind.REFUND
    net = amount(gross) - amount(fee)
    return PayoutPart(external_id=external_id, part_kind=kind, gross=amount(gross), fee=amount(fee), net=net)


PARTS = (part("c1", "1000.00", "29.30"), part("c2", "500", "14.80"), part("c3", "250", "7.55"), part("r1", "-100", "0"))


def payout(external_id: str = "po_1", on: int = -10, **more: Any) -> Payout:
    values = {"rail": "stripe", "account_id": None, "currency": "USD", "amount": amount("1598.35"), "parts": PARTS}
    return Payout(external_id=external_id, arrives_on=day(on), **(values | more))


def booked(*lines: DocumentLine, on: int = -10, external_id: str = "D", **more: Any) -> Deposit:
    given = lines or (line("1650.00", "income", "Sales"), line("-51.65", "expenses", "Stripe fees"))
    return deposit(external_id, "1598.35", document_date=day(on), lines=given, **more)


def at_bank(total: str = "1598.35", on: int = -10, external_id: str = "N") -> BankTransaction:
    return BankTransaction(
        external_id=external_id,
        account_id="bank",
        booked_on=day(on),
        currency="USD",
        amount=amount(total),
        text="STRIPE TRANSFER",
        rail="plaid",
    )


def compare(*payouts: Payout, **more: Any) -> tuple[dict[tuple[str, str], RailPair], list[Conflict]]:
    pairs, conflicts = compare_processors(make_books(payouts=payouts or (payout(),), **more))
    return {(pair.here, pair.there): pair for pair in pairs}, list(conflicts)


def test_a_payout_that_bank_and_ledger_show_whole_is_one_on_all_three() -> None:
    bank = (at_bank(), at_bank("1", -90, "first"), at_bank("1", 0, "last"))
    pairs, conflicts = compare(deposits=(booked(),), bank_transactions=bank)

    assert [pairs["ledger", "stripe"].matched, pairs["stripe", "plaid"].matched] == [1, 1]
    assert conflicts == []


@pytest.mark.parametrize("more", ["0.01", "25.00", "-1.00"])
def test_parts_that_make_up_another_sum_are_told_with_the_deposit(more: str) -> None:
    wrong = payout(parts=(*PARTS, part("odd", more, "0")))
    _, (conflict,) = compare(wrong, deposits=(booked(),))

    assert conflict.kind is ConflictKind.PAYOUT_SUM_WRONG
    assert conflict.amount is not None
    assert conflict.amount.amount == abs(amount(more))
    assert conflict.records == (RecordKey(RecordKind.PAYOUT, "po_1"), RecordKey(RecordKind.DEPOSIT, "D"))


def test_a_payout_by_hand_has_no_parts_to_add_up() -> None:
    assert compare(payout(is_automatic=False, parts=()), deposits=(booked(),))[1] == []


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ([line("1650.00", "income"), line("-51.65", "expenses")], None),
        ([line("1750.00", "income"), line("-151.65", "expenses")], None),  # the refund on a line of its own, or with it
        ([line("1598.35", "income")], "51.65"),
        ([line("1650.00", "income"), line("-51.64", "expenses"), line("-0.01", "expenses")], None),
        ([line("1628.35", "income"), line("-30.00", "expenses")], "21.65"),
    ],
)
def test_fees_that_the_deposit_does_not_book_are_an_amount_that_differs(
    lines: list[DocumentLine], missing: str | None
) -> None:
    _, conflicts = compare(deposits=(booked(*lines),))

    assert [one.kind for one in conflicts] == ([] if missing is None else [ConflictKind.AMOUNT_DIFFERS])
    assert [one.amount.amount for one in conflicts if one.amount] == ([] if missing is None else [amount(missing)])


@pytest.mark.parametrize(
    ("deposited", "is_missing"), [(-17, True), (-16, True), (-12, False), (-3, False), (-2, True), (None, True)]
)
def test_a_payout_that_the_ledger_never_shows_is_missing_where_no_bank_is_read(
    deposited: int | None, is_missing: bool
) -> None:
    deposits = () if deposited is None else (booked(on=deposited),)
    _, conflicts = compare(deposits=deposits)

    assert [one.kind for one in conflicts] == [ConflictKind.MISSING_IN_LEDGER] * is_missing


@pytest.mark.parametrize(("arrives", "is_missing"), [(-10, True), (-5, False), (-89, False), (-87, True)])
def test_a_payout_is_missed_at_the_bank_once_it_should_have_been_seen(arrives: int, is_missing: bool) -> None:
    bank = (at_bank("1", -90, "first"), at_bank("1", 0, "last"))
    _, conflicts = compare(payout(on=arrives), deposits=(booked(on=arrives),), bank_transactions=bank)

    assert [one.kind for one in conflicts] == [ConflictKind.MISSING_AT_RAIL] * is_missing
    assert all(one.rails == ("stripe", "plaid") for one in conflicts)


@pytest.mark.parametrize(
    ("more", "is_told"),
    [
        ({}, True),
        ({"number": "INV-20417"}, True),
        ({"number": "20418"}, False),
        ({"open_balance": amount(400)}, False),  # more was paid than is open: a person's to judge
        ({"open_balance": amount(0)}, False),
        ({"currency": "CAD"}, False),
    ],
)
@pytest.mark.parametrize(("arrived", "is_over"), [(-6, True), (-5, False)])
def test_an_invoice_that_a_card_paid_is_open_on_one_side_only(
    more: dict[str, Any], is_told: bool, arrived: int, is_over: bool
) -> None:
    paid = part("c2", "500", "14.80").model_copy(update={"invoice_number": "20417"})
    owed = invoice("I", 500, **({"number": "20417"} | more))
    sent = payout(on=arrived, parts=(PARTS[0], paid, *PARTS[2:]))
    _, conflicts = compare(sent, deposits=(booked(on=arrived),), invoices=(owed,))

    assert [one.kind for one in conflicts] == [ConflictKind.STATE_DIFFERS] * (is_told and is_over)
    assert all(one.amendments[0].record == owed.key for one in conflicts)


def test_more_deposits_than_payouts_are_left_to_a_person_whose_word_holds() -> None:
    """Two deposits fit one payout: nobody is taken for it until a person says which."""
    twins = (booked(external_id="D1"), booked(line("1598.35", "income", "Stripe"), external_id="D2"))
    pairs, (doubt,) = compare(deposits=twins)
    said = ConflictDecision(
        paper_id=doubt.conflict_id,
        changed_at=READ_AT,
        changed_by="ann",
        resolution=Resolution.MATCHED,
        basis=doubt.basis,
        conflict=doubt,
        pairs=((RecordKey(RecordKind.PAYOUT, "po_1"), RecordKey(RecordKind.DEPOSIT, "D2")),),
    )
    certain_pairs, certain = compare(deposits=twins, conflict_decisions=(said,))

    assert doubt.kind is ConflictKind.AMBIGUOUS_MATCH
    assert [(match.here[0].external_id, match.may_confirm) for match in doubt.matches] == [("D1", True), ("D2", True)]
    assert (pairs["ledger", "stripe"].suggested, pairs["ledger", "stripe"].matched) == (1, 0)
    assert [(one.kind, one.records[-1].external_id) for one in certain] == [(ConflictKind.AMOUNT_DIFFERS, "D2")]
    assert (certain_pairs["ledger", "stripe"].matched, certain_pairs["ledger", "stripe"].left_here) == (1, 1)


def test_as_many_equal_deposits_as_payouts_are_nobodys_trouble() -> None:
    two = (payout("po_1"), payout("po_2"))

    assert compare(*two, deposits=(booked(external_id="D1"), booked(external_id="D2")))[1] == []
