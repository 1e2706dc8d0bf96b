"""BK05 tells one movement from two; BK07 asks where own money went."""

from datetime import timedelta

import pytest
from runway_core.calculators.hygiene.checks.bank_duplicate import BankDuplicate
from runway_core.calculators.hygiene.checks.transfer_one_sided import TransferOneSided
from runway_core.calculators.hygiene.impact import find_weighed_findings
from runway_core.calculators.matching.drift import compute_drifts
from runway_core.domain.bank import BankLineSource, BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.ledger import AccountKind, Transfer
from runway_testkit.books_making import amount, day

from tests.core.hygiene.bank_making import account, bank_balance, bank_line, banked, purchase

FEED, FILE = BankLineSource.FEED, BankLineSource.IMPORT


def imported(external_id: str, on: int, total: int, text: str = "", *, file: str = "march.csv") -> BankTransaction:
    return bank_line(external_id, on, total, text, source=FILE, import_id=file, rail="")


def pairs(books: Books) -> list[set[str]]:
    return [{subject.external_id for subject in found.subjects} for found in BankDuplicate().find(books)]


@pytest.mark.parametrize(
    ("second", "is_found"),
    [
        (imported("N2", -6, -80, "NIMBUS CLOUD 02/24 SEATTLE WA"), True),
        (imported("N2", -7, -80, "NIMBUS CLOUD"), False),
        (imported("N2", -9, -81, "NIMBUS CLOUD"), False),
        (imported("N2", -9, -80, "HARBOR PROPERTIES"), False),
        (bank_line("N2", -9, -80, "NIMBUS CLOUD"), False),
        (bank_line("N2", -9, -80, "NIMBUS CLOUD", account_id="other"), False),
        (bank_line("N2", -9, -80, "NIMBUS CLOUD", rail="second bank"), True),
    ],
    ids=["three days", "four days", "amount", "text", "one source: two purchases", "account", "two rails"],
)
def test_a_line_that_two_sources_tell_is_found(second: BankTransaction, is_found: bool) -> None:
    first = bank_line("N1", -9 if second.booked_on != day(-7) else -11, -80, "SQ *NIMBUS CLOUD")

    assert pairs(banked(lines=(first, second))) == ([{"N1", "N2"}] if is_found else [])


def test_two_files_may_overlap_and_each_line_repeats_one() -> None:
    lines = (
        imported("A1", -9, -5, "DELI"), imported("A2", -9, -5, "DELI"),
        imported("B1", -9, -5, "DELI", file="april.csv"), imported("B2", -9, -5, "DELI", file="april.csv"),
        imported("B3", -8, -5, "DELI", file="april.csv"),
    )  # fmt: skip

    assert len(pairs(banked(lines=lines))) == 2


def test_cheques_of_one_amount_are_told_by_their_numbers() -> None:
    lines = (bank_line("N1", -9, -80, "CHECK 1001"), imported("N2", -9, -80, "CHECK 1002"))

    assert pairs(banked(lines=lines)) == []


@pytest.mark.parametrize(
    ("posted_on", "replaces", "is_found"),
    [(-4, None, True), (-1, None, True), (0, None, False), (-5, None, False), (-3, "P1", False), (-3, "other", False)],
    ids=["same day", "three days on", "four days on", "announced afterwards", "replaced", "another was replaced"],
)
def test_a_pending_line_that_stayed_after_it_was_posted_is_found(
    posted_on: int, replaces: str | None, is_found: bool
) -> None:
    announced = bank_line("P1", -4, -80, "NIMBUS CLOUD", is_pending=True)
    posted = bank_line("N1", posted_on, -80, "NIMBUS CLOUD 0042", replaces_id=replaces)

    assert pairs(banked(lines=(announced, posted))) == ([{"N1", "P1"}] if is_found else [])


@pytest.mark.parametrize("total", [-80, 80], ids=["outflow", "inflow"])
def test_excluding_a_pending_line_gives_back_what_it_took_from_expected_cash(total: int) -> None:
    announced = bank_line("P1", -4, total, "NIMBUS CLOUD", is_pending=True)
    posted = bank_line("N1", -4, total, "NIMBUS CLOUD")

    (found,) = [f for f in find_weighed_findings(banked(lines=(announced, posted))) if f.check == "BK05"]

    assert found.impact_low is not None
    assert found.impact_low.amount == (80 if total < 0 else 0)
    assert [amendment.record for fix in found.fixes for amendment in fix.amendments] == (
        [None] if total < 0 else [announced.key]
    )


