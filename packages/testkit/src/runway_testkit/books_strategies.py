"""Hypothesis strategies for books: small, plausible enough to be about something, odd enough to break things."""

from collections.abc import Hashable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st
from runway_core.domain.bank import BankBalance, BankLineSource, BankTransaction
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.company import (
    Company,
    CompanySettings,
    Connection,
    ConnectionState,
    EnteredSeries,
    Rhythm,
    SeriesKind,
)
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, ConnectionId, RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Account, AccountKind, Deposit, JournalEntry, Purchase, Transfer
from runway_core.domain.parties import Customer, Term, Vendor
from runway_core.domain.record import Record

from runway_testkit.rail_strategies import rails

AS_OF = date(2026, 3, 2)
READ_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

_ACCOUNTS = {
    "bank": AccountKind.BANK,
    "savings": AccountKind.BANK,
    "undeposited": AccountKind.UNDEPOSITED_FUNDS,
    "card": AccountKind.CREDIT_CARD,
    "expenses": AccountKind.EXPENSE,
    "income": AccountKind.INCOME,
    "loan": AccountKind.LONG_TERM_LIABILITY,
    "equity": AccountKind.EQUITY,
}
_VENDOR_IDS = ("V1", "V2", "V3")
_CUSTOMER_IDS = ("C1", "C2", "C3")
_CURRENCIES = st.sampled_from(("USD", "USD", "USD", "USD", "EUR", "CAD"))
_NUMBERS = st.one_of(
    st.none(),
    st.integers(1, 30).map(str),
    st.integers(1000, 1020).map(lambda number: f"INV-{number:06}"),
    st.sampled_from(("", "#", "Straße 7", "ÄÖ-12", "no. 0")),
)


# Strategies are kept once they were made: making them anew for each draw takes longer than drawing.
@cache
def _one_of(*values: Hashable) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


@cache
def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@cache
def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


_BOOLEANS = st.booleans()
_RATES = st.sampled_from([{}, {"EUR": Decimal("1.0850")}])
_TWO_ACCOUNTS = st.lists(st.sampled_from(sorted(_ACCOUNTS)), min_size=2, max_size=2, unique=True)
_NIL = Decimal("0.0000")
_SAME_DAY = date.max  # stands for the day of the document


@cache
def amounts(low: int = 1, high: int = 5_000_000) -> st.SearchStrategy[Decimal]:
    """Amounts of whole cents from `low` to `high` cents, four places."""
    return st.integers(low, high).map(lambda cents: (Decimal(cents) / 100).quantize(Decimal("0.0001")))


@cache
def days(back: int = 400, ahead: int = 120) -> st.SearchStrategy[date]:
    """Days around `AS_OF`."""
    return st.integers(-back, ahead).map(lambda offset: AS_OF + timedelta(days=offset))


@cache
def _moments(low: int = -400, high: int = 3) -> st.SearchStrategy[datetime]:
    return st.integers(low * 24, high * 24).map(lambda hours: READ_AT + timedelta(hours=hours))


_TOTALS = st.one_of(amounts(), st.sampled_from((_NIL, Decimal("-100.0000"), Decimal("1000.0000"))))
_DUE_DAYS = st.none() | st.just(_SAME_DAY) | days(430, 500)


def _line(amount: Decimal, account_id: str | None, text: str | None, kind: LineKind) -> DocumentLine:
    return DocumentLine(line_kind=kind, amount=amount, account_id=account_id, description=text)


def _lines(draw: st.DrawFn, total: Decimal) -> tuple[DocumentLine, ...]:
    account_id = draw(_one_of("expenses", "income", "equity", "gone", None))
    text = draw(_one_of("Paper", "Work", None))
    return (_line(total, account_id, text, LineKind.ACCOUNT),) if draw(_BOOLEANS) else ()


def _due_day(draw: st.DrawFn, dated: date) -> date | None:
    due = draw(_DUE_DAYS)
    return dated if due == _SAME_DAY else due


@st.composite
def bills(draw: st.DrawFn, external_id: str = "B") -> Bill:
    """One bill: open, part paid, paid, nil or negative; with or without vendor and due date."""
    total = draw(_TOTALS)
    dated = draw(days())
    return Bill(
        external_id=external_id,
        modified_at=draw(_maybe(_moments())),
        number=draw(_NUMBERS),
        vendor_id=draw(_one_of(*_VENDOR_IDS, *_VENDOR_IDS, "gone", None)),
        vendor_name=draw(_one_of("Ada Ltd", "Émile & Söhne", None)),
        document_date=dated,
        due_date=_due_day(draw, dated),
        currency=draw(_CURRENCIES),
        total=total,
        open_balance=(total, total, _NIL)[draw(_up_to(2))],
        term_id=draw(_one_of(None, None, "T30", "gone")),
        lines=_lines(draw, total),
    )


