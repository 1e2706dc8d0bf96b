"""How long customers take, how long we take, and whether what is liquid covers what is owed soon.

Periods are the last three full months, as for burn. Documents count by their date and with tax, because open balances
hold it too. Amounts without an exchange rate are left out on both sides.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from runway_core.calculators.calendar import first_of_month, last_of_month, months_before
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.credits import find_customer_credits
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.history import FULL_MONTHS
from runway_core.calculators.payables import compute_payables
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import ZERO, Money
from runway_core.domain.ratios import Ratio, RatioKind, RatioPart, RatioUnit

_SOON_OWED = {
    AccountKind.CREDIT_CARD: "Credit cards",
    AccountKind.PAYROLL_LIABILITY: "Accrued payroll",
    AccountKind.SALES_TAX_PAYABLE: "Sales tax",
    AccountKind.OTHER_CURRENT_LIABILITY: "Other current liabilities",
}
"""Kinds of account whose balance the chart of accounts itself calls due within a year; bills are counted one by one."""

_ONE_PLACE, _TWO_PLACES = Decimal("0.1"), Decimal("0.01")


def compute_ratios(books: Books) -> tuple[Ratio, ...]:
    """Count-back days of sales first, because it is preferred; then days of sales, of bills, and the quick ratio.

    Needs the bills of the last three full months, settled ones too.
    """
    return (
        compute_count_back_days(books),
        compute_sales_days(books),
        compute_payables_days(books),
        compute_quick_ratio(books),
    )


def compute_sales_days(books: Books) -> Ratio:
    """Days of sales that open invoices stand for: open invoices ÷ sales of the last full months × their days."""
    owed = _sum_open_invoices(books)
    sales = _sum_by_month(books, (i for i in books.invoices if not i.is_void))
    return _over_period(books, RatioKind.DAYS_SALES_OUTSTANDING, owed=("Open invoices", owed), flow=("Invoices", sales))


def compute_payables_days(books: Books) -> Ratio:
    """Days of bills that open ones stand for: open bills less credits ÷ bills of the last full months × their days."""
    payables = books.derive(compute_payables)
    owed = sum((payable.home or ZERO for payable in payables), ZERO)
    return _over_period(
        books,
        RatioKind.DAYS_PAYABLES_OUTSTANDING,
        owed=("Open bills less credits", owed),
        flow=("Bills", _sum_by_month(books, books.bills)),
    )


def compute_count_back_days(books: Books) -> Ratio:
    """Take the sales of whole months off the open invoices, newest first: the days it takes until nothing is left.

    Months are those before the month of `as_of`, as far back as the books reach. When open invoices exceed all of
    their sales, the answer is "more than" the days of these months.
    """
    owed = _sum_open_invoices(books)
    sales = _sum_by_month(books, (i for i in books.invoices if not i.is_void))
    left, days = owed, Decimal(0)
    taken: list[RatioPart] = []
    first: date | None = None
    for month in _months_back(books, sales):
        if left <= 0:
            break
        sold, length = sales.get(month, ZERO), last_of_month(month).day
        used = min(sold, left)
        days += length if sold < left else length * used / sold
        left -= used
        first = month
        taken.append(_part(books, f"Sales of {month:%B %Y}, {length} days", sold))
    return Ratio(
        kind=RatioKind.DAYS_SALES_COUNT_BACK,
        unit=RatioUnit.DAYS,
        value=_round(days, _ONE_PLACE) if taken or not owed else None,
        is_more_than=left > 0 and bool(taken),
        numerator=(_part(books, "Open invoices", owed),),
        denominator=tuple(taken),
        period_days=(first_of_month(books.as_of) - first).days if first else None,
        first_day=first,
        last_day=last_of_month(months_before(books.as_of, 1)[0]) if first else None,
    )


def compute_quick_ratio(books: Books) -> Ratio:
    """Cash and receivables ÷ what is due within a year; inventory and prepaid amounts never count.

    Due within a year are open bills less credits, accounts that the chart calls current (cards, payroll, sales tax,
    others), and the part of longer loans that the settings name.
    """
    cash = books.derive(compute_cash)
    payables = books.derive(compute_payables)
    rates = HomeRates.of(books)
    credit = sum(
        (rates.convert(c, currency) or ZERO for (_, currency), c in find_customer_credits(books).items()), ZERO
    )
    liquid = (
        _part(books, "Opening cash", cash.opening.amount),
        _part(books, "Open invoices less credits", _sum_open_invoices(books) - credit),
    )
    owed = [_part(books, "Open bills less credits", sum((p.home or ZERO for p in payables), ZERO))]
    for kind, label in _SOON_OWED.items():
        amount = _sum_owed(books.accounts, kind, rates)
        if amount:
            owed.append(_part(books, label, amount))
    if books.company.settings.loans_due_within_year:
        owed.append(_part(books, "Loans due within a year", books.company.settings.loans_due_within_year))
    return _divide(RatioKind.QUICK_RATIO, liquid, tuple(owed))


def _divide(kind: RatioKind, above: tuple[RatioPart, ...], below: tuple[RatioPart, ...]) -> Ratio:
    divisor = sum((part.amount.amount for part in below), ZERO)
    dividend = sum((part.amount.amount for part in above), ZERO)
    return Ratio(
        kind=kind,
        unit=RatioUnit.TIMES,
        value=_round(dividend / divisor, _TWO_PLACES) if divisor > 0 else None,
        numerator=above,
        denominator=below,
    )


def _over_period(
    books: Books, kind: RatioKind, *, owed: tuple[str, Decimal], flow: tuple[str, Mapping[date, Decimal]]
) -> Ratio:
    months = months_before(books.as_of, FULL_MONTHS)
    days = (first_of_month(books.as_of) - months[0]).days
    label, by_month = flow
    total = sum((by_month.get(month, ZERO) for month in months), ZERO)
    return Ratio(
        kind=kind,
        unit=RatioUnit.DAYS,
        value=_round(owed[1] * days / total, _ONE_PLACE) if total > 0 else None,
        numerator=(_part(books, owed[0], owed[1]),),
        denominator=tuple(_part(books, f"{label} of {m:%B %Y}", by_month.get(m, ZERO)) for m in months),
        period_days=days,
        first_day=months[0],
        last_day=last_of_month(months[-1]),
    )


def _sum_open_invoices(books: Books) -> Decimal:
    rates = HomeRates.of(books)
    return sum((rates.convert(i.open_balance, i.currency) or ZERO for i in books.open_invoices), ZERO)


def _sum_by_month(books: Books, documents: Iterable[Bill | Invoice]) -> dict[date, Decimal]:
    rates = HomeRates.of(books)
    sums: dict[date, Decimal] = {}
    for document in documents:
        if document.document_date <= books.as_of:
            month = first_of_month(document.document_date)
            sums[month] = sums.get(month, ZERO) + (rates.convert(document.total, document.currency) or ZERO)
    return sums


def _months_back(books: Books, sales: Mapping[date, Decimal]) -> list[date]:
    """Whole months that the books know all sales of, newest first, from the last one back to the first with sales."""
    known = [month for month in sales if month >= books.history_from]
    if not known:
        return []
    first, this = min(known), first_of_month(books.as_of)
    count = (this.year - first.year) * 12 + this.month - first.month
    return months_before(books.as_of, max(count, 0))[::-1]


def _sum_owed(accounts: Iterable[Account], kind: AccountKind, rates: HomeRates) -> Decimal:
    """What accounts of a kind owe; one that stands in debit owes nothing."""
    owed = (a for a in accounts if a.account_kind is kind and a.balance < 0)
    return sum((rates.convert(-account.balance, account.currency) or ZERO for account in owed), ZERO)


def _part(books: Books, label: str, amount: Decimal) -> RatioPart:
    return RatioPart(label=label, amount=Money(amount=amount, currency=books.home))


def _round(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, rounding=ROUND_HALF_UP)
