"""BK06: an account stands on the wrong side of nil, so that one side of some entry is missing."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from runway_core.calculators.calendar import add_days
from runway_core.calculators.cash import find_usable_bank_balances
from runway_core.calculators.hygiene.bank_evidence import show_bank_balance
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.postings import POSTING_READS, Entry, read_postings
from runway_core.domain.bank import BankBalance
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import ZERO

TREND_DAYS = (30, 60, 90)

_SAYS = {
    AccountKind.BANK: "is below nil in the ledger",
    AccountKind.UNDEPOSITED_FUNDS: "is below nil: more was deposited than received",
    AccountKind.CREDIT_CARD: "is in debit: more was paid than charged",
}
_FIXES = {
    AccountKind.BANK: "Find the receipt or transfer that is missing, or the payment that is entered twice",
    AccountKind.UNDEPOSITED_FUNDS: "Find the payment that is missing, or the deposit that is entered twice",
    AccountKind.CREDIT_CARD: "Find the charges that are missing, or the payment that is entered twice",
}


class AccountSignWrong:
    """A deposit account below nil in the ledger and not at the bank; a card in debit; undeposited funds below nil.

    Entries dated ahead do not count yet. A bank that shows the same side is right.
    """

    id = "BK06"
    name = "account_sign_wrong"
    floor = Severity.HIGH
    effect = RunwayEffect.MOVES_DATES
    reads = POSTING_READS | {"accounts", "bank_balances", "read_at"}

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such account."""
        suspects = {account.external_id: account for account in books.accounts if _is_wrong(account, account.balance)}
        if not suspects:
            return
        balances = find_usable_bank_balances(books)
        moved: dict[str, list[tuple[Decimal, Entry]]] = {account_id: [] for account_id in suspects}
        for account_id, amount, record in read_postings(books, suspects):
            moved[account_id].append((amount, record))
        for account_id, account in suspects.items():
            trend = [_balance_on(books, account, moved[account_id], days) for days in (0, *TREND_DAYS)]
            bank = balances.get(account_id)
            is_wrong_at_bank = bank is not None and _is_wrong(account, bank.posted)
            if _is_wrong(account, trend[0]) and not is_wrong_at_bank:
                yield self._report(books, account, trend, bank)

    def _report(self, books: Books, account: Account, trend: list[Decimal], bank: BankBalance | None) -> Finding:
        return build_finding(
            self,
            books,
            subjects=(account.key,),
            amount=trend[0],
            currency=account.currency,
            summary=f"{account.name} {_SAYS[account.account_kind]}, by {say_amount(abs(trend[0]), account.currency)}",
            evidence=tuple(_show(account, trend, bank)),
            fixes=(SuggestedFix(label=_FIXES[account.account_kind], record=account.key),),
        )


def _is_wrong(account: Account, balance: Decimal) -> bool:
    if account.account_kind is AccountKind.CREDIT_CARD:
        return balance > 0
    return balance < 0 and account.account_kind in _SAYS


def _balance_on(books: Books, account: Account, moved: Iterable[tuple[Decimal, Entry]], days_ago: int) -> Decimal:
    day = add_days(books.as_of, -days_ago)
    return account.balance - sum((amount for amount, record in moved if record.document_date > day), ZERO)


def _show(account: Account, trend: list[Decimal], bank: BankBalance | None) -> Iterator[Evidence]:
    yield Evidence(name="balance", value=plain_amount(trend[0], account.currency), record=account.key)
    if bank is not None:
        yield show_bank_balance(bank, account)
    said = ", ".join(
        f"{days} days ago {plain_amount(balance, account.currency)}"
        for days, balance in zip(TREND_DAYS, trend[1:], strict=True)
    )
    yield Evidence(name="trend", value=said, record=account.key)
