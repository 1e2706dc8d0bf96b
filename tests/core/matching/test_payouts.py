from datetime import timedelta
from decimal import Decimal

import pytest
from runway_core.calculators.matching.money_match import MoneyTier
from runway_core.calculators.matching.money_sides import MoneyMovement
from runway_core.calculators.matching.payouts import PartKind, Payout, PayoutPart, match_payouts, open_payout
from runway_testkit.books_making import amount, day

from tests.core.matching.money_making import ADA, open_invoice, pairs, receipt


def part(name: str, gross: str, fee: str = "0", kind: PartKind = PartKind.CHARGE, text: str = "") -> PayoutPart:
    return PayoutPart(name, kind, amount(gross), amount(fee), day(-3), customer=None, text=text)


PARTS = (
    part("c1", "1000.00", "29.30", text="Invoice INV-1042"),
    part("c2", "500.00", "14.80", text="Invoice INV-1043"),
    part("c3", "250.00", "7.55"),
    part("r1", "-100.00", kind=PartKind.REFUND),
)


def payout(total: str = "1598.35", *, parts: tuple[PayoutPart, ...] | None = PARTS, name: str = "po_1") -> Payout:
    return Payout(name, "Cardwell Payments", amount(total), "USD", day(0), parts=parts)


def test_the_parts_of_a_payout_make_it_up_to_the_cent() -> None:
    """1,750.00 − 100.00 − 51.65 = 1,598.35."""
    content = open_payout(payout(), ())

    assert (content.charges, content.refunds, content.fees) == (amount(1750), amount(-100), amount("51.65"))
    assert content.charges + content.refunds - content.fees == amount("1598.35")
    assert content.is_complete


def test_a_payout_that_its_parts_do_not_make_up_stays_open() -> None:
    content = open_payout(payout("1598.36"), ())

    assert (content.difference, content.is_complete) == (amount("0.01"), False)


def test_a_dispute_holds_its_amount_and_its_fee() -> None:
    content = open_payout(payout("1083.35", parts=(*PARTS, part("d1", "-500", "15", kind=PartKind.DISPUTE))), ())

    assert content.disputes == amount(-500)
    assert content.fees == amount("66.65")
    assert content.is_complete


def test_charges_pay_the_invoices_they_name_at_their_gross() -> None:
    invoices = [open_invoice("1042", 1000), open_invoice("1043", 500), open_invoice("1044", 250)]
    content = open_payout(payout(), invoices)

    assert pairs(content.invoices.acted) == [("c1", "1042"), ("c2", "1043")]
    assert pairs(content.invoices.suggested) == [("c3", "1044")]


def test_a_charge_without_a_number_goes_by_customer_and_amount() -> None:
    parts = (PayoutPart("c1", PartKind.CHARGE, amount(250), amount(0), day(-3), customer=ADA),)
    content = open_payout(
        payout("250", parts=parts), [open_invoice("1044", 250), open_invoice("1045", 250, party=None)]
    )

    assert pairs(content.invoices.acted) == [("c1", "1044")]


@pytest.mark.parametrize(("offset", "acts"), [(-3, False), (-2, True), (0, True), (2, True), (3, False)])
def test_a_bank_line_of_the_processor_is_the_payout_within_two_days(offset: int, acts: bool) -> None:
    line = receipt("N1", "1598.35", day(offset), text="CARDWELL PAYMENTS TRANSFER ST-K3 CCD")
    report = match_payouts([payout()], [line])

    assert pairs(report.acted) == ([("N1", "po_1")] if acts else [])


def test_a_line_that_does_not_name_the_processor_is_only_suggested() -> None:
    report = match_payouts([payout()], [receipt("N1", "1598.35", text="TRANSFER")])

    assert report.acted == ()
    assert report.suggested[0].tier is MoneyTier.AMOUNT_ALONE


def test_the_id_that_the_bank_was_told_acts_whatever_the_day() -> None:
    line = MoneyMovement(("bank_transaction", "N1"), day(9), amount("1598.35"), "USD", rail_ids=frozenset({"tr_9"}))
    told = Payout("po_1", "Cardwell", amount("1598.35"), "USD", day(0), parts=PARTS, trace_id="tr_9")

    assert match_payouts([told], [line]).acted[0].tier is MoneyTier.RAIL_ID


def test_a_manual_payout_has_no_list_and_is_suggested_by_its_amount() -> None:
    manual = payout("800", parts=None)
    report = match_payouts([manual], [receipt("N1", "800", text="CARDWELL PAYMENTS TRANSFER")])

    assert report.acted == ()
    assert pairs(report.suggested) == [("N1", "po_1")]
    assert open_payout(manual, ()).difference is None
    assert not open_payout(manual, ()).is_complete


def test_two_payouts_over_one_amount_within_the_days_are_left_to_a_person() -> None:
    twice = [payout(), payout(name="po_2")]
    report = match_payouts(twice, [receipt("N1", "1598.35", text="CARDWELL PAYMENTS")])

    assert report.acted == ()
    assert len(report.suggested) == 2


def test_fees_of_whole_months_keep_every_cent() -> None:
    parts = tuple(part(f"c{n}", "10.10", "0.59") for n in range(1000))
    content = open_payout(payout(str(Decimal("9.51") * 1000), parts=parts), ())

    assert content.is_complete
    assert content.fees == amount(590)
    assert content.payout.arrives_on - timedelta(days=3) == parts[0].day
