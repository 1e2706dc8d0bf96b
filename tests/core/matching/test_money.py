from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from runway_core.calculators.matching.money import match_money
from runway_core.calculators.matching.money_match import MoneyReport, MoneyTier, ShortfallReason
from runway_core.calculators.matching.money_sides import EarlyDiscount, MoneyDocument, MoneyMovement
from runway_testkit.books_making import amount, day

from tests.core.matching.money_making import ADA, BO, open_invoice, pairs, receipt


def only_answer(movement: MoneyMovement, *documents: MoneyDocument) -> Any:
    """The one match of one movement, acted on or suggested."""
    report = match_money([movement], documents)
    (match,) = (*report.acted, *report.suggested)
    return match


def test_a_rails_own_id_acts_before_all_else() -> None:
    moved = receipt("N1", 500, party=BO, text="INV-I2", rail_ids=frozenset({"po_1"}))
    documents = [open_invoice("I1", 500, rail_ids=frozenset({"po_1"}), party=None), open_invoice("I2", 500, party=BO)]
    report = match_money([moved], documents)

    assert pairs(report.acted) == [("N1", "I1")]
    assert report.acted[0].tier is MoneyTier.RAIL_ID
    assert "po_1" in report.acted[0].evidence[0]
    assert report.unmatched_documents == (("invoice", "I2"),)


def test_a_rails_id_with_another_amount_is_only_suggested() -> None:
    match = only_answer(
        receipt("N1", 490, rail_ids=frozenset({"po_1"})), open_invoice("I1", 500, rail_ids=frozenset({"po_1"}))
    )

    assert (match.acts, match.tier) == (False, MoneyTier.RAIL_ID)
    assert "open are 500.00 USD" in match.evidence[1]


@pytest.mark.parametrize("text", ["ACH INV-1042 ADA", "payment for Invoice 1042", "REF:001042/ADA", "inv#1042"])
def test_a_number_as_a_whole_word_and_the_amount_act(text: str) -> None:
    match = only_answer(receipt("N1", 500, text=text), open_invoice("1042", 500))

    assert (match.acts, match.tier) == (True, MoneyTier.NUMBER)


@pytest.mark.parametrize("text", ["ACH 10421 ADA", "9INV1042", "INV-104 2"])
def test_a_number_within_another_word_is_none(text: str) -> None:
    assert only_answer(receipt("N1", 500, text=text), open_invoice("1042", 500)).tier is MoneyTier.AMOUNT_ALONE


def test_a_number_of_two_signs_stands_in_too_many_texts() -> None:
    assert only_answer(receipt("N1", 500, text="CHECK 42"), open_invoice("42", 500)).tier is MoneyTier.AMOUNT_ALONE


def test_who_names_the_number_may_pay_late_but_not_before_there_was_an_invoice() -> None:
    late, early = receipt("N1", 500, day(400), text="INV-1042"), receipt("N2", 500, day(-16), text="INV-1042")

    assert only_answer(late, open_invoice("1042", 500)).acts
    assert match_money([early], [open_invoice("1042", 500)]).acted == ()


def test_the_number_of_another_customers_invoice_is_no_evidence() -> None:
    report = match_money([receipt("N1", 500, text="INV-1042", party=BO)], [open_invoice("1042", 500)])

    assert (report.acted, report.suggested) == ((), ())


@pytest.mark.parametrize(("offset", "acts"), [(-16, False), (-15, True), (0, True), (140, True), (141, False)])
def test_party_and_amount_act_within_the_window(offset: int, acts: bool) -> None:
    report = match_money([receipt("N1", 500, day(offset), party=ADA)], [open_invoice("I1", 500)])

    assert pairs(report.acted) == ([("N1", "I1")] if acts else [])
    assert all(match.tier is MoneyTier.PARTY_AND_AMOUNT for match in report.acted)


@pytest.mark.parametrize(
    "other",
    [
        {"currency": "EUR"},
        {"amount": amount(-500)},
        {"account_id": "savings"},
        {"party": BO},
    ],
)
def test_sign_currency_account_and_party_come_first(other: dict[str, Any]) -> None:
    report = match_money(
        [receipt("N1", 500, account_id="bank", party=ADA, text="INV-I1")], [replace(open_invoice("I1", 500), **other)]
    )

    assert (report.acted, report.suggested) == ((), ())
    assert len(report.unmatched_movements) == len(report.unmatched_documents) == 1


def test_two_invoices_over_one_amount_are_both_suggested_and_neither_is_settled() -> None:
    report = match_money([receipt("N1", 500, party=ADA)], [open_invoice("I1", 500), open_invoice("I2", 500)])

    assert report.acted == ()
    assert pairs(report.suggested) == [("N1", "I1"), ("N1", "I2")]
    assert all(match.is_tied and not match.acts for match in report.suggested)
    assert "1 other documents fit" in report.suggested[0].evidence


def test_two_payments_over_one_invoice_are_both_suggested_and_neither_settles_it() -> None:
    report = match_money([receipt("N1", 500, party=ADA), receipt("N2", 500, party=ADA)], [open_invoice("I1", 500)])

    assert report.acted == ()
    assert pairs(report.suggested) == [("N1", "I1"), ("N2", "I1")]


