"""Which ledger account stands for which account at a bank, and what calculators see of the bank through that."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from runway_core.domain.bank import BankAccount, BankAccountKind, BankBalance, BankLine, BankTransaction
from runway_core.domain.company import Connection
from runway_core.domain.ledger import Account, AccountKind

LEDGER_ACCOUNTS_SETTING = "ledger_accounts"
"""The setting of a connection in which people state links: ids at the bank to ids in the ledger."""

OLDEST_ENTRY_DAYS = 90
"""A cheque may be cashed so many days after it was written: a line's entry is looked for that far back."""

_SIDES = {
    BankAccountKind.CHECKING: AccountKind.BANK,
    BankAccountKind.SAVINGS: AccountKind.BANK,
    BankAccountKind.CREDIT_CARD: AccountKind.CREDIT_CARD,
}

Trait = Callable[[Account, BankAccount], bool]


def link_accounts(
    accounts: Iterable[Account], bank_accounts: Iterable[BankAccount], stated: Mapping[str, str]
) -> Mapping[str, str]:
    """Name the ledger account of each bank account, as far as that is certain.

    What people stated goes first. The others are linked when one trait holds for exactly one account on either side,
    of the same currency and nature: the end of the number, then the name, then being the only one left. Doubt links
    nothing, and the order of what is given changes nothing.
    """
    ledger = sorted((one for one in accounts if one.is_active), key=lambda one: one.external_id)
    bank = sorted(bank_accounts, key=lambda one: one.external_id)
    known = {one.external_id for one in ledger}
    links = {one.external_id: stated[one.external_id] for one in bank if stated.get(one.external_id) in known}
    for trait in (_ends_alike, _named_alike, _fits):
        links |= _find_pairs(ledger, bank, links, trait)
    return links


def _find_pairs(
    ledger: Sequence[Account], bank: Sequence[BankAccount], links: Mapping[str, str], trait: Trait
) -> Mapping[str, str]:
    taken = set(links.values())
    pairs = [
        (one.external_id, account.external_id)
        for one in bank
        if one.external_id not in links
        for account in ledger
        if account.external_id not in taken and _fits(account, one) and trait(account, one)
    ]
    of_bank: dict[str, int] = defaultdict(int)
    of_ledger: dict[str, int] = defaultdict(int)
    for bank_id, ledger_id in pairs:
        of_bank[bank_id] += 1
        of_ledger[ledger_id] += 1
    return {bank_id: ledger_id for bank_id, ledger_id in pairs if of_bank[bank_id] == of_ledger[ledger_id] == 1}


def _fits(account: Account, bank: BankAccount) -> bool:
    return account.currency == bank.currency and account.account_kind is _SIDES.get(bank.bank_account_kind)


def _ends_alike(account: Account, bank: BankAccount) -> bool:
    if not bank.mask:
        return False
    return (account.number or "").endswith(bank.mask) or bank.mask in _words(account.name)


def _words(name: str) -> set[str]:
    return set("".join(letter if letter.isalnum() else " " for letter in name).split())


def _named_alike(account: Account, bank: BankAccount) -> bool:
    return account.name.strip().casefold() == bank.name.strip().casefold()


def read_links(
    accounts: Iterable[Account], bank_accounts: Iterable[BankAccount], connections: Iterable[Connection]
) -> Mapping[str, str]:
    """Link accounts, with what the settings of the connections state."""
    stated: dict[str, str] = {}
    for connection in connections:
        held = connection.settings.get(LEDGER_ACCOUNTS_SETTING)
        if isinstance(held, Mapping):
            stated |= {str(bank_id): str(ledger_id) for bank_id, ledger_id in held.items()}
    return link_accounts(accounts, bank_accounts, stated)


def make_bank_balances(bank_accounts: Iterable[BankAccount], links: Mapping[str, str]) -> tuple[BankBalance, ...]:
    """The posted balances of linked accounts; one that was never read, or tells only what is free, has none."""
    return tuple(
        BankBalance(
            account_id=links[one.external_id],
            currency=one.currency,
            posted=one.posted,
            read_at=one.read_at,
            rail=one.feed,
        )
        for one in bank_accounts
        if one.external_id in links and one.posted is not None and one.read_at is not None
    )


def make_bank_transactions(
    lines: Sequence[BankLine], bank_accounts: Iterable[BankAccount], links: Mapping[str, str], *, history_from: date
) -> tuple[BankTransaction, ...]:
    """The lines of linked accounts, in the order of `lines`.

    They begin later than the books that reach back to `history_from`, so that the entry of each line can be there.
    """
    since = history_from + timedelta(days=OLDEST_ENTRY_DAYS)
    feeds = {one.external_id: one.feed for one in bank_accounts}
    defaults = {
        name: field.get_default() for name, field in BankTransaction.model_fields.items() if not field.is_required()
    }
    values = [
        {
            **defaults,
            "external_id": line.external_id,
            "account_id": links[line.bank_account_id],
            "booked_on": line.booked_on,
            "currency": line.currency,
            "amount": line.amount,
            "is_pending": line.is_pending,
            "text": line.text,
            "replaces_id": line.replaces_id,
            "counterparty": line.counterparty,
            "cheque_number": line.cheque_number,
            "rail": feeds[line.bank_account_id],
        }
        for line in lines
        if line.bank_account_id in links and line.booked_on >= since
    ]
    return tuple(BankTransaction.trusted_many(values))
