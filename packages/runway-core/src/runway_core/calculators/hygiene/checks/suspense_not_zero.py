"""GL02: something waits on a suspense or clearing account for weeks."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.postings import POSTING_READS, read_postings
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import ZERO

PASSING_DAYS = 30

_PASSING = re.compile(r"\b(?:suspense|clearing)\b", re.IGNORECASE)

_BANDS = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
_OLDEST = "over 90"


class SuspenseNotZero:
    """A suspense or clearing account on which something stands for over 30 days.

    What came clears what went, the oldest first; what is left has the age of the entry that put it there. So an account
    through which money passes each week is left alone, though it is never nil.
    """

    id = "GL02"
    name = "suspense_not_zero"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = POSTING_READS | {"accounts"}

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such account."""
        passing = {a.external_id: a for a in books.accounts if a.balance and _is_passing(a)}
        if not passing:
            return
        moved: dict[str, list[tuple[date, Decimal]]] = {account_id: [] for account_id in passing}
        for account_id, amount, record in read_postings(books, passing):
            moved[account_id].append((record.document_date, amount))
        since = add_days(books.as_of, -PASSING_DAYS)
        for account_id, account in passing.items():
            left = _find_left(account, moved[account_id], books.as_of)
            old = sum((amount for on, amount in left if on is None or on < since), ZERO)
            if old:
                yield self._report(books, account, left, old)

    def _report(self, books: Books, account: Account, left: list[tuple[date | None, Decimal]], old: Decimal) -> Finding:
        balance = sum((amount for _, amount in left), ZERO)
        return build_finding(
            self,
            books,
            subjects=(account.key,),
            amount=old,
            currency=account.currency,
            summary=f"{account.name} holds {say_amount(balance, account.currency)}, of it "
            f"{say_amount(old, account.currency)} for over {PASSING_DAYS} days",
            evidence=(
                Evidence(name="balance", value=plain_amount(balance, account.currency), record=account.key),
                *_show_ages(books, account, left),
            ),
            fixes=(SuggestedFix(label="Clear what stands there", record=account.key),),
        )


def _is_passing(account: Account) -> bool:
    is_control = account.account_kind in {AccountKind.ACCOUNTS_PAYABLE, AccountKind.ACCOUNTS_RECEIVABLE}
    return not is_control and _PASSING.search(account.name) is not None


def _find_left(
    account: Account, moved: Iterable[tuple[date, Decimal]], as_of: date
) -> list[tuple[date | None, Decimal]]:
    """What is left on the account on the day, by the day it came; `None` is before the history at hand."""
    entries = sorted(moved)
    known = sum((amount for _, amount in entries), ZERO)
    waiting: deque[tuple[date | None, Decimal]] = deque()
    before = account.balance - known
    if before:
        waiting.append((None, before))
    for on, amount in entries:
        rest = amount if on <= as_of else ZERO
        while rest and waiting and (waiting[0][1] > 0) != (rest > 0):
            first, held = waiting.popleft()
            if abs(held) > abs(rest):
                waiting.appendleft((first, held + rest))
                rest = ZERO
            else:
                rest += held
        if rest:
            waiting.append((on, rest))
    return list(waiting)


def _show_ages(books: Books, account: Account, left: Iterable[tuple[date | None, Decimal]]) -> Iterator[Evidence]:
    sums = dict.fromkeys((*(label for _, label in _BANDS), _OLDEST), ZERO)
    for on, amount in left:
        sums[_OLDEST if on is None else _band_of((books.as_of - on).days)] += amount
    for label, amount in sums.items():
        if amount:
            value = plain_amount(amount, account.currency)
            yield Evidence(name=f"days_{label.replace('-', '_to_').replace(' ', '_')}", value=value, record=account.key)


def _band_of(days: int) -> str:
    for most, label in _BANDS:
        if days <= most:
            return label
    return _OLDEST