def test_a_repeated_line_makes_no_difference_between_bank_and_ledger() -> None:
    books = banked(lines=(bank_line("N1", -9, -80, "DELI"),), purchases=(purchase("E1", -9, 80),))
    doubled = books.model_copy(
        update={"bank_transactions": (*books.bank_transactions, imported("N2", -9, -80, "DELI 02/21"))}
    )

    assert compute_drifts(doubled) == compute_drifts(books)


def two_accounts(*lines: BankTransaction, transfers: tuple[Transfer, ...] = (), other: str = "savings") -> Books:
    accounts = (
        account("bank"),
        account("savings", name="Rainy Day Fund"),
        account("card", account_kind=AccountKind.CREDIT_CARD),
        account("loan", account_kind=AccountKind.LONG_TERM_LIABILITY),
    )
    first = bank_line("N-other", -300, 1, account_id=other)
    balances = (bank_balance("bank"), bank_balance(other))
    return banked(
        accounts=accounts, bank_balances=balances, bank_transactions=(*lines, first), transfers=transfers, purchases=()
    )


def moved(on: int, total: int, target: str) -> Transfer:
    return Transfer(
        external_id="X1", document_date=day(on), currency="USD", total=amount(total),
        from_account_id="bank", to_account_id=target,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_told", "is_found"),
    [
        ("ONLINE TRANSFER TO SAVINGS 4411", False, True),
        ("XFER TO SAV 0042", False, True),
        ("CREDIT CARD AUTOPAY 8831", False, True),
        ("TO RAINY DAY FUND", False, False),
        ("RAINY DAY FUND", False, True),
        ("WHATEVER", True, True),
        ("WIRE TRANSFER FEE", False, False),
        ("ACH TRANSFER STAX LLC", False, False),
        ("WIRE OUT TO ORION SAVINGS BANK", False, False),
    ],
)
def test_a_transfer_is_known_by_what_the_bank_writes(text: str, is_told: bool, is_found: bool) -> None:
    line = bank_line("N1", -9, -500, text, is_transfer=is_told)

    assert bool(list(TransferOneSided().find(two_accounts(line)))) is is_found


@pytest.mark.parametrize(
    ("other_on", "total", "is_found"),
    [(-5, 500, False), (-13, 500, False), (-4, 500, True), (-9, 499, True)],
    ids=["four days later", "four days before", "five days later", "another amount"],
)
def test_a_transfer_wants_its_opposite_within_four_days(other_on: int, total: int, is_found: bool) -> None:
    line = bank_line("N1", -9, -500, "TRANSFER TO SAVINGS")
    other = bank_line("N2", other_on, total, "ACTIVITY", account_id="savings")

    found = list(TransferOneSided().find(two_accounts(line, other)))

    assert bool(found) is is_found


def test_one_opposite_serves_one_transfer() -> None:
    lines = (
        bank_line("N1", -9, -500, "TRANSFER TO SAVINGS"),
        bank_line("N2", -8, -500, "TRANSFER TO SAVINGS"),
        bank_line("N3", -8, 500, "TRANSFER FROM CHECKING", account_id="savings"),
    )

    assert len(list(TransferOneSided().find(two_accounts(*lines)))) == 1


@pytest.mark.parametrize(("age_days", "is_found"), [(4, False), (5, True)], ids=["on its way", "overdue"])
def test_a_transfer_has_four_days_to_arrive(age_days: int, is_found: bool) -> None:
    line = bank_line("N1", -age_days, -500, "TRANSFER TO SAVINGS")

    assert bool(list(TransferOneSided().find(two_accounts(line)))) is is_found


@pytest.mark.parametrize(
    ("target", "is_found"),
    [("card", False), ("loan", False), ("savings", True)],
    ids=["a card no rail reads", "a loan", "an account whose bank should show it"],
)
def test_the_ledger_stands_in_for_accounts_that_no_bank_shows(target: str, is_found: bool) -> None:
    line = bank_line("N1", -9, -500, "XFER", is_transfer=True)

    found = list(TransferOneSided().find(two_accounts(line, transfers=(moved(-9, 500, target),))))

    assert bool(found) is is_found


def test_a_leg_further_away_is_named_as_a_candidate() -> None:
    line = bank_line("N1", -29, -500, "TRANSFER TO SAVINGS")
    late = bank_line("N2", -9, 500, "ACTIVITY", account_id="savings")

    (found,) = TransferOneSided().find(two_accounts(line, late))

    assert [e.record for e in found.evidence] == [line.key, late.key]
    assert found.fixes[0].label == f"Link it with the line of {day(0) - timedelta(days=9)}"