@st.composite
def invoices(draw: st.DrawFn, external_id: str = "I") -> Invoice:
    """One invoice: open, paid or void; with or without customer and due date."""
    total = draw(amounts())
    dated = draw(days())
    return Invoice(
        external_id=external_id,
        modified_at=draw(_maybe(_moments())),
        number=draw(_NUMBERS),
        customer_id=draw(_one_of(*_CUSTOMER_IDS, *_CUSTOMER_IDS, "gone", None)),
        customer_name=draw(_one_of("Bo Inc", None)),
        document_date=dated,
        due_date=_due_day(draw, dated),
        currency=draw(_CURRENCIES),
        total=total,
        open_balance=(total, total, _NIL)[draw(_up_to(2))],
        term_id=draw(_one_of(None, None, "T30")),
        is_void=draw(_one_of(False, False, False, True)),
        lines=_lines(draw, total),
    )


@st.composite
def bill_payments(draw: st.DrawFn, external_id: str = "BP") -> BillPayment:
    """One payment to a vendor, applied to a bill of these books or to none."""
    total = draw(amounts())
    applied = (total, Decimal("1.0000"), None)[draw(_up_to(2))]
    link = DocumentLink(kind=RecordKind.BILL, external_id=f"B{draw(_up_to(7))}", amount=applied)
    return BillPayment(
        external_id=external_id,
        vendor_id=draw(_one_of(*_VENDOR_IDS)),
        document_date=draw(days(120, 30)),
        currency=draw(_CURRENCIES),
        total=total,
        method=draw(_one_of(*PaymentMethod)),
        account_id=draw(_one_of("bank", "bank", "card", None)),
        is_void=draw(_one_of(False, False, True)),
        applied=(link,) if draw(_BOOLEANS) else (),
    )


@st.composite
def customer_payments(draw: st.DrawFn, external_id: str = "CP") -> CustomerPayment:
    """One payment from a customer, to the bank or to undeposited funds."""
    total = draw(amounts())
    link = DocumentLink(kind=RecordKind.INVOICE, external_id=f"I{draw(_up_to(7))}", amount=total)
    is_applied = draw(_BOOLEANS)
    return CustomerPayment(
        external_id=external_id,
        customer_id=draw(_one_of(*_CUSTOMER_IDS)),
        document_date=draw(days(120, 30)),
        currency=draw(_CURRENCIES),
        total=total,
        unapplied=Decimal("0.0000") if is_applied else total,
        account_id=draw(_one_of("bank", "undeposited", None)),
        is_void=draw(_one_of(False, False, True)),
        applied=(link,) if is_applied else (),
    )


@st.composite
def _entries(draw: st.DrawFn) -> dict[str, tuple[Record, ...]]:
    """Purchases, deposits, transfers and journal entries: at most two of each."""
    found: dict[str, list[Record]] = {"purchases": [], "deposits": [], "transfers": [], "journal_entries": []}
    for number in range(draw(_up_to(2))):
        total, on = draw(amounts()), draw(days(120, 30))
        base: dict[str, Any] = {"document_date": on, "currency": "USD", "total": total}
        vendor_id = draw(_one_of(*_VENDOR_IDS))
        found["purchases"].append(
            Purchase(
                external_id=f"E{number}",
                method=draw(_one_of(*PaymentMethod)),
                account_id=draw(_one_of("bank", "card")),
                payee_kind=RecordKind.VENDOR,
                payee_id=vendor_id,
                is_refund=draw(_BOOLEANS),
                lines=_lines(draw, total),
                **base,
            )
        )
        found["deposits"].append(
            Deposit(
                external_id=f"D{number}",
                account_id="bank",
                lines=_lines(draw, total),
                links=(DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id=f"CP{number}"),),
                **base,
            )
        )
        sides = draw(_TWO_ACCOUNTS)
        found["transfers"].append(
            Transfer(external_id=f"X{number}", from_account_id=sides[0], to_account_id=sides[1], **base)
        )
        found["journal_entries"].append(
            JournalEntry(
                external_id=f"J{number}",
                lines=(
                    _line(total, sides[0], "Journal", LineKind.DEBIT),
                    _line(total, sides[1], "Journal", LineKind.CREDIT),
                ),
                **base,
            )
        )
    return {name: tuple(records) for name, records in found.items()}


