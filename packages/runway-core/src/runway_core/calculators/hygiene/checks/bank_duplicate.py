"""BK05: one movement at the bank that came to us twice."""

from collections.abc import Iterable, Iterator

from runway_core.calculators.cash import find_usable_bank_balances
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.hygiene.bank_evidence import say_line, show_line
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.matching.bank_twins import find_twins, source_of
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class BankDuplicate:
    """Lines of one account, amount and normalised text, at most 3 days apart, from two sources or two imports.

    Also a pending line that stayed although it was posted. Two posted lines from one source are two purchases, and so
    are a posted line and a pending one that was announced after it.
    """

    id = "BK05"
    name = "bank_duplicate"
    floor = Severity.HIGH
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"chart", "bank_balances", "bank_transactions", "read_at"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every line that repeats another."""
        for kept, other in find_twins(books):
            yield self._report(books, kept, other)

    def _report(self, books: Books, kept: BankTransaction, other: BankTransaction) -> Finding:
        why = "announced still, though posted" if other.is_pending else "read twice"
        return build_finding(
            self,
            books,
            subjects=(kept.key, other.key),
            amount=other.amount,
            currency=other.currency,
            summary=f"Bank line over {say_line(other)} is {why}",
            evidence=(*_show(kept), *_show(other)),
            fixes=(
                SuggestedFix(
                    label=f"Exclude {other.external_id}, keep {kept.external_id}",
                    record=other.key,
                    amendments=tuple(_give_back(books, other)),
                ),
            ),
        )


def _show(line: BankTransaction) -> Iterator[Evidence]:
    yield show_line(line)
    state = "pending" if line.is_pending else "posted"
    yield Evidence(
        name="source", value=" ".join(filter(None, (state, *source_of(line)))), record=line.key, rail=line.rail or None
    )


def _give_back(books: Books, line: BankTransaction) -> Iterator[Amendment]:
    """A pending outflow counts as spent, a pending inflow as expected; posted lines are no part of expected cash."""
    counts = line.account_id in find_usable_bank_balances(books) and line.account_id in find_cash_account_ids(books)
    if not line.is_pending or not counts:
        return
    home = HomeRates.of(books).convert(line.amount, line.currency)
    if line.amount > 0:
        yield Amendment(action=AmendmentAction.REMOVE, record=line.key)
    elif home is not None:
        yield Amendment(action=AmendmentAction.ADJUST_CASH, amount=-home)
