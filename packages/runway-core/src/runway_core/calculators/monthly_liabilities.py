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
from runway_core.domain.documents import LineKind
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
    day: int  # ordinal
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
        if leg.is_paid and (on := date.fromordinal(leg.day)) <= as_of:
            paid[on] = paid.get(on, ZERO) - leg.owed
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
        moved: dict[int, Decimal] = {}
        for leg in legs:
            moved[leg.day] = moved.get(leg.day, ZERO) + leg.owed
        self._days = sorted(moved)
        before = -account.balance - sum(moved.values(), ZERO)
        self._owed = list(accumulate((moved[day] for day in self._days), initial=before))
        today = as_of.toordinal()
        usual = [leg for leg in legs if today - _USUAL_DAYS < leg.day <= today and not leg.is_paid]
        bought = sum((leg.owed for leg in usual), ZERO)
        self.per_day = Fraction(max(bought, ZERO)) / _USUAL_DAYS
        self._as_of = as_of
        self._waited = [  # of what is old enough to have been entered, how many days that took
            (leg.owed, _count_wait(leg, zone))
            for leg in usual
            if leg.day <= today - MOVED_AFTER_DAYS and leg.owed > ZERO
        ]

    def count_missing_days(self, day: date) -> Fraction:
        """How many days' worth of what was bought by `day`, a past one, will be entered only from today on."""
        age = (self._as_of - day).days
        total = sum((owed for owed, _ in self._waited), ZERO)
        missing = sum((owed * (wait - age) for owed, wait in self._waited if wait > age), ZERO)
        return Fraction(missing) / Fraction(total) if total else Fraction(0)

    def at_end_of(self, day: date) -> Decimal:
        return self._owed[bisect_right(self._days, day.toordinal())]


def _count_wait(leg: _Leg, zone: ZoneInfo) -> int:
    """Days from a leg to its entry; nil where books came from elsewhere later."""
    entered_at = leg.record.created_at
    wait = 0 if entered_at is None else entered_at.astimezone(zone).toordinal() - leg.day
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
    if not accounts:
        return {}
    legs = _Legs(books, accounts)
    legs.read_purchases(books.purchases)
    legs.read_bill_payments(books)
    legs.read_deposits(books.deposits)
    legs.read_transfers(books.transfers)
    legs.read_entries(books.journal_entries)
    legs.read_tax(books)
    return legs.found


class _Legs:
    """Collects what moved on some accounts in the last months."""

    def __init__(self, books: Books, accounts: Mapping[str, Account]) -> None:
        self.found: dict[str, list[_Leg]] = {}
        self._accounts = accounts
        self._cash = find_cash_account_ids(books)
        self._since = books.as_of.toordinal() - _LOOKED_AT_DAYS

    def _add(self, account_id: str | None, record: _Entered, owed: Decimal, *, day: int, is_paid: bool = False) -> None:
        if account_id is not None and owed:
            self.found.setdefault(account_id, []).append(_Leg(day, owed, record, is_paid))

    def read_purchases(self, purchases: Iterable[Purchase]) -> None:
        for purchase in purchases:
            day = purchase.document_date.toordinal()
            if day < self._since or purchase.is_void:
                continue
            sign = -1 if purchase.is_refund else 1
            if purchase.account_id in self._accounts:
                self._add(purchase.account_id, purchase, sign * purchase.total, day=day)
            for line in purchase.lines:
                if line.account_id in self._accounts and line.line_kind is not LineKind.SUBTOTAL:
                    is_paid = purchase.account_id in self._cash
                    self._add(line.account_id, purchase, -sign * line.amount, day=day, is_paid=is_paid)

    def read_bill_payments(self, books: Books) -> None:
        since, accounts, payments, records = (
            self._since,
            self._accounts,
            books.bill_payment_columns,
            books.bill_payments,
        )
        walked = zip(payments.document_day, payments.account_id, payments.is_void, strict=True)
        for place, (day, account_id, is_void) in enumerate(walked):
            if day >= since and account_id in accounts and not is_void:
                self._add(account_id, records[place], payments.total[place], day=day)

    def read_deposits(self, deposits: Iterable[Deposit]) -> None:
        for deposit in deposits:
            day = deposit.document_date.toordinal()
            for line in deposit.lines if day >= self._since else ():
                if line.account_id in self._accounts and line.line_kind is not LineKind.SUBTOTAL:
                    self._add(line.account_id, deposit, line.amount, day=day)

    def read_transfers(self, transfers: Iterable[Transfer]) -> None:
        for transfer in transfers:
            day = transfer.document_date.toordinal()
            if day >= self._since and transfer.from_account_id in self._accounts:
                self._add(transfer.from_account_id, transfer, transfer.total, day=day)
            if day >= self._since and transfer.to_account_id in self._accounts:
                is_paid = transfer.from_account_id in self._cash
                self._add(transfer.to_account_id, transfer, -transfer.total, day=day, is_paid=is_paid)

    def read_entries(self, entries: Iterable[JournalEntry]) -> None:
        for entry in entries:
            day = entry.document_date.toordinal()
            for line in entry.lines if day >= self._since else ():
                if line.account_id in self._accounts and line.line_kind in (LineKind.DEBIT, LineKind.CREDIT):
                    sign = 1 if line.line_kind is LineKind.CREDIT else -1
                    self._add(line.account_id, entry, sign * line.amount, day=day)

    def read_tax(self, books: Books) -> None:
        """Tax on invoices, where there is one account for it."""
        kinds, since, invoices, records = self._accounts.items(), self._since, books.invoice_columns, books.invoices
        taxes = [id_ for id_, account in kinds if account.account_kind is AccountKind.SALES_TAX_PAYABLE]
        walked = zip(invoices.document_day, invoices.tax, invoices.is_void, strict=True)
        legs = [
            _Leg(day, tax, records[place], is_paid=False)
            for place, (day, tax, is_void) in enumerate(walked)
            if day >= since and tax and not is_void
        ]
        if legs and len(taxes) == 1:
            self.found.setdefault(taxes[0], []).extend(legs)