def test_what_a_strong_tier_left_open_no_weak_one_decides() -> None:
    """Two payments name one number: that one of them also has the right customer does not settle it."""
    moved = [receipt("N1", 500, text="INV-1042"), receipt("N2", 500, text="INV-1042", party=ADA)]
    report = match_money(moved, [open_invoice("1042", 500)])

    assert report.acted == ()
    assert {match.tier for match in report.suggested} == {MoneyTier.NUMBER}


def test_the_sum_of_a_customers_invoices_acts_if_it_is_the_only_one() -> None:
    invoices = [open_invoice(f"I{n}", total) for n, total in enumerate(("1980.00", "2850.00", "1200.00", "777.77"))]
    report = match_money([receipt("N1", "4830.00", party=ADA)], invoices)

    assert pairs(report.acted) == [("N1", "I0+I1")]
    assert "1,980.00 USD + 2,850.00 USD = 4,830.00 USD" in report.acted[0].evidence


def test_two_sums_that_fit_apply_nothing() -> None:
    """The example of the reference: 1,980 + 2,850 and 1,200 + 3,630 are both 4,830."""
    invoices = [open_invoice(f"I{n}", total) for n, total in enumerate(("1980.00", "2850.00", "1200.00", "3630.00"))]
    report = match_money([receipt("N1", "4830.00", party=ADA)], invoices)

    assert report.acted == ()
    assert sorted(pairs(report.suggested)) == [("N1", "I0+I1"), ("N1", "I2+I3")]
    assert all(match.is_tied for match in report.suggested)


def test_a_sum_that_another_payment_may_need_part_of_is_not_acted_on() -> None:
    invoices = [open_invoice("I1", "100.01"), open_invoice("I2", "200.02"), open_invoice("I3", "400.04")]
    report = match_money([receipt("N1", "300.03", party=ADA), receipt("N2", "600.06", party=ADA)], invoices)

    assert report.acted == ()
    assert len(report.suggested) == 2


@pytest.mark.parametrize(("parts", "acts", "count"), [(6, True, 1), (7, False, 1), (8, False, 1), (9, False, 0)])
def test_up_to_six_parts_act_and_up_to_eight_suggest(parts: int, acts: bool, count: int) -> None:
    totals = [f"{2**n * 10}.0{n}" for n in range(parts)]
    invoices = [open_invoice(f"I{n}", total) for n, total in enumerate(totals)]
    whole = sum((Decimal(total) for total in totals), Decimal(0))
    report = match_money([receipt("N1", str(whole), party=ADA)], invoices)

    assert len(report.acted) == acts
    assert len(report.acted) + len(report.suggested) == count
    assert bool(report.notes) == (count == 0)


def test_more_than_twenty_five_candidates_are_given_up_and_it_is_said() -> None:
    invoices = [open_invoice(f"I{n:02}", f"{100 + n}.{n:02}") for n in range(26)]
    report = match_money([receipt("N1", "9999.00", party=ADA)], invoices)

    assert report.acted == ()
    assert "26 candidates, more than 25" in report.notes[0]


def test_one_invoice_paid_in_parts_is_suggested() -> None:
    moved = [receipt("N1", "300.10", party=ADA), receipt("N2", "199.90", day(3), party=ADA)]
    report = match_money(moved, [open_invoice("I1", 500)])

    assert report.acted == ()
    assert pairs(report.suggested) == [("N1+N2", "I1")]
    assert report.suggested[0].tier is MoneyTier.SPLIT_PAYMENT


def test_a_part_with_the_number_named_is_suggested_with_what_stays_open() -> None:
    match = only_answer(receipt("N1", 200, party=ADA, text="PART OF INV-1042"), open_invoice("1042", 500))

    assert (match.tier, match.acts) == (MoneyTier.PART_PAYMENT, False)
    assert match.shortfall is not None
    assert (match.shortfall.reason, match.shortfall.amount) == (ShortfallReason.PART, amount(300))


TWO_PER_CENT = EarlyDiscount(Decimal(2), date(2026, 3, 4))


@pytest.mark.parametrize(
    ("came", "more", "reason"),
    [
        ("970.70", {}, ShortfallReason.FEE),  # 2.9 % and 0.30
        ("980.00", {}, ShortfallReason.FEE),  # between 1 and 3.5 %
        ("980.00", {"discount": TWO_PER_CENT}, ShortfallReason.DISCOUNT),
        ("980.00", {"discount": replace(TWO_PER_CENT, until=date(2026, 3, 1))}, ShortfallReason.FEE),
        ("999.00", {}, ShortfallReason.WRITE_OFF),
        ("998.99", {}, None),
        ("964.99", {}, None),
        ("1001.00", {}, None),
    ],
)
def test_a_shortfall_is_told_by_its_pattern(came: str, more: dict[str, Any], reason: ShortfallReason | None) -> None:
    report = match_money([receipt("N1", came, party=ADA)], [open_invoice("I1", 1000, **more)])

    assert report.acted == ()
    assert [match.shortfall.reason for match in report.suggested if match.shortfall] == ([reason] if reason else [])


