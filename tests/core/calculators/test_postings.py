"""What records moved on the accounts of the balance sheet."""

from decimal import Decimal

from runway_core.calculators.postings import sum_postings
from runway_core.domain.ledger import AccountKind
from runway_testkit.books_making import bill, make_books


def test_every_bill_is_owed_whoever_it_names() -> None:
    bank, *_ = make_books().accounts
    payable = bank.model_copy(update={"external_id": "ap", "account_kind": AccountKind.ACCOUNTS_PAYABLE})
    bills = (bill("1", 100), bill("2", 20, vendor_id=None), bill("3", 3, vendor_id=""), bill("4", 4, vendor_id="V2"))

    sums = sum_postings(make_books(accounts=(payable,), bills=bills))

    assert sums == {"ap": Decimal(-127)}
