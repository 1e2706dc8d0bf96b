"""Single records and small books for examples: name what matters, the rest is plain."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.company import Company, CompanySettings, Connection, ConnectionState
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, ConnectionId
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Account, AccountKind, Deposit
from runway_core.domain.parties import Customer, Term, Vendor
from runway_core.domain.planned_items import PlannedItem

AS_OF = date(2026, 3, 2)
READ_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def amount(value: int | str) -> Decimal:
    """An amount in major units, four places."""
    return Decimal(value).quantize(Decimal("0.0001"))


def day(offset: int) -> date:
    """The day `offset` days after `AS_OF`, before it when negative."""
    return AS_OF + timedelta(days=offset)


def moment(offset: int) -> datetime:
    """The time of reading, `offset` days on."""
    return READ_AT + timedelta(days=offset)


def bill(external_id: str = "B", total: int | str = 100, **more: Any) -> Bill:
    """An open bill of vendor V1 from ten days ago, due in twenty."""
    values: dict[str, Any] = {
        "number": external_id,
        "vendor_id": "V1",
        "vendor_name": "Ada Ltd",
        "document_date": day(-10),
        "due_date": day(20),
        "currency": "USD",
        "total": amount(total),
        "open_balance": max(amount(total), amount(0)),
        "lines": (line(total, "expenses"),),
    }
    return Bill(external_id=external_id, **(values | more))


def invoice(external_id: str = "I", total: int | str = 100, **more: Any) -> Invoice:
    """An open invoice to customer C1 from ten days ago, due in twenty."""
    values: dict[str, Any] = {
        "number": external_id,
        "customer_id": "C1",
        "customer_name": "Bo Inc",
        "document_date": day(-10),
        "due_date": day(20),
        "currency": "USD",
        "total": amount(total),
        "open_balance": amount(total),
        "lines": (line(total, "income", external_id),),
    }
    return Invoice(external_id=external_id, **(values | more))


def customer_payment(external_id: str = "CP", total: int | str = 100, **more: Any) -> CustomerPayment:
    """A payment of customer C1 from five days ago, to the bank and applied to nothing."""
    values: dict[str, Any] = {
        "customer_id": "C1",
        "customer_name": "Bo Inc",
        "document_date": day(-5),
        "currency": "USD",
        "total": amount(total),
        "unapplied": amount(total),
        "account_id": "bank",
    }
    return CustomerPayment(external_id=external_id, **(values | more))


def credit_memo(external_id: str = "CM", total: int | str = 100, **more: Any) -> CreditMemo:
    """An open credit memo of customer C1 from five days ago."""
    values: dict[str, Any] = {
        "number": external_id,
        "customer_id": "C1",
        "customer_name": "Bo Inc",
        "document_date": day(-5),
        "currency": "USD",
        "total": amount(total),
        "open_balance": amount(total),
    }
    return CreditMemo(external_id=external_id, **(values | more))


def deposit(external_id: str = "D", total: int | str = 100, **more: Any) -> Deposit:
    """A deposit from five days ago, to the bank and booked to income on one line."""
    values: dict[str, Any] = {
        "document_date": day(-5),
        "currency": "USD",
        "total": amount(total),
        "account_id": "bank",
        "lines": (line(total, "income", "Deposit"),),
    }
    return Deposit(external_id=external_id, **(values | more))


def planned_item(value: Decimal | int, *, on: int, **more: Any) -> PlannedItem:
    """A payment that Ada expects in `on` days and confirmed today."""
    values: dict[str, Any] = {
        "paper_id": "I",
        "changed_at": READ_AT,
        "changed_by": "ada",
        "label": "Machine",
        "amount": Decimal(value),
        "currency": "USD",
        "owner": "ada",
        "confirmed_on": AS_OF,
    }
    return PlannedItem(on=day(on), **(values | more))


def line(total: int | str, account_id: str | None, text: str = "Paper") -> DocumentLine:
    """One line on an account."""
    return DocumentLine(line_kind=LineKind.ACCOUNT, amount=amount(total), account_id=account_id, description=text)


def connection(**more: Any) -> Connection:
    """A connection that was read an hour ago."""
    read_at = READ_AT - timedelta(hours=1)
    values: dict[str, Any] = {
        "connection_id": ConnectionId("conn"),
        "company_id": CompanyId("made"),
        "firm_id": DEFAULT_FIRM,
        "rail": "qbo",
        "settings": {},
        "state": ConnectionState.ACTIVE,
        "created_at": READ_AT - timedelta(days=400),
        "last_success_at": read_at,
        "source_read_at": read_at,
    }
    return Connection(**(values | more))


def make_books(*, settings: CompanySettings | None = None, **more: Any) -> Books:
    """Books with vendors V1 to V3, customers C1 to C3, net 30 terms and a few accounts, and what is given."""
    company = Company(
        company_id=CompanyId("made"),
        firm_id=DEFAULT_FIRM,
        name="Made",
        home_currency="USD",
        time_zone="America/Chicago",
        created_at=READ_AT - timedelta(days=500),
        settings=settings or CompanySettings(),
    )
    nothing = amount(0)
    accounts = (
        ("bank", AccountKind.BANK),
        ("undeposited", AccountKind.UNDEPOSITED_FUNDS),
        ("expenses", AccountKind.EXPENSE),
        ("income", AccountKind.INCOME),
    )
    values: dict[str, Any] = {
        "company": company,
        "as_of": AS_OF,
        "read_at": READ_AT,
        "history_from": day(-400),
        "connections": (connection(),),
        "accounts": tuple(
            Account(
                external_id=account_id,
                name=account_id,
                full_name=account_id,
                account_kind=kind,
                account_type=kind.value,
                currency="USD",
                balance=nothing,
            )
            for account_id, kind in accounts
        ),
        "terms": (Term(external_id="T30", name="Net 30", due_days=30),),
        "vendors": tuple(
            Vendor(external_id=f"V{n}", name=f"Vendor {n} Ltd", currency="USD", balance=nothing) for n in (1, 2, 3)
        ),
        "customers": tuple(
            Customer(external_id=f"C{n}", name=f"Customer {n} Inc", currency="USD", balance=nothing) for n in (1, 2, 3)
        ),
    }
    return Books(**(values | more))
