"""What is owed on cards, for payroll tax and for sales tax, where it is paid off month by month.

The amounts differ from month to month, so that no series of like payments shows; but the account tells what is owed.
Where past payments were what had been owed at the close of a statement, the next one is that of the last close, and
exact once that day has passed and all was entered. What is bought until later closes, and what was bought and will be
entered later as much as it was lately, is as much a day as in the last three months.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runway_core.calculators.calendar import ONE_DAY, add_days, add_months, last_of_month, roll_forward
from runway_core.calculators.entry_curve import MOVED_AFTER_DAYS
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.domain.bills import BillPayment
from runway_core.domain.books import Books
from runway_core.domain.company import SeriesKind
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Account, AccountKind, Deposit, JournalEntry, Purchase, Transfer
from runway_core.domain.money import AMOUNT_STEP, ZERO

_ENTERED_AS = {
    AccountKind.CREDIT_CARD: SeriesKind.CARD,
    AccountKind.PAYROLL_LIABILITY: SeriesKind.PAYROLL_TAX,
    AccountKind.SALES_TAX_PAYABLE: SeriesKind.SALES_TAX,
}
"""Which liabilities are paid off, and the kind of entered series that stands for one."""

LEAST_PAYMENTS = 3
_LOOKED_AT_DAYS = 200
_USUAL_DAYS = 90
_SHORTEST_MONTH, _LONGEST_MONTH = 24, 38
"""Two payments that stand for neighbouring months lie so many days apart: weekends and holidays move each."""

_MOVED_DAYS = 5


_Entered = BillPayment | Purchase | Deposit | Transfer | JournalEntry | Invoice


class _Leg(NamedTuple):
    on: date
    owed: Decimal  # positive: more is owed; negative: less
    record: _Entered
    is_paid: bool  # out of a deposit account


@dataclass(frozen=True, slots=True)
class Settlement:
    """One coming payment of a liability."""

    account: Account
    on: date
    amount: Decimal  # positive, in the currency of the account
    closes_on: date  # what is owed by then is paid
    is_closed: bool  # that day has passed: the amount is known


@dataclass(frozen=True, slots=True)
class MonthlyLiability:
    """A liability that is paid off monthly."""

    account: Account
    settlements: tuple[Settlement, ...]  # by day
    payments: frozenset[RecordKey]  # past ones


def find_monthly_liabilities(books: Books, last: date) -> list[MonthlyLiability]:
    """Cards and tax accounts that were paid off in at least three months running, with their payments until `last`.

    An entered series of that kind stands for its liability, and it is left out.
    """
    found: list[MonthlyLiability] = []
    accounts = {account.external_id: account for account in books.accounts}
    for account_id, legs in books.derive(_read_legs).items():
        liability = _follow(books, accounts[account_id], legs, last)
        if liability is not None:
            found.append(liability)
    return sorted(found, key=lambda liability: liability.account.external_id)


def _follow(books: Books, account: Account, legs: list[_Leg], last: date) -> MonthlyLiability | None:
    as_of = books.as_of
    paid: dict[date, Decimal] = {}
    for leg in legs:
        if leg.is_paid and leg.on <= as_of:
            paid[leg.on] = paid.get(leg.on, ZERO) - leg.owed
    days = sorted(day for day, amount in paid.items() if amount > 0)
    gaps = [
        (later - earlier).days
        for earlier, later in zip(days[-LEAST_PAYMENTS:], days[1 - LEAST_PAYMENTS :], strict=False)
    ]
    is_monthly = len(days) >= LEAST_PAYMENTS and all(_SHORTEST_MONTH <= gap <= _LONGEST_MONTH for gap in gaps)
    if not is_monthly or (as_of - days[-1]).days > _LONGEST_MONTH + LEAST_PAYMENTS:
        return None
    owed = _Owed(account, legs, as_of=as_of, zone=ZoneInfo(books.company.time_zone))
    return MonthlyLiability(
        account=account,
        settlements=tuple(_place(account, owed, days, paid, as_of=as_of, last=last)),
        payments=frozenset(leg.record.key for leg in legs if leg.is_paid),
    )


class _Owed:
    """What was owed on past days, and what a day adds."""

    def __init__(self, account: Account, legs: Sequence[_Leg], *, as_of: date, zone: ZoneInfo) -> None:
        moved = sorted((leg.on, leg.owed) for leg in legs)
        self._days = [on for on, _ in moved]
        before = -account.balance - sum((owed for _, owed in moved), ZERO)
        self._owed = list(accumulate((owed for _, owed in moved), initial=before))
        since = add_days(as_of, -_USUAL_DAYS)
        bought = sum((leg.owed for leg in legs if not leg.is_paid and since < leg.on <= as_of), ZERO)
        self.per_day = Fraction(max(bought, ZERO)) / _USUAL_DAYS
        self._as_of = as_of
        self._waited = [  # of what is old enough to have been entered, how many days that took
            (leg.owed, _count_wait(leg, zone))
            for leg in legs
            if leg.owed > 0 and not leg.is_paid and since < leg.on <= add_days(as_of, -MOVED_AFTER_DAYS)
        ]

    def count_missing_days(self, day: date) -> Fraction:
        """How many days' worth of what was bought by `day`, a past one, will be entered only from today on."""
        age = (self._as_of - day).days
        total = sum((owed for owed, _ in self._waited), ZERO)
        missing = sum((owed * (wait - age) for owed, wait in self._waited if wait > age), ZERO)
        return Fraction(missing) / Fraction(total) if total else Fraction(0)

    def at_end_of(self, day: date) -> Decimal:
        return self._owed[bisect_right(self._days, day)]


