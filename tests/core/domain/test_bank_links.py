"""Which ledger account stands for which account at the bank."""

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.bank import BankAccount, BankAccountKind
from runway_core.domain.bank_links import link_accounts
from runway_core.domain.ledger import Account, AccountKind

Links = Mapping[str, str]


def ledger(
    external_id: str,
    name: str,
    *,
    number: str | None = None,
    kind: AccountKind = AccountKind.BANK,
    currency: str = "USD",
) -> Account:
    return Account(
        external_id=external_id,
        name=name,
        full_name=name,
        number=number,
        account_kind=kind,
        account_type="Bank",
        currency=currency,
        balance=Decimal(0),
    )


def at_bank(
    external_id: str,
    name: str,
    *,
    mask: str | None = None,
    kind: BankAccountKind = BankAccountKind.CHECKING,
    currency: str = "USD",
) -> BankAccount:
    return BankAccount(
        external_id=external_id, feed="bankfeed", name=name, mask=mask, bank_account_kind=kind, currency=currency
    )


def link(accounts: list[Account], bank: list[BankAccount], **stated: str) -> Links:
    return link_accounts(accounts, bank, stated)


def test_the_end_of_the_number_links_before_the_name() -> None:
    accounts = [ledger("1", "Checking 8899"), ledger("2", "Operating", number="100-4321")]
    bank = [at_bank("b", "Checking 8899", mask="4321"), at_bank("c", "Premium", mask="8899")]

    assert link(accounts, bank) == {"b": "2", "c": "1"}


def test_equal_names_link_and_the_only_ones_left_do() -> None:
    accounts = [ledger("1", "Checking"), ledger("2", "Rainy day")]
    bank = [at_bank("b", "checking "), at_bank("c", "Savings", kind=BankAccountKind.SAVINGS)]

    assert link(accounts, bank) == {"b": "1", "c": "2"}


def test_doubt_links_nothing() -> None:
    accounts = [ledger("1", "Checking"), ledger("2", "Checking")]

    assert link(accounts, [at_bank("b", "Checking")]) == {}
    assert link(accounts[:1], [at_bank("b", "Checking"), at_bank("c", "Checking")]) == {}


def test_currency_and_nature_must_agree() -> None:
    accounts = [ledger("1", "Visa", kind=AccountKind.CREDIT_CARD), ledger("2", "Euro", currency="EUR")]
    bank = [at_bank("b", "Visa"), at_bank("c", "Euro"), at_bank("d", "Loan", kind=BankAccountKind.LOAN)]

    assert link(accounts, bank) == {}


def test_what_people_stated_goes_first_unless_the_ledger_has_no_such_account() -> None:
    accounts = [ledger("1", "Checking"), ledger("2", "Operating")]

    assert link(accounts, [at_bank("b", "Checking")], b="2") == {"b": "2"}
    assert link(accounts, [at_bank("b", "Checking")], b="9") == {"b": "1"}


names = st.sampled_from(("Checking", "Operating", "Checking 4321", "Savings"))
masks = st.none() | st.sampled_from(("4321", "8899"))


@given(st.data())
def test_each_account_is_linked_once_and_order_changes_nothing(data: st.DataObject) -> None:
    accounts = [ledger(f"L{n}", data.draw(names)) for n in range(data.draw(st.integers(0, 4)))]
    bank = [at_bank(f"b{n}", data.draw(names), mask=data.draw(masks)) for n in range(data.draw(st.integers(0, 4)))]
    links = link(accounts, bank)
    shuffled = data.draw(st.permutations(accounts)), data.draw(st.permutations(bank))

    assert len(set(links.values())) == len(links)
    assert link(*shuffled) == links
