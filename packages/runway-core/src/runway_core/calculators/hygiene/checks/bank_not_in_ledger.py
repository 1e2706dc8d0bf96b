"""BK03: the bank booked it days ago and the ledger does not know it."""

from collections.abc import Iterable, Sequence

from runway_core.calculators.hygiene.bank_evidence import show_lines
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.matching.drift import DRIFT_READS, compute_drifts
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Account
from runway_core.domain.money import ZERO

WAITING_DAYS = 5


class BankNotInLedger:
    """Lines that the bank posted over 5 days ago and that no ledger entry stands for. One finding an account."""

    id = "BK03"
    name = "bank_not_in_ledger"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = DRIFT_READS

    def find(self, books: Books) -> Iterable[Finding]:
        """Every account with such lines, however many: they wait together in the ledger's bank feed."""
        for drift in books.derive(compute_drifts):
            old = [line for line in drift.lines if (books.as_of - line.booked_on).days > WAITING_DAYS]
            if old:
                yield self._report(books, books.account_by_id[drift.account_id], old)

    def _report(self, books: Books, account: Account, lines: Sequence[BankTransaction]) -> Finding:
        currency = account.currency
        received = sum((line.amount for line in lines if line.amount > 0), ZERO)
        spent = sum((-line.amount for line in lines if line.amount < 0), ZERO)
        count = f"{len(lines)} bank line" + ("" if len(lines) == 1 else "s")
        moved = f"{say_amount(spent, currency)} out and {say_amount(received, currency)} in"
        return build_finding(
            self,
            books,
            subjects=(account.key,),
            amount=received + spent,
            currency=currency,
            summary=f"{count} of {account.name}, {moved}, not in the ledger; the oldest is of {lines[0].booked_on}",
            evidence=(
                Evidence(name="count", value=str(len(lines)), record=account.key),
                Evidence(name="sum_out", value=plain_amount(spent, currency), record=account.key),
                Evidence(name="sum_in", value=plain_amount(received, currency), record=account.key),
                Evidence(name="oldest", value=lines[0].booked_on.isoformat(), record=account.key),
                *show_lines(lines),
            ),
            fixes=(SuggestedFix(label="Accept them in the ledger's bank feed", record=account.key),),
        )
