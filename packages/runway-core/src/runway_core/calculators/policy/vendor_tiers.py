"""In which tier a bill is paid: what the policy says of its vendor, else what the bill itself tells.

Money held for others first (payroll and the taxes on it, sales tax), then what the company cannot do without, then what
is long late or costs a penalty. Words are looked for as whole words in the names of the vendor and of the account that
most of the bill is booked to.
"""

import re
from collections.abc import Mapping

from runway_core.calculators.payables import Payable
from runway_core.domain.books import Books
from runway_core.domain.company import SeriesKind
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.policy import Policy, VendorTier

PRESSING_DAYS_LATE = 60

_SERIES_TIERS = {
    SeriesKind.PAYROLL: VendorTier.HELD_FOR_OTHERS,
    SeriesKind.PAYROLL_TAX: VendorTier.HELD_FOR_OTHERS,
    SeriesKind.SALES_TAX: VendorTier.HELD_FOR_OTHERS,
    SeriesKind.RENT: VendorTier.CRITICAL,
    SeriesKind.LOAN: VendorTier.CRITICAL,
}
_ACCOUNT_TIERS = {
    AccountKind.SALES_TAX_PAYABLE: VendorTier.HELD_FOR_OTHERS,
    AccountKind.PAYROLL_LIABILITY: VendorTier.HELD_FOR_OTHERS,
    AccountKind.LONG_TERM_LIABILITY: VendorTier.CRITICAL,
}
_HELD_FOR_OTHERS = (
    "payroll", "wages", "salaries", "sales tax", "payroll tax", "payroll taxes", "withholding", "irs", "eftps",
    "internal revenue", "us treasury", "united states treasury", "department of revenue", "dept of revenue",
    "department of taxation", "franchise tax board", "comptroller",
)  # fmt: skip
_CRITICAL = (
    "rent", "lease", "landlord", "insurance", "insurer", "assurance", "electric", "electricity", "power", "energy",
    "utility", "utilities", "water", "gas", "mortgage", "loan",
)  # fmt: skip
_DISCRETIONARY = (
    "entertainment", "meals", "gifts", "donations", "charitable", "sponsorship", "memberships", "dues",
    "conferences", "promotional",
)  # fmt: skip
_NOISE = re.compile(r"[^a-z0-9]+")


def _compile(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf" (?:{'|'.join(words)}) ")


_WORDS = (
    (VendorTier.HELD_FOR_OTHERS, _compile(_HELD_FOR_OTHERS)),
    (VendorTier.CRITICAL, _compile(_CRITICAL)),
    (VendorTier.DISCRETIONARY, _compile(_DISCRETIONARY)),
)


class VendorTiers:
    """Tells the tier of each bill of one company."""

    def __init__(self, books: Books, policy: Policy) -> None:
        self._books = books
        self._policy = policy
        self._by_series: dict[str, VendorTier] = {}
        for series in books.company.settings.series:
            tier = _SERIES_TIERS.get(series.series_kind)
            if series.vendor_id is not None and tier is not None:
                self._by_series[series.vendor_id] = min(tier, self._by_series.get(series.vendor_id, tier))

    def tier_of(self, payable: Payable) -> VendorTier:
        """The tier of an open bill. What the policy says of the vendor is final."""
        vendor_id = payable.bill.vendor_id
        said = self._policy.vendor_tiers.get(vendor_id or "")
        if said is not None:
            return said
        tier = self._told_by(payable)
        days_late = (self._books.as_of - payable.due).days
        if days_late > PRESSING_DAYS_LATE or self._policy.late_fee_monthly.get(vendor_id or ""):
            tier = min(tier, VendorTier.PRESSING)
        return tier

    def _told_by(self, payable: Payable) -> VendorTier:
        bill = payable.bill
        by_series = self._by_series.get(bill.vendor_id or "")
        if by_series is not None:
            return by_series
        account = _find_main_account(payable, self._books.account_by_id)
        by_account = _ACCOUNT_TIERS.get(account.account_kind) if account is not None else None
        if by_account is not None:
            return by_account
        vendor = self._books.vendor_by_id.get(bill.vendor_id or "")
        names = (vendor.name if vendor is not None else bill.vendor_name, account.full_name if account else None)
        plain = [f" {_NOISE.sub(' ', name.casefold()).strip()} " for name in names if name]
        told = (tier for tier, words in _WORDS if any(words.search(name) for name in plain))
        return next(told, VendorTier.STANDARD)


def _find_main_account(payable: Payable, accounts: Mapping[str, Account]) -> Account | None:
    """The account of the bill's largest line."""
    booked = [line for line in payable.bill.lines if line.account_id in accounts]
    if not booked:
        return None
    largest = max(booked, key=lambda line: (line.amount, line.account_id or ""))
    return accounts[largest.account_id or ""]
