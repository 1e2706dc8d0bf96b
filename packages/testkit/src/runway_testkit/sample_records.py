"""The records of the Sample company: what was bought, sold, paid and received since autumn 2025."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from runway_core.domain.bank import BankBalance, BankTransaction
from runway_core.domain.bills import Bill, BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Account, AccountKind, Deposit, JournalEntry, Purchase, Transfer
from runway_core.domain.parties import Customer, Vendor

AS_OF = date(2026, 3, 2)
READ_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
USD = "USD"

OPERATING, SAVINGS, UNDEPOSITED, CARD = "bank-operating", "bank-savings", "undeposited", "card"
EXPENSES, INCOME, WAGES, EQUITY = "expenses", "income", "wages", "equity"


def exact(value: int | str) -> Decimal:
    """An amount of whole dollars, four places."""
    return Decimal(value).quantize(Decimal("0.0001"))


@dataclass(frozen=True, slots=True)
class _PaidBill:
    external_id: str
    vendor_id: str
    number: str
    document_date: date
    due_date: date
    total: int
    paid_on: date
    entered_on: date | None = None  # later than its date


@dataclass(frozen=True, slots=True)
class _PaidInvoice:
    external_id: str
    customer_id: str
    paid_on: date
    days_late: int
    total: int
    term_days: int = 30
    paid_before: int = 0  # an earlier part payment, still in undeposited funds
    entered_on: date | None = None  # later than its date

    @property
    def due_date(self) -> date:
        return self.paid_on - timedelta(days=self.days_late)

    @property
    def document_date(self) -> date:
        return self.due_date - timedelta(days=self.term_days)


_VENDORS = {
    "V1": "Landlord Properties",
    "V2": "Nimbus Cloud",
    "V3": "Carver Contracting",
    "V4": "Bright Agency",
    "V5": "Harbor Insurance",
    "V6": "Office Supply House",
}
_CUSTOMERS = {"C1": "Elm Hospital", "C2": "Fjord Retail", "C3": "Granite Works", "C4": "Heron Labs"}

# What was entered how long before it was settled makes the entry curves of the reference: of the 60,000 of bills but
# rent, 3,000 came in the week they were paid, 9,000 in the week before, then 15,000, 15,000, 12,000 and 6,000; of the
# 180,000 of invoices 9,000, 18,000, 36,000, 45,000, 36,000, 18,000 and 18,000, none in the week itself.
_PAID_BILLS = (
    _PaidBill("P01", "V1", "RENT-2025-12", date(2025, 11, 20), date(2025, 12, 5), 6_000, date(2025, 12, 5)),
    _PaidBill(
        "P02", "V2", "CL-70021", date(2025, 12, 4), date(2025, 12, 12), 3_000, date(2025, 12, 12), date(2025, 12, 10)
    ),
    _PaidBill(
        "P03", "V3", "C-511", date(2025, 12, 5), date(2025, 12, 14), 9_000, date(2025, 12, 15), date(2025, 12, 9)
    ),
    _PaidBill("P04", "V6", "55120", date(2025, 12, 4), date(2026, 1, 3), 5_200, date(2025, 12, 31), date(2025, 12, 9)),
    _PaidBill("P05", "V5", "POL-8", date(2025, 12, 10), date(2025, 12, 31), 3_800, date(2025, 12, 31)),
    _PaidBill("P06", "V1", "RENT-2026-01", date(2025, 12, 20), date(2026, 1, 5), 6_000, date(2026, 1, 5)),
    _PaidBill(
        "P07", "V2", "CL-78410", date(2025, 12, 12), date(2026, 1, 12), 2_400, date(2026, 1, 12), date(2025, 12, 15)
    ),
    _PaidBill(
        "P08", "V6", "55987", date(2025, 12, 16), date(2026, 1, 15), 4_600, date(2026, 1, 15), date(2025, 12, 23)
    ),
    _PaidBill("P09", "V3", "C-540", date(2025, 12, 17), date(2026, 1, 16), 9_600, date(2026, 1, 16)),
    _PaidBill(
        "P10", "V4", "BA-1007", date(2025, 12, 27), date(2026, 1, 26), 1_400, date(2026, 1, 26), date(2026, 1, 6)
    ),
    _PaidBill("P11", "V1", "RENT-2026-02", date(2026, 1, 20), date(2026, 2, 5), 6_000, date(2026, 2, 5)),
    _PaidBill(
        "P12", "V2", "CL-83377", date(2026, 1, 12), date(2026, 2, 12), 3_200, date(2026, 2, 12), date(2026, 1, 27)
    ),
    _PaidBill("P13", "V6", "56713", date(2026, 1, 14), date(2026, 2, 13), 3_800, date(2026, 2, 13), date(2026, 1, 28)),
    _PaidBill("P14", "V3", "C-566", date(2026, 1, 16), date(2026, 2, 15), 6_000, date(2026, 2, 16)),
    # The bill that B4 repeats: paid already.
    _PaidBill("P15", "V4", "BA-1042", date(2026, 2, 11), date(2026, 3, 13), 8_000, date(2026, 2, 26)),
)

_PAID_INVOICES = (
    _PaidInvoice("R01", "C1", date(2025, 9, 17), 40, 10_000),
    _PaidInvoice("R02", "C1", date(2025, 12, 10), 5, 15_000, entered_on=date(2025, 11, 10)),
    _PaidInvoice("R03", "C1", date(2025, 12, 19), 25, 15_000, term_days=7),
    _PaidInvoice("R04", "C1", date(2026, 1, 8), 18, 18_000, paid_before=2_000),
    _PaidInvoice("R05", "C1", date(2026, 1, 22), 12, 25_000, entered_on=date(2025, 12, 29)),
    _PaidInvoice("R06", "C1", date(2026, 2, 11), 9, 18_000),
    _PaidInvoice("R07", "C2", date(2025, 12, 16), 8, 16_000, entered_on=date(2025, 11, 10)),
    _PaidInvoice("R08", "C2", date(2026, 1, 20), 10, 8_000, entered_on=date(2025, 12, 15)),
    _PaidInvoice("R09", "C3", date(2025, 10, 15), 0, 7_000),
    _PaidInvoice("R10", "C3", date(2025, 11, 12), 1, 7_500),
    _PaidInvoice("R11", "C3", date(2025, 12, 30), 0, 14_000, entered_on=date(2025, 12, 17)),
    _PaidInvoice("R12", "C3", date(2026, 2, 5), -1, 11_000, entered_on=date(2026, 1, 12)),
    _PaidInvoice("R13", "C3", date(2026, 2, 18), 0, 9_000, entered_on=date(2026, 2, 10)),
    _PaidInvoice("R14", "C3", date(2026, 2, 25), -2, 4_000, term_days=15),
    _PaidInvoice("R15", "C4", date(2026, 2, 3), 6, 12_000),
    _PaidInvoice("R16", "C4", date(2026, 1, 2), 6, 15_000, entered_on=date(2025, 12, 2)),
)

_PAYDAYS = tuple(date(2025, 11, 28) + timedelta(days=14 * count) for count in range(7))
_CARD_PAID = (date(2025, 12, 22), date(2026, 1, 20), date(2026, 2, 20))
# Weeks of 1,000 six times, of 1,250 four times, of 1,500 twice, and 1,000 in the six days that end February: the median
# week is 1,000 ÷ 6 × 7, as is the average of all 15,000 in 90 days.
_PETTY = (
    *((date(2025, 12, on), 1_000) for on in (2, 9, 16, 23, 30)),
    (date(2026, 1, 6), 1_250),
    (date(2026, 1, 13), 1_250),
    (date(2026, 1, 20), 1_500),
    (date(2026, 1, 27), 500),
    (date(2026, 1, 30), 500),
    (date(2026, 2, 3), 1_250),
    (date(2026, 2, 10), 1_250),
    (date(2026, 2, 17), 1_500),
    (date(2026, 2, 24), 500),
    (date(2026, 2, 27), 500),
)
_SAVED_ON = date(2026, 1, 14)
_OWNER_PAID_IN_ON = date(2025, 12, 18)


def accounts() -> tuple[Account, ...]:
    """The chart of accounts with its balances."""

    def account(external_id: str, name: str, kind: AccountKind, balance: int = 0) -> Account:
        return Account(
            external_id=external_id,
            name=name,
            full_name=name,
            account_kind=kind,
            account_type=kind.value,
            currency=USD,
            balance=exact(balance),
        )

    return (
        account(OPERATING, "Operating", AccountKind.BANK, 41_200),
        account(SAVINGS, "Savings", AccountKind.BANK, 10_000),
        account(UNDEPOSITED, "Undeposited funds", AccountKind.UNDEPOSITED_FUNDS, 3_000),
        account(CARD, "Company card", AccountKind.CREDIT_CARD, -6_400),
        account(EXPENSES, "Operating expenses", AccountKind.EXPENSE),
        account(INCOME, "Sales", AccountKind.INCOME),
        account(WAGES, "Wages", AccountKind.EXPENSE),
        account(EQUITY, "Owner's equity", AccountKind.EQUITY),
    )


def _line(amount: int, account_id: str, text: str, *, kind: LineKind = LineKind.ACCOUNT) -> DocumentLine:
    return DocumentLine(line_id="1", line_kind=kind, amount=exact(amount), description=text, account_id=account_id)


def _at_four(day: date) -> datetime:
    """Ten in the morning in Chicago."""
    return datetime(day.year, day.month, day.day, 16, 0, tzinfo=UTC)


def _bill(
    external_id: str,
    vendor_id: str,
    number: str,
    *,
    dated: date,
    due: date | None,
    total: int,
    open_balance: int,
    entered_on: date | None = None,
) -> Bill:
    return Bill(
        external_id=external_id,
        revision="0",
        created_at=_at_four(entered_on or dated),
        modified_at=_at_four(entered_on or dated),
        number=number,
        vendor_id=vendor_id,
        vendor_name=_VENDORS[vendor_id],
        document_date=dated,
        due_date=due,
        currency=USD,
        total=exact(total),
        open_balance=exact(open_balance),
        lines=(_line(total, EXPENSES, number),),
    )


def open_bills() -> Iterable[Bill]:
    """B1 to B6."""
    for external_id, vendor_id, number, dated, due, total in (
        ("B1", "V1", "RENT-2026-03", date(2026, 2, 20), date(2026, 3, 5), 6_000),
        ("B2", "V2", "CL-90417", date(2026, 2, 10), date(2026, 3, 12), 3_200),
        ("B3", "V3", "C-598", date(2026, 2, 14), date(2026, 3, 16), 9_500),
        ("B4", "V4", "INV-BA1042", date(2026, 2, 23), date(2026, 3, 25), 8_000),
        ("B5", "V5", "POL-9", date(2026, 2, 27), date(2026, 3, 31), 4_300),
        ("B6", "V6", "57204", date(2026, 2, 20), None, 5_000),
    ):
        yield _bill(external_id, vendor_id, number, dated=dated, due=due, total=total, open_balance=total)


def paid_bills() -> Iterable[Bill]:
    """Bills settled since December."""
    for paid in _PAID_BILLS:
        yield _bill(
            paid.external_id,
            paid.vendor_id,
            paid.number,
            dated=paid.document_date,
            due=paid.due_date,
            total=paid.total,
            open_balance=0,
            entered_on=paid.entered_on,
        )


def bill_payments() -> Iterable[BillPayment]:
    """One cheque for each settled bill."""
    for paid in _PAID_BILLS:
        yield BillPayment(
            external_id=f"BP-{paid.external_id}",
            vendor_id=paid.vendor_id,
            vendor_name=_VENDORS[paid.vendor_id],
            document_date=paid.paid_on,
            currency=USD,
            total=exact(paid.total),
            method=PaymentMethod.CHECK,
            account_id=OPERATING,
            applied=(DocumentLink(kind=RecordKind.BILL, external_id=paid.external_id, amount=exact(paid.total)),),
        )


def _invoice(
    external_id: str,
    customer_id: str,
    *,
    dated: date,
    due: date,
    total: int,
    open_balance: int,
    entered_on: date | None = None,
) -> Invoice:
    return Invoice(
        external_id=external_id,
        revision="0",
        created_at=_at_four(entered_on or dated),
        modified_at=_at_four(entered_on or dated),
        number=f"S-{external_id}",
        customer_id=customer_id,
        customer_name=_CUSTOMERS[customer_id],
        document_date=dated,
        due_date=due,
        currency=USD,
        total=exact(total),
        open_balance=exact(open_balance),
        lines=(_line(total, INCOME, f"Services {external_id}", kind=LineKind.ITEM),),
    )


def open_invoices() -> Iterable[Invoice]:
    """I1 to I3."""
    yield _invoice("I1", "C1", dated=date(2026, 1, 16), due=date(2026, 2, 15), total=12_000, open_balance=12_000)
    yield _invoice("I2", "C2", dated=date(2026, 2, 8), due=date(2026, 3, 10), total=20_000, open_balance=20_000)
    yield _invoice("I3", "C3", dated=date(2026, 2, 26), due=date(2026, 3, 28), total=16_000, open_balance=15_000)


def paid_invoices() -> Iterable[Invoice]:
    """Invoices settled since September."""
    for paid in _PAID_INVOICES:
        yield _invoice(
            paid.external_id,
            paid.customer_id,
            dated=paid.document_date,
            due=paid.due_date,
            total=paid.total + paid.paid_before,
            open_balance=0,
            entered_on=paid.entered_on,
        )


def receipts() -> tuple[tuple[CustomerPayment, ...], tuple[Deposit, ...]]:
    """Customers C1 and C2 pay to the bank; the others by cheque, taken there the same day."""
    payments: list[CustomerPayment] = []
    deposits: list[Deposit] = []

    def receive(
        external_id: str, customer_id: str, invoice_id: str, *, on: date, total: int, to_bank: bool = False
    ) -> None:
        payments.append(
            CustomerPayment(
                external_id=external_id,
                customer_id=customer_id,
                customer_name=_CUSTOMERS[customer_id],
                document_date=on,
                currency=USD,
                total=exact(total),
                unapplied=exact(0),
                account_id=OPERATING if to_bank else UNDEPOSITED,
                applied=(DocumentLink(kind=RecordKind.INVOICE, external_id=invoice_id, amount=exact(total)),),
            )
        )

    for paid in _PAID_INVOICES:
        to_bank = paid.customer_id in {"C1", "C2"}
        payment_id = f"CP-{paid.external_id}"
        receive(payment_id, paid.customer_id, paid.external_id, on=paid.paid_on, total=paid.total, to_bank=to_bank)
        if not to_bank:
            link = DocumentLink(kind=RecordKind.CUSTOMER_PAYMENT, external_id=payment_id)
            deposits.append(_deposit(f"D-{paid.external_id}", paid.paid_on, paid.total, links=(link,)))
    receive("CP-old", "C1", "R04", on=date(2025, 12, 15), total=2_000)
    receive("CP-new", "C3", "I3", on=date(2026, 2, 27), total=1_000)
    return tuple(payments), tuple(deposits)


def _deposit(external_id: str, on: date, total: int, *, links: tuple[DocumentLink, ...]) -> Deposit:
    return Deposit(
        external_id=external_id,
        document_date=on,
        currency=USD,
        total=exact(total),
        account_id=OPERATING,
        links=links,
    )


def purchases() -> tuple[Purchase, ...]:
    """Sundries, and the cheque that is not at the bank yet."""

    def purchase(external_id: str, on: date, total: int, method: PaymentMethod) -> Purchase:
        return Purchase(
            external_id=external_id,
            document_date=on,
            currency=USD,
            total=exact(total),
            method=method,
            account_id=OPERATING,
            payee_name=f"Corner Shop {external_id}",  # each its own: sundries are no series
            lines=(_line(total, EXPENSES, "Sundries"),),
        )

    petty = (
        purchase(f"E{number:02}", on, total, PaymentMethod.CASH) for number, (on, total) in enumerate(_PETTY, start=1)
    )
    return (*petty, purchase("E-cheque", AS_OF, 800, PaymentMethod.CHECK))


def transfers() -> tuple[Transfer, ...]:
    """Payments of the card, and money put by."""

    def transfer(external_id: str, on: date, total: int, to_account_id: str) -> Transfer:
        return Transfer(
            external_id=external_id,
            document_date=on,
            currency=USD,
            total=exact(total),
            from_account_id=OPERATING,
            to_account_id=to_account_id,
        )

    cards = (transfer(f"X{number}", on, 6_000, CARD) for number, on in enumerate(_CARD_PAID, start=1))
    return (*cards, transfer("X-saved", _SAVED_ON, 5_000, SAVINGS))


def journal_entries() -> tuple[JournalEntry, ...]:
    """Payrolls, and what the owner paid in."""

    def entry(external_id: str, on: date, total: int, *, debit: str, credit: str) -> JournalEntry:
        return JournalEntry(
            external_id=external_id,
            document_date=on,
            currency=USD,
            total=exact(total),
            lines=(
                _line(total, debit, "Journal", kind=LineKind.DEBIT),
                _line(total, credit, "Journal", kind=LineKind.CREDIT),
            ),
        )

    payroll = (
        entry(f"J{number}", on, 18_500, debit=WAGES, credit=OPERATING) for number, on in enumerate(_PAYDAYS, start=1)
    )
    return (*payroll, entry("J-owner", _OWNER_PAID_IN_ON, 10_000, debit=OPERATING, credit=EQUITY))


def bank_balances() -> tuple[BankBalance, ...]:
    """What the bank has posted."""
    read_at = READ_AT - timedelta(hours=3)
    return tuple(
        BankBalance(account_id=account_id, currency=USD, posted=exact(posted), read_at=read_at)
        for account_id, posted in ((OPERATING, 42_000), (SAVINGS, 10_000))
    )


def bank_transactions() -> tuple[BankTransaction, ...]:
    """What the bank shows from 28 November on: everything of the ledger but the cheque."""
    moved: list[tuple[date, int, str]] = [(on, -18_500, "PAYROLL") for on in _PAYDAYS]
    moved += [(on, -6_000, "CARD PAYMENT") for on in _CARD_PAID]
    moved += [(on, -total, "SUNDRIES") for on, total in _PETTY]
    moved += [(paid.paid_on, -paid.total, _VENDORS[paid.vendor_id]) for paid in _PAID_BILLS]
    moved += [
        (paid.paid_on, paid.total, _CUSTOMERS[paid.customer_id])
        for paid in _PAID_INVOICES
        if paid.paid_on >= _PAYDAYS[0]
    ]

    def line(number: str, on: date, amount: int, text: str, **more: bool) -> BankTransaction:
        account_id = SAVINGS if number == "N-saved-in" else OPERATING
        return BankTransaction(
            external_id=number,
            account_id=account_id,
            booked_on=on,
            currency=USD,
            amount=exact(amount),
            text=text,
            **more,
        )

    lines = [line(f"N{number:03}", *movement) for number, movement in enumerate(sorted(moved), start=1)]
    return (
        *lines,
        line("N-saved-out", _SAVED_ON, -5_000, "TO SAVINGS", is_transfer=True),
        line("N-saved-in", _SAVED_ON, 5_000, "FROM OPERATING", is_transfer=True),
        line("N-owner", _OWNER_PAID_IN_ON, 10_000, "OWNER", is_financing=True),
    )


def vendors() -> tuple[Vendor, ...]:
    """Whom the company pays; all give thirty days."""
    return tuple(
        Vendor(external_id=vendor_id, name=name, currency=USD, balance=exact(0), term_id="T30")
        for vendor_id, name in _VENDORS.items()
    )


def customers() -> tuple[Customer, ...]:
    """Who pays the company."""
    return tuple(
        Customer(external_id=customer_id, name=name, currency=USD, balance=exact(0))
        for customer_id, name in _CUSTOMERS.items()
    )


def vendor_credit() -> VendorCredit:
    """What the contractor owes back."""
    return VendorCredit(
        external_id="VC1",
        number="CR-12",
        vendor_id="V3",
        vendor_name=_VENDORS["V3"],
        document_date=date(2026, 2, 18),
        currency=USD,
        total=exact(1_500),
        open_balance=exact(1_500),
    )


def credit_memo() -> CreditMemo:
    """What the shop may still take off."""
    return CreditMemo(
        external_id="CM1",
        number="CM-3",
        customer_id="C2",
        customer_name=_CUSTOMERS["C2"],
        document_date=date(2026, 2, 20),
        currency=USD,
        total=exact(2_000),
        open_balance=exact(2_000),
    )