def test_a_discount_we_take_is_told_and_no_fee_comes_off_what_we_pay() -> None:
    bill = replace(open_invoice("B1", -1000), discount=TWO_PER_CENT)
    taken = only_answer(receipt("N1", -980, party=ADA), bill)

    assert taken.shortfall is not None
    assert taken.shortfall.reason is ShortfallReason.DISCOUNT
    assert match_money([receipt("N1", "-970.70", party=ADA)], [replace(bill, discount=None)]).suggested == ()


def test_the_usual_card_fee_to_the_cent_needs_no_known_party() -> None:
    match = only_answer(receipt("N1", "970.70", text="CARD SETTLEMENT"), open_invoice("I1", 1000))

    assert (match.tier, match.acts) == (MoneyTier.SHORT_PAYMENT, False)
    assert match_money([receipt("N1", "980.00")], [open_invoice("I1", 1000)]).suggested == ()


def test_the_amount_alone_suggests_if_nothing_else_has_it() -> None:
    match = only_answer(receipt("N1", 500), open_invoice("I1", 500))

    assert (match.tier, match.acts, match.is_tied) == (MoneyTier.AMOUNT_ALONE, False, False)
    assert match_money([receipt("N1", 500)], [open_invoice("I1", 500), open_invoice("I2", 500)]).suggested[0].is_tied


def test_a_thousand_subscriptions_over_one_amount_list_a_handful() -> None:
    moved = [receipt(f"N{n:04}", 29, day(n % 28)) for n in range(1000)]
    report: MoneyReport = match_money(moved, [open_invoice(f"I{n:04}", 29) for n in range(1000)])

    assert report.acted == ()
    assert len(report.suggested) == 5000


def test_nil_matches_nothing() -> None:
    assert match_money([receipt("N1", 0, party=ADA)], [open_invoice("I1", 0)]) == match_money([], [])


def shared_number() -> tuple[MoneyMovement, list[MoneyDocument]]:
    """A payment that names a number which two customers' invoices carry."""
    return receipt("N1", 500, text="INV-1042"), [
        open_invoice("1042", 500),
        replace(open_invoice("again", 500, party=BO), number="1042"),
    ]


def test_a_document_that_is_tied_is_settled_by_no_weaker_evidence() -> None:
    tied, documents = shared_number()
    report = match_money([tied, receipt("N2", 500, party=ADA)], documents)

    assert report.acted == ()
    assert ("N2", "1042") in pairs(report.suggested)
    assert all(match.is_tied for match in report.suggested)


def test_a_sum_with_a_tied_document_in_it_is_not_acted_on() -> None:
    tied, documents = shared_number()
    report = match_money([tied, receipt("N2", 811, party=ADA)], [*documents, open_invoice("I3", 311)])

    assert report.acted == ()
    assert ("N2", "1042+I3") in pairs(report.suggested)
    assert match_money([receipt("N2", 811, party=ADA)], [*documents, open_invoice("I3", 311)]).acted != ()


def test_a_tie_too_long_to_list_ties_what_is_not_listed() -> None:
    invoices = [open_invoice(f"100{n}", 500) for n in range(9)]
    for number in range(9):
        part = receipt("N2", 200, party=ADA, text=f"INV-100{number}")
        report = match_money([receipt("N1", 500, party=ADA), part], invoices)

        assert all(match.is_tied for match in report.suggested)


def test_a_sum_takes_only_what_was_due_to_move() -> None:
    early = open_invoice("I2", 311, since=day(1))
    report = match_money([receipt("N1", 811, party=ADA)], [open_invoice("I1", 500), early])

    assert (report.acted, report.suggested) == ((), ())


def test_a_part_paid_before_there_was_an_invoice_is_none() -> None:
    early = receipt("N1", 200, day(-16), party=ADA, text="INV-1042")

    assert match_money([early], [open_invoice("1042", 500)]).suggested == ()


@pytest.mark.parametrize("other", [{"currency": "EUR"}, {"amount": amount(-500)}, {"account_id": "x"}, {"party": BO}])
def test_not_even_a_rails_id_joins_what_cannot_be_one(other: dict[str, Any]) -> None:
    ids = frozenset({"po_1"})
    moved = receipt("N1", 500, party=ADA, account_id="bank", rail_ids=ids)
    report = match_money([moved], [replace(open_invoice("I1", 500, rail_ids=ids), **other)])

    assert (report.acted, report.suggested) == ((), ())


def test_a_payment_with_many_sums_casts_doubt_on_every_invoice_it_may_have_paid() -> None:
    """Only two of its sums are looked for, and a third may hold any of them."""
    totals = {"I1": "1.01", "I2": "2.02", "I3": "10", "I4": "20", "I5": "12", "I6": "18"}
    invoices = [open_invoice(name, total) for name, total in totals.items()]
    small, large = receipt("N1", "3.03", party=ADA), receipt("N2", "30", party=ADA)

    assert pairs(match_money([small], invoices).acted) == [("N1", "I1+I2")]
    assert match_money([small, large], invoices).acted == ()