def _count_wait(leg: _Leg, zone: ZoneInfo) -> int:
    """Days from a leg to its entry; nil where books came from elsewhere later."""
    entered_at = leg.record.created_at
    wait = 0 if entered_at is None else (entered_at.astimezone(zone).date() - leg.on).days
    return wait if 0 <= wait <= MOVED_AFTER_DAYS else 0


def _place(
    account: Account, owed: _Owed, days: list[date], paid: Mapping[date, Decimal], *, as_of: date, last: date
) -> Iterator[Settlement]:
    closing = _find_closing(owed, days[-LEAST_PAYMENTS:], paid)
    usual_day = _find_usual_day(days)
    amounts = sorted(paid[day] for day in days[-LEAST_PAYMENTS:])
    settled_to, scheduled = _close_before(days[-1], closing), ZERO
    month = days[-1].replace(day=1)
    while True:
        month = add_months(month, 1)
        nominal = month.replace(day=min(usual_day, last_of_month(month).day))
        on = roll_forward(max(nominal, as_of))
        if on > last:
            return
        closes_on = _close_before(nominal, closing)
        if closing is None:
            amount = amounts[len(amounts) // 2]
        else:
            amount = _expect(owed, settled_to, closes_on, as_of=as_of, scheduled=scheduled)
        settled_to, scheduled = closes_on, scheduled + amount
        if amount > 0:
            yield Settlement(account, on, amount, closes_on, is_closed=closing is not None and closes_on < as_of)


def _expect(owed: _Owed, settled_to: date, closes_on: date, *, as_of: date, scheduled: Decimal) -> Decimal:
    """What will be owed at a close beside what is `scheduled`: as the books say, and as usual what they lack."""
    yesterday = as_of - ONE_DAY
    known_to = min(closes_on, yesterday)
    known = owed.at_end_of(known_to) - scheduled if known_to > settled_to else ZERO
    first_unknown = max(settled_to, yesterday)
    days_left = max((closes_on - first_unknown).days, 0)
    days_missing = owed.count_missing_days(known_to) if known_to > settled_to else 0
    expected = owed.per_day * (days_left + days_missing)
    return max(known + (Decimal(expected.numerator) / expected.denominator).quantize(AMOUNT_STEP), ZERO)


def _find_usual_day(days: list[date]) -> int:
    """The day of the month that payments are due: holidays move some of them later, and seldom any earlier."""
    recent = [day.day for day in days[-6:]]
    return min(recent) if max(recent) - min(recent) <= _MOVED_DAYS else round(median(recent))


_MONTH_END = 0


def _find_closing(owed: _Owed, days: list[date], paid: Mapping[date, Decimal]) -> int | None:
    """The day of the month whose balance past payments paid, 0 for its last; `None` where no day explains all."""
    common: set[int] | None = None
    for day in days:
        fitting: set[int] = set()
        for back in range(1, 41):
            then = add_days(day, -back)
            if owed.at_end_of(then) == paid[day]:
                fitting.add(then.day)
                if then == last_of_month(then):
                    fitting.add(_MONTH_END)
        common = fitting if common is None else common & fitting
    return min(common) if common else None


def _close_before(day: date, closing: int | None) -> date:
    """The last close before `day`; month ends where no close is known."""
    month_before = add_months(day.replace(day=1), -1)
    if not closing:
        return last_of_month(month_before)
    in_month = day.replace(day=min(closing, last_of_month(day).day))
    return in_month if in_month < day else month_before.replace(day=min(closing, last_of_month(month_before).day))


def _read_legs(books: Books) -> dict[str, list[_Leg]]:
    """What moved in the last months on liabilities that no entered series stands for, by account."""
    entered = {series.series_kind for series in books.company.settings.series}
    accounts = {
        account.external_id: account
        for account in books.chart
        if (kind := _ENTERED_AS.get(account.account_kind)) is not None and kind not in entered
    }
    found: dict[str, list[_Leg]] = {}
    if not accounts:
        return found
    since = add_days(books.as_of, -_LOOKED_AT_DAYS)
    for account_id, leg in _read_all(books, accounts, since):
        if leg.owed:
            found.setdefault(account_id, []).append(leg)
    return found


def _read_all(books: Books, accounts: Mapping[str, Account], since: date) -> Iterator[tuple[str, _Leg]]:
    yield from _read_purchases(books, accounts, since)
    for place, account_id in enumerate(books.bill_payment_columns.account_id):
        if account_id in accounts:
            payment = books.bill_payments[place]
            if payment.document_date >= since and not payment.is_void:
                yield _leg(account_id, payment, payment.total)
    for deposit in books.deposits:
        if deposit.document_date >= since:
            for account_id, amount in _sum_lines(deposit.lines, accounts):
                yield _leg(account_id, deposit, amount)
    cash = find_cash_account_ids(books)
    for transfer in books.transfers:
        if transfer.document_date >= since and transfer.from_account_id in accounts:
            yield _leg(transfer.from_account_id, transfer, transfer.total)
        if transfer.document_date >= since and transfer.to_account_id in accounts:
            is_paid = transfer.from_account_id in cash
            yield _leg(transfer.to_account_id, transfer, -transfer.total, is_paid=is_paid)
    yield from _read_entries(books, accounts, since)
    yield from _read_tax(books, accounts, since)


def _leg(account_id: str | None, record: _Entered, owed: Decimal, *, is_paid: bool = False) -> tuple[str, _Leg]:
    return account_id or "", _Leg(record.document_date, owed, record, is_paid)


def _read_purchases(books: Books, accounts: Mapping[str, Account], since: date) -> Iterator[tuple[str, _Leg]]:
    cash = find_cash_account_ids(books)
    for purchase in books.purchases:
        if purchase.document_date < since or purchase.is_void:
            continue
        sign = -1 if purchase.is_refund else 1
        if purchase.account_id in accounts:
            yield _leg(purchase.account_id, purchase, sign * purchase.total)
        for account_id, amount in _sum_lines(purchase.lines, accounts):
            yield _leg(account_id, purchase, -sign * amount, is_paid=purchase.account_id in cash)


def _read_entries(books: Books, accounts: Mapping[str, Account], since: date) -> Iterator[tuple[str, _Leg]]:
    for entry in books.journal_entries:
        if entry.document_date >= since:
            for line in entry.lines:
                if line.account_id in accounts and line.line_kind in (LineKind.DEBIT, LineKind.CREDIT):
                    sign = 1 if line.line_kind is LineKind.CREDIT else -1
                    yield _leg(line.account_id, entry, sign * line.amount)


def _read_tax(books: Books, accounts: Mapping[str, Account], since: date) -> Iterator[tuple[str, _Leg]]:
    """Tax on invoices, where there is one account for it."""
    taxes = [account_id for account_id, a in accounts.items() if a.account_kind is AccountKind.SALES_TAX_PAYABLE]
    if len(taxes) == 1:
        since_day = since.toordinal()
        for place, day in enumerate(books.invoice_columns.document_day):
            invoice = books.invoices[place] if day >= since_day else None
            if invoice is not None and invoice.tax and not invoice.is_void:
                yield _leg(taxes[0], invoice, invoice.tax)


def _sum_lines(lines: Iterable[DocumentLine], accounts: Mapping[str, Account]) -> Iterator[tuple[str, Decimal]]:
    for line in lines:
        if line.account_id in accounts and line.line_kind is not LineKind.SUBTOTAL:
            yield line.account_id or "", line.amount
