"""BK01, BK03 and BK04 read one comparison of the bank with the ledger."""

from datetime import timedelta

import pytest
from runway_core.calculators.hygiene.checks.balance_drift import BalanceDrift
from runway_core.calculators.hygiene.checks.bank_not_in_ledger import BankNotInLedger
from runway_core.calculators.hygiene.checks.ledger_not_at_bank import LedgerNotAtBank
from runway_core.calculators.hygiene.find import find_findings
from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings
from runway_core.domain.findings import Finding, Severity
from runway_testkit.books_making import READ_AT, amount
from runway_testkit.sample import sample_books

from tests.core.hygiene.bank_making import bank_balance, bank_line, banked, cheque, purchase


def shown(finding: Finding) -> dict[str, str]:
    return {evidence.name: evidence.value for evidence in finding.evidence}


@pytest.mark.parametrize(
    ("apart", "is_found"),
    [("0.99", False), ("-0.99", False), ("1.00", True), ("-1.00", True)],
    ids=["cents more", "cents less", "a dollar more", "a dollar less"],
)
def test_a_bank_that_differs_by_a_dollar_or_more_without_reason_is_found(apart: str, is_found: bool) -> None:
    found = list(BalanceDrift().find(banked(apart=apart)))

    assert bool(found) is is_found


def test_the_four_sums_of_a_drift_are_shown_with_who_said_so_and_when() -> None:
    made = banked(lines=(bank_line("N1", -9, -35, "FEE"),), purchases=(cheque("E1", -2, 800),), apart=250)

    (found,) = BalanceDrift().find(made)

    assert shown(found) == {
        "bank_posted": "1214.00",
        "ledger_balance": "199.00",
        "bank_not_in_ledger": "-35.00",
        "ledger_not_at_bank": "-800.00",
        "unexplained": "250.00",
    }
    assert (found.evidence[0].rail, found.evidence[0].read_at) == ("bank", READ_AT)
    assert found.severity is Severity.CRITICAL


def test_what_is_on_its_way_explains_a_difference() -> None:
    made = banked(lines=(bank_line("N1", -9, -35),), purchases=(cheque("E1", -2, 800),))

    assert list(BalanceDrift().find(made)) == []


def test_a_balance_of_over_72_hours_says_nothing() -> None:
    old = bank_balance(posted=5000, read_at=READ_AT - timedelta(hours=73))

    assert list(BalanceDrift().find(banked(bank_balances=(old,)))) == []


@pytest.mark.parametrize(("age_days", "is_found"), [(5, False), (6, True)], ids=["five days", "six days"])
def test_a_bank_line_that_the_ledger_lacks_is_found_after_five_days(age_days: int, is_found: bool) -> None:
    made = banked(lines=(bank_line("N1", -age_days, -35),))

    assert bool(list(BankNotInLedger().find(made))) is is_found


def test_all_lines_that_wait_in_the_feed_of_an_account_are_one_finding() -> None:
    lines = (bank_line("N1", -40, -35, "FEE"), bank_line("N2", -9, 120, "REFUND"), bank_line("N3", -1, -7))

    (found,) = BankNotInLedger().find(banked(lines=lines))

    values = shown(found)
    assert (values["count"], values["sum_out"], values["sum_in"]) == ("2", "35.00", "120.00")
    assert values["oldest"] == lines[0].booked_on.isoformat()
    assert found.amount is not None
    assert found.amount.amount == 155


def test_a_pending_line_is_not_missed_in_the_ledger() -> None:
    made = banked(lines=(bank_line("N1", -9, -35, is_pending=True),))

    assert list(BankNotInLedger().find(made)) == []


@pytest.mark.parametrize(
    ("age_days", "is_cheque", "is_found"),
    [(30, False, False), (31, False, True), (90, True, False), (91, True, True)],
    ids=["thirty days", "a day more", "a cheque of ninety days", "a cheque a day older"],
)
def test_a_payment_that_the_bank_never_showed_is_found_in_time(age_days: int, is_cheque: bool, is_found: bool) -> None:
    made = banked(purchases=((cheque if is_cheque else purchase)("E1", -age_days, 300),))

    assert bool(list(LedgerNotAtBank().find(made))) is is_found


def test_one_rent_of_many_that_never_left_is_told_by_its_own_month() -> None:
    months = (-155, -124, -94, -63, -33)
    lines = tuple(bank_line(f"N{on}", on + 2, -900) for on in months if on != -94)

    found = LedgerNotAtBank().find(banked(lines=lines, purchases=tuple(purchase(f"E{on}", on, 900) for on in months)))

    assert [finding.subjects[0].external_id for finding in found] == ["E-94"]


def test_a_cheque_is_known_by_its_number_however_late_it_comes() -> None:
    lines = (bank_line("N1", -20, -300, cheque_number="1002"),)
    written = (cheque("E1", -100, 300, number="1001"), cheque("E2", -95, 300, number="1002"))

    found = LedgerNotAtBank().find(banked(lines=lines, purchases=written))

    assert [finding.subjects[0].external_id for finding in found] == ["E1"]


def voiding(books: Books) -> Finding:
    return next(finding for finding in find_weighed_findings(books) if finding.check == "BK04")


def test_voiding_a_payment_that_cash_is_less_for_gives_the_money_back() -> None:
    found = voiding(banked(purchases=(purchase("E1", -40, 300),)))

    void, anew, _ = found.fixes
    assert [amendment.amount for amendment in void.amendments] == [amount(300)]
    assert anew.amendments == ()
    assert found.impact_low is not None
    assert found.impact_low.amount == 300


@pytest.mark.parametrize("settings", [CompanySettings(), CompanySettings(ledger_outflow_days=60)])
def test_a_payment_that_cash_no_longer_counts_costs_money_only_when_it_is_issued_anew(
    settings: CompanySettings,
) -> None:
    found = voiding(banked(purchases=(cheque("E1", -91, 300),), settings=settings))

    void, anew, _ = found.fixes
    assert void.amendments == ()
    assert [amendment.amount for amendment in anew.amendments] == [amount(-300)]
    assert found.impact_low is not None
    assert found.impact_low.amount == -300


def test_without_a_bank_nothing_is_compared() -> None:
    checks = {finding.check for finding in find_findings(sample_books(with_bank=False))}

    assert checks.isdisjoint({"BK01", "BK03", "BK04"})