@st.composite
def _bank(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    """A bank feed on the main account, or none."""
    if draw(_BOOLEANS):
        return {}
    lines = [
        BankTransaction(
            external_id=f"N{number}",
            account_id="bank",
            booked_on=draw(days(130, 0)),
            currency="USD",
            amount=draw(amounts(-100_000, 100_000)),
            is_pending=draw(_one_of(False, False, True)),
            is_transfer=draw(_one_of(False, False, True)),
            text=draw(_one_of("", "ACH DEBIT ADA LTD", "ZQ PAY 0421", "TRANSFER TO SAVINGS")),
            source=draw(_one_of(*BankLineSource)),
        )
        for number in range(draw(_up_to(6)))
    ]
    balance = BankBalance(
        account_id="bank", currency="USD", posted=draw(amounts(-100_000, 10_000_000)), read_at=draw(_moments(-5, 0))
    )
    return {"bank_balances": (balance,), "bank_transactions": tuple(lines)}


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """A company with any settings: buffer, series, rates, excluded accounts."""
    series = [
        EnteredSeries(
            series_id=f"S{number}",
            name=f"Series {number}",
            series_kind=draw(_one_of(*SeriesKind)),
            rhythm=draw(_one_of(*Rhythm)),
            first_day=draw(days(200, 100)),
            last_day=draw(_maybe(days(10, 200))),
            amount=draw(amounts()),
            currency=draw(_CURRENCIES),
            is_inflow=draw(_BOOLEANS),
            vendor_id=draw(_maybe(_one_of(*_VENDOR_IDS))),
        )
        for number in range(draw(_up_to(3)))
    ]
    return Company(
        company_id=CompanyId("any"),
        firm_id=DEFAULT_FIRM,
        name="Any",
        home_currency="USD",
        time_zone="America/Chicago",
        created_at=READ_AT - timedelta(days=500),
        settings=CompanySettings(
            buffer=draw(amounts(0, 2_000_000)),
            reserves=draw(amounts(0, 500_000)),
            books_closed_through=draw(_maybe(days(200, -20))),
            excluded_account_ids=draw(_one_of((), ("savings",))),
            series=tuple(series),
            exchange_rates=draw(_RATES),
        ),
    )


@st.composite
def _lists(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    """Accounts, terms, vendors and customers."""
    nil = Decimal("0.0000")
    return {
        "accounts": tuple(
            Account(
                external_id=account_id,
                name=account_id,
                full_name=account_id,
                account_kind=kind,
                account_type=kind.value,
                currency="USD",
                balance=draw(amounts(-1_000_000, 10_000_000)),
            )
            for account_id, kind in _ACCOUNTS.items()
        ),
        "terms": (Term(external_id="T30", name="Net 30", due_days=30),),
        "vendors": tuple(
            Vendor(
                external_id=vendor_id,
                name=draw(_one_of("Ada Ltd", "Misc.", "n/a", "株式会社")),
                is_active=draw(_one_of(True, True, False)),
                currency="USD",
                balance=nil,
            )
            for vendor_id in _VENDOR_IDS
        ),
        "customers": tuple(
            Customer(
                external_id=customer_id,
                name=draw(_one_of("Bo Inc", "Unknown")),
                is_active=draw(_one_of(True, True, False)),
                currency="USD",
                balance=nil,
            )
            for customer_id in _CUSTOMER_IDS
        ),
    }


@st.composite
def _credits(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    """A vendor credit whose open rest may be unknown, and a credit memo."""
    open_credit = draw(_maybe(amounts()))
    credit = VendorCredit(
        external_id="VC",
        vendor_id="V1",
        document_date=draw(days(100, 0)),
        currency="USD",
        total=open_credit or Decimal("50.0000"),
        open_balance=open_credit,
    )
    memo = CreditMemo(
        external_id="CM",
        customer_id="C1",
        document_date=draw(days(100, 0)),
        currency="USD",
        total=Decimal("75.0000"),
        open_balance=Decimal("75.0000"),
    )
    return {"vendor_credits": (credit,), "credit_memos": (memo,)}


_LISTED = _lists()
_CREDITED = _credits()
_ENTERED = _entries()
_AT_BANK = _bank()
_ON_RAILS = rails()
_COMPANIES = companies()
_bill = cache(bills)
_bill_payment = cache(bill_payments)
_invoice = cache(invoices)
_customer_payment = cache(customer_payments)


@st.composite
def books(draw: st.DrawFn) -> Books:
    """The books of one small company on `AS_OF`, with up to eight documents of a kind."""
    company = draw(_COMPANIES)
    connection = Connection(
        connection_id=ConnectionId("conn"),
        company_id=company.company_id,
        firm_id=company.firm_id,
        rail="qbo",
        settings={},
        state=draw(_one_of(*ConnectionState)),
        created_at=company.created_at,
        last_success_at=draw(_maybe(_moments(-5, 0))),
        source_read_at=draw(_maybe(_moments(-5, 0))),
    )
    return Books(
        company=company,
        as_of=AS_OF,
        read_at=READ_AT,
        history_from=AS_OF - timedelta(days=400),
        connections=(connection,),
        bills=tuple(draw(_bill(f"B{number}")) for number in range(draw(_up_to(8)))),
        bill_payments=tuple(draw(_bill_payment(f"BP{number}")) for number in range(draw(_up_to(5)))),
        invoices=tuple(draw(_invoice(f"I{number}")) for number in range(draw(_up_to(8)))),
        customer_payments=tuple(draw(_customer_payment(f"CP{number}")) for number in range(draw(_up_to(5)))),
        **draw(_LISTED),
        **draw(_CREDITED),
        **draw(_ENTERED),
        **draw(_AT_BANK),
        **draw(_ON_RAILS),
    )


def shuffle_books(given: Books, random: Random) -> Books:
    """The same books with every list of records in another order: no figure may change."""
    shuffled: dict[str, tuple[Any, ...]] = {}
    for name in Books.model_fields:
        value = getattr(given, name)
        if isinstance(value, tuple):
            shuffled[name] = tuple(random.sample(value, len(value)))
    return Books(**{**{name: getattr(given, name) for name in Books.model_fields}, **shuffled})
