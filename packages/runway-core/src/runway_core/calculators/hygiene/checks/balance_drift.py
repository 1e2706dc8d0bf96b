"""BK01: a bank account and its ledger account differ by more than what is on its way."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from runway_core.calculators.cash import find_usable_bank_balances
from runway_core.calculators.hygiene.bank_evidence import show_bank_balance
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.matching.drift import DRIFT_READS, Drift, compute_drifts
from runway_core.domain.bank import BankBalance
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Account

LEAST_UNEXPLAINED = Decimal("1.00")


class BalanceDrift:
    """Bank posted − ledger ≠ (bank not in ledger) − (ledger not at bank), by 1.00 or more.

    Accounts whose two sides are kept in different currencies are BK12's.
    """

    id = "BK01"
    name = "balance_drift"
    floor = Severity.CRITICAL
    effect = RunwayEffect.MOVES_DATES
    reads = DRIFT_READS

    def find(self, books: Books) -> Iterable[Finding]:
        """Every account with an unexplained rest."""
        balances = find_usable_bank_balances(books)
        for drift in books.derive(compute_drifts):
            account, balance = books.account_by_id[drift.account_id], balances[drift.account_id]
            if abs(drift.unexplained) < LEAST_UNEXPLAINED or balance.currency != account.currency:
                continue
            yield build_finding(
                self,
                books,
                subjects=(account.key,),
                amount=drift.unexplained,
                currency=drift.currency,
                summary=f"{account.name} differs from the bank by {say_amount(drift.unexplained, drift.currency)} "
                "that no line and no entry explains",
                evidence=_show(drift, account, balance),
                fixes=(SuggestedFix(label="Find the missing opening entry or lost history", record=account.key),),
            )


def _show(drift: Drift, account: Account, balance: BankBalance) -> Iterator[Evidence]:
    yield show_bank_balance(balance, account)
    for name, value in (
        ("ledger_balance", drift.ledger),
        ("bank_not_in_ledger", drift.bank_not_in_ledger),
        ("ledger_not_at_bank", drift.ledger_not_at_bank),
        ("unexplained", drift.unexplained),
    ):
        yield Evidence(name=name, value=plain_amount(value, drift.currency), record=account.key)
