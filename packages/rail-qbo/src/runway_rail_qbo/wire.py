"""QuickBooks' payloads in QuickBooks' words: what is read of them, and no more.

Amounts are decoded from the JSON text straight to `Decimal`; nothing passes through a float. Members that are not
named here are skipped, and kept in the raw payload beside the record. Decoded trees hold no cycles, so the garbage
collector need not look at them. Absent, `null` and empty mean the same (facts:
"unset fields are absent", Intuit "Data queries" page; nulls and empty containers occur in captures).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Raw, Struct

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Ref(Struct, gc=False):
    """A reference: `{"value": "46", "name": "…"}`; the name may be missing."""

    value: str | None = None
    name: str | None = None
    type: str | None = None


class Meta(Struct, gc=False):
    """When a record was entered and last changed; a time without an offset is refused, never guessed."""

    CreateTime: Time | None = None
    LastUpdatedTime: Time | None = None


class TxnLink(Struct, gc=False):
    """A link to another transaction."""

    TxnId: str | None = None
    TxnType: str | None = None


class MailAddress(Struct, gc=False):
    """A mail address."""

    Address: str | None = None


class Phone(Struct, gc=False):
    """A telephone number."""

    FreeFormNumber: str | None = None


class ExpenseDetail(Struct, gc=False):
    """The details of an expense line, by account or by item."""

    AccountRef: Ref | None = None
    ItemRef: Ref | None = None
    CustomerRef: Ref | None = None
    Qty: Decimal | None = None
    UnitPrice: Decimal | None = None


class SalesDetail(Struct, gc=False):
    """The details of a sales line."""

    ItemRef: Ref | None = None
    ItemAccountRef: Ref | None = None
    Qty: Decimal | None = None
    UnitPrice: Decimal | None = None


class DiscountDetail(Struct, gc=False):
    """The details of a discount line."""

    DiscountAccountRef: Ref | None = None


class GroupDetail(Struct, gc=False):
    """The details of a bundle; the lines inside it repeat its amount."""

    GroupItemRef: Ref | None = None
    Quantity: Decimal | None = None


class DepositDetail(Struct, gc=False):
    """The details of a deposit line."""

    AccountRef: Ref | None = None
    Entity: Ref | None = None


class JournalEntity(Struct, gc=False):
    """Whom a journal line is about."""

    Type: str | None = None
    EntityRef: Ref | None = None


class JournalDetail(Struct, gc=False):
    """The details of a journal line."""

    PostingType: str | None = None
    AccountRef: Ref | None = None
    Entity: JournalEntity | None = None


class DocumentLine(Struct, gc=False):
    """A line of any document; which detail it carries is in `DetailType`."""

    Amount: Decimal | None = None
    DetailType: str | None = None
    Id: str | None = None
    Description: str | None = None
    LinkedTxn: list[TxnLink] | None = None
    AccountBasedExpenseLineDetail: ExpenseDetail | None = None
    ItemBasedExpenseLineDetail: ExpenseDetail | None = None
    SalesItemLineDetail: SalesDetail | None = None
    DiscountLineDetail: DiscountDetail | None = None
    GroupLineDetail: GroupDetail | None = None
    DepositLineDetail: DepositDetail | None = None
    JournalEntryLineDetail: JournalDetail | None = None


class Entity(Struct, gc=False):
    """What every record has."""

    Id: Annotated[str, msgspec.Meta(min_length=1)]
    SyncToken: str | None = None
    MetaData: Meta | None = None
    status: str | None = None  # "Deleted" in change data capture


class Transaction(Entity, gc=False):
    """What every transaction has."""

    TxnDate: date | None = None
    DocNumber: str | None = None
    CurrencyRef: Ref | None = None
    ExchangeRate: Decimal | None = None
    PrivateNote: str | None = None
    TotalAmt: Decimal | None = None
    Line: list[DocumentLine] | None = None
    LinkedTxn: list[TxnLink] | None = None


class Bill(Transaction, gc=False):
    """A bill."""

    DueDate: date | None = None
    Balance: Decimal | None = None
    VendorRef: Ref | None = None
    APAccountRef: Ref | None = None
    SalesTermRef: Ref | None = None


class VendorCredit(Transaction, gc=False):
    """A vendor credit; whether version 75 shows a `Balance` is not known."""

    Balance: Decimal | None = None
    VendorRef: Ref | None = None
    APAccountRef: Ref | None = None


class PaidFromBank(Struct, gc=False):
    """Paid from a bank account."""

    BankAccountRef: Ref | None = None


class PaidByCard(Struct, gc=False):
    """Paid by card."""

    CCAccountRef: Ref | None = None


class BillPayment(Transaction, gc=False):
    """Money to a vendor."""

    VendorRef: Ref | None = None
    PayType: str | None = None
    CheckPayment: PaidFromBank | None = None
    CreditCardPayment: PaidByCard | None = None


class TaxDetail(Struct, gc=False):
    """The tax of a document."""

    TotalTax: Decimal | None = None


class Invoice(Transaction, gc=False):
    """An invoice."""

    DueDate: date | None = None
    Balance: Decimal | None = None
    CustomerRef: Ref | None = None
    SalesTermRef: Ref | None = None
    EmailStatus: str | None = None
    PrintStatus: str | None = None
    TxnTaxDetail: TaxDetail | None = None


class CreditMemo(Transaction, gc=False):
    """A credit memo."""

    Balance: Decimal | None = None
    RemainingCredit: Decimal | None = None
    CustomerRef: Ref | None = None


class Payment(Transaction, gc=False):
    """Money from a customer."""

    CustomerRef: Ref | None = None
    PaymentRefNum: str | None = None
    UnappliedAmt: Decimal | None = None
    DepositToAccountRef: Ref | None = None


class Purchase(Transaction, gc=False):
    """A cheque, a card charge or a cash expense."""

    AccountRef: Ref | None = None
    PaymentType: str | None = None
    EntityRef: Ref | None = None
    Credit: bool | None = None


class CashKept(Struct, gc=False):
    """Cash kept back from a deposit."""

    Amount: Decimal | None = None


class Deposit(Transaction, gc=False):
    """Money put into an account."""

    DepositToAccountRef: Ref | None = None
    CashBack: CashKept | None = None


class Transfer(Transaction, gc=False):
    """Money moved between accounts."""

    Amount: Decimal | None = None
    FromAccountRef: Ref | None = None
    ToAccountRef: Ref | None = None


class JournalEntry(Transaction, gc=False):
    """A booking by hand."""

    Adjustment: bool | None = None


class Vendor(Entity, gc=False):
    """A vendor."""

    DisplayName: str | None = None
    CompanyName: str | None = None
    Active: bool | None = None
    CurrencyRef: Ref | None = None
    Balance: Decimal | None = None
    TermRef: Ref | None = None
    PrimaryEmailAddr: MailAddress | None = None
    PrimaryPhone: Phone | None = None
    AcctNum: str | None = None
    Vendor1099: bool | None = None


class Customer(Entity, gc=False):
    """A customer, or a job of one."""

    DisplayName: str | None = None
    CompanyName: str | None = None
    Active: bool | None = None
    CurrencyRef: Ref | None = None
    Balance: Decimal | None = None
    ParentRef: Ref | None = None
    Job: bool | None = None
    PrimaryEmailAddr: MailAddress | None = None
    PrimaryPhone: Phone | None = None


class Account(Entity, gc=False):
    """A ledger account."""

    Name: str | None = None
    FullyQualifiedName: str | None = None
    AcctNum: str | None = None
    Active: bool | None = None
    AccountType: str | None = None
    AccountSubType: str | None = None
    CurrencyRef: Ref | None = None
    CurrentBalance: Decimal | None = None
    ParentRef: Ref | None = None


class Term(Entity, gc=False):
    """Payment terms."""

    Name: str | None = None
    Active: bool | None = None
    Type: str | None = None
    DueDays: int | None = None
    DiscountPercent: Decimal | None = None
    DiscountDays: int | None = None
    DayOfMonthDue: int | None = None
    DueNextMonthDays: int | None = None


class CompanyInfo(Entity, gc=False):
    """The company itself."""

    CompanyName: str | None = None
    LegalName: str | None = None
    Country: str | None = None
    Email: MailAddress | None = None
    FiscalYearStartMonth: str | None = None


class CurrencySettings(Struct, gc=False):
    """Currencies of the company."""

    HomeCurrency: Ref | None = None
    MultiCurrencyEnabled: bool | None = None


class AccountingSettings(Struct, gc=False):
    """How the books are kept."""

    BookCloseDate: date | None = None


class Preferences(Struct, gc=False):
    """What is set for the company; only what is read here."""

    CurrencyPrefs: CurrencySettings | None = None
    AccountingInfoPrefs: AccountingSettings | None = None


class Attached(Struct, gc=False):
    """What an attachment hangs on."""

    type: str | None = None
    value: str | None = None


class AttachedTo(Struct, gc=False):
    """One link of an attachment."""

    EntityRef: Attached | None = None


class Attachable(Entity, gc=False):
    """A file or a note."""

    FileName: str | None = None
    ContentType: str | None = None
    Size: int | None = None
    Note: str | None = None
    AttachableRef: list[AttachedTo] | None = None


class Rows(Struct, gc=False):
    """The rows of one kind, or of several; each kept as the bytes it came in."""

    Account: list[Raw] | None = None
    Term: list[Raw] | None = None
    Vendor: list[Raw] | None = None
    Customer: list[Raw] | None = None
    Bill: list[Raw] | None = None
    VendorCredit: list[Raw] | None = None
    BillPayment: list[Raw] | None = None
    Invoice: list[Raw] | None = None
    CreditMemo: list[Raw] | None = None
    Payment: list[Raw] | None = None
    Purchase: list[Raw] | None = None
    Deposit: list[Raw] | None = None
    Transfer: list[Raw] | None = None
    JournalEntry: list[Raw] | None = None
    Attachable: list[Raw] | None = None
    CompanyInfo: list[Raw] | None = None
    Preferences: list[Raw] | None = None
    totalCount: int | None = None  # noqa: N815 - the vendor's spelling


class CdcAnswer(Struct, gc=False):
    """One member of `CDCResponse`."""

    QueryResponse: list[Rows] | None = None


class FaultError(Struct, gc=False, rename={"message": "Message", "detail": "Detail"}):
    """One error of the accounting service."""

    message: str | None = None
    detail: str | None = None
    code: str | int | None = None
    element: str | None = None


class ServiceFault(Struct, gc=False, rename={"errors": "Error"}):
    """A refusal by the accounting service: capitalised keys."""

    errors: list[FaultError] | None = None
    type: str | None = None


class GatewayError(Struct, gc=False):
    """One error of the gateway."""

    message: str | None = None
    detail: str | None = None
    code: str | int | None = None
    element: str | None = None


class GatewayFault(Struct, gc=False):
    """A refusal by the gateway: lower-case keys."""

    error: list[GatewayError] | None = None
    type: str | None = None


class Envelope(Struct, gc=False):
    """Any answer of the accounting service."""

    QueryResponse: Rows | None = None
    CDCResponse: list[CdcAnswer] | None = None
    Fault: ServiceFault | None = None
    fault: GatewayFault | None = None
    time: datetime | int | None = None  # the gateway's is in epoch milliseconds


class Head(Struct, gc=False):
    """Only the id of a record, for one whose rest cannot be read."""

    Id: str | None = None
