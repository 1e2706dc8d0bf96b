"""Money in the bank that is not there to be spent: taxes collected for others, and what is kept for a named bill."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from runway_core.calculators.exchange import HomeRates
from runway_core.domain.books import Books
from runway_core.domain.company import SeriesKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.money import ZERO
from runway_core.domain.outlook import Outlook
from runway_core.domain.policy import VendorTier

_OWED_TO_OTHERS = frozenset({AccountKind.SALES_TAX_PAYABLE, AccountKind.PAYROLL_LIABILITY})
_TAX_SERIES = frozenset({SeriesKind.PAYROLL_TAX, SeriesKind.SALES_TAX})


@dataclass(frozen=True, slots=True)
class SetAside:
    """What must stay, home currency: it shrinks on the days on which it is paid to whom it is kept for."""

    tax: Decimal
    tax_payments: tuple[tuple[date, Decimal], ...]  # when taxes leave, positive
    earmarks: Mapping[str, Decimal]  # by bill id
    earmarked_until: Mapping[str, date]  # the day on which an earmarked bill is expected to leave

    def tax_on(self, day: date) -> Decimal:
        """Taxes that are still kept when payments of `day` leave."""
        paid = sum((amount for on, amount in self.tax_payments if on <= day), ZERO)
        return max(self.tax - paid, ZERO)

    def earmarked_on(self, day: date, *, except_bill_id: str) -> Decimal:
        """What is kept for other bills that have not left by `day`."""
        return sum(
            (
                amount
                for bill_id, amount in self.earmarks.items()
                if bill_id != except_bill_id and self.earmarked_until.get(bill_id, date.max) > day
            ),
            ZERO,
        )


def find_set_aside(books: Books, outlook: Outlook, tiers: Mapping[str, VendorTier]) -> SetAside:
    """Read it from tax accounts, the reserve in the settings, earmarks, and the days on which they are paid.

    `tiers` are those of the open bills; earmarks of other bills are spent and keep nothing.

    The larger of what the ledger owes in taxes and the reserve counts, less what already lies on accounts that the
    settings exclude from cash.
    """
    rates, settings = HomeRates.of(books), books.company.settings
    owed = apart = ZERO
    for account in books.accounts:
        home = rates.convert(account.balance, account.currency) or ZERO
        if account.account_kind in _OWED_TO_OTHERS:
            owed += max(-home, ZERO)
        elif account.account_kind is AccountKind.BANK and account.external_id in settings.excluded_account_ids:
            apart += max(home, ZERO)
    tax_series = {series.series_id for series in settings.series if series.series_kind in _TAX_SERIES}
    earmarks: dict[str, Decimal] = {}
    for earmark in books.earmarks:
        if earmark.bill_id in tiers:
            earmarks[earmark.bill_id] = earmarks.get(earmark.bill_id, ZERO) + earmark.amount
    tax_payments: list[tuple[date, Decimal]] = []
    until: dict[str, date] = {}
    for event in outlook.events:
        source = event.source
        bill_id = source.external_id if source is not None and source.kind is RecordKind.BILL else None
        if event.series_id in tax_series or (bill_id and tiers.get(bill_id) is VendorTier.HELD_FOR_OTHERS):
            tax_payments.append((event.on, -event.amount))
        if bill_id in earmarks and bill_id is not None:
            until[bill_id] = event.on
    kept = max(owed, settings.reserves)
    return SetAside(
        tax=max(kept - apart, ZERO),
        tax_payments=tuple(tax_payments),
        earmarks=earmarks,
        earmarked_until=until,
    )
