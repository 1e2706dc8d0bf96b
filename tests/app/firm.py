"""A firm behind the app: the Sample company, one whose names attack, one not connected, and one of another firm."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.company import Company
from runway_core.domain.parties import Vendor
from runway_core.domain.record import Record
from runway_core.runway import Runway
from runway_testkit.clock import FixedClock
from runway_testkit.memory_rail import MemoryLedger
from runway_testkit.sample import AS_OF, sample_books

HOSTILE = '<script>alert("x")</script>'
FORMULA = '=HYPERLINK("http://evil.example","pay")'


@dataclass(frozen=True)
class Firm:
    """What the tests know of the firm behind the app."""

    runway: Runway
    ledger: MemoryLedger
    clock: FixedClock
    sample: Company
    hostile: Company
    unread: Company
    foreign: Company  # looked after by another firm, in the same database


def sample_records() -> tuple[Record, ...]:
    books = sample_books(with_bank=False)
    return (
        *books.accounts, *books.terms, *books.vendors, *books.customers, *books.bills, *books.vendor_credits,
        *books.bill_payments, *books.invoices, *books.credit_memos, *books.customer_payments, *books.purchases,
        *books.deposits, *books.transfers, *books.journal_entries,
    )  # fmt: skip


def hostile_records() -> tuple[Record, ...]:
    amount = Decimal("125.5000")
    return (
        Vendor(external_id="V1", name=HOSTILE, currency="USD", balance=Decimal("0.0000")),
        Vendor(external_id="V2", name=FORMULA, currency="USD", balance=Decimal("0.0000")),
        *(
            Bill(
                external_id=f"B{number}",
                number=FORMULA if number == 2 else HOSTILE,
                vendor_id=f"V{number}",
                vendor_name=(HOSTILE, FORMULA)[number - 1],
                document_date=AS_OF - timedelta(days=20),
                due_date=AS_OF + timedelta(days=number),
                currency="USD",
                total=amount,
                open_balance=amount,
                memo=HOSTILE,
            )
            for number in (1, 2)
        ),
    )
