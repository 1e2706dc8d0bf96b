"""BK12: a deposit account is used and no bank rail reads it, or it reads one in another currency."""

import re
from collections.abc import Iterable
from datetime import date

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.bank_evidence import find_newest_balances
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.matching.ledger_legs import read_ledger_legs
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Account, AccountKind

ACTIVE_DAYS = 60

_IN_HAND = re.compile(r"\b(?:petty cash|cash on hand|cash drawer|till|register)\b", re.IGNORECASE)


class AccountUnmapped:
    """A bank account that moved within 60 days and that no bank rail reads; or whose rail reads another currency.

    Silent while no account of the company has a bank rail. Accounts that the settings exclude and cash in hand need
    none.
    """

    id = "BK12"
    name = "account_unmapped"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset(
        {
            "chart",
            "bank_balances",
            "bank_transactions",
            "bill_payments",
            "customer_payments",
            "deposits",
            "journal_entries",
            "purchases",
            "transfers",
        }
    )

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such account."""
        balances = find_newest_balances(books)
        read = balances.keys() | {line.account_id for line in books.bank_transactions}
        if not read:
            return
        excluded = books.company.settings.excluded_account_ids
        last = self._find_last_moves(books)
        for account in books.chart:
            if account.account_kind is not AccountKind.BANK or account.external_id in excluded:
                continue
            balance = balances.get(account.external_id)
            if balance is not None and balance.currency != account.currency:
                yield self._report(
                    books,
                    account,
                    f"is kept in {account.currency} and read in {balance.currency}",
                    (
                        Evidence(name="ledger_currency", value=account.currency, record=account.key),
                        Evidence(
                            name="bank_currency", value=balance.currency, record=account.key, rail=balance.rail or None
                        ),
                    ),
                )
            elif account.external_id not in read and account.external_id in last and not _IN_HAND.search(account.name):
                yield self._report(
                    books,
                    account,
                    "is in use and no bank connection reads it",
                    (
                        # The month, not the day: what a person accepted stays accepted from one payment to the next.
                        Evidence(
                            name="last_moved_month", value=f"{last[account.external_id]:%Y-%m}", record=account.key
                        ),
                    ),
                )

    def _report(self, books: Books, account: Account, what: str, evidence: tuple[Evidence, ...]) -> Finding:
        return build_finding(
            self,
            books,
            subjects=(account.key,),
            summary=f"{account.name} {what}",
            evidence=evidence,
            fixes=(
                SuggestedFix(label="Map it to an account at the bank", record=account.key),
                SuggestedFix(label="Exclude it from cash", record=account.key),
            ),
        )

    def _find_last_moves(self, books: Books) -> dict[str, date]:
        """The day each account last moved, of those that moved lately."""
        since = add_days(books.as_of, -ACTIVE_DAYS)
        last: dict[str, date] = {}
        for leg in read_ledger_legs(books):
            if since <= leg.day <= books.as_of:
                last[leg.account_id] = max(last.get(leg.account_id, leg.day), leg.day)
        return last
