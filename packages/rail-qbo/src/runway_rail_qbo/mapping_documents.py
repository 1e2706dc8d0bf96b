"""Mapping of transactions: bills, invoices, credits, payments, and the entries that move money without them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from runway_core.domain.bills import Bill, BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.documents import LineKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Deposit, JournalEntry, Purchase, Transfer
from runway_core.errors import RecordRejected

from runway_rail_qbo import wire
from runway_rail_qbo.currencies import CURRENCIES
from runway_rail_qbo.mapping_lines import (
    id_of,
    kind_of,
    map_applied,
    map_deposit_line,
    map_expense_lines,
    map_journal_line,
    map_links,
    map_sales_lines,
    strip_deleted,
)

_METHODS = {
    "Check": PaymentMethod.CHECK,
    "CreditCard": PaymentMethod.CARD,
    "Cash": PaymentMethod.CASH,
}
_NO_META = wire.Meta()
_NO_REF = wire.Ref()


def in_utc(time: datetime | None) -> datetime | None:
    """The moment in UTC."""
    if time is None:
        return None
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise RecordRejected(f"{time.isoformat()} is not a time that can be kept") from error


def revision_number(sync_token: str | None) -> int | None:
    """The SyncToken as a number: it counts upwards."""
    return int(sync_token) if sync_token is not None and sync_token.isdecimal() and len(sync_token) < 16 else None


def check_currency(code: str) -> str:
    """Refuse a code that is no currency."""
    if code not in CURRENCIES:
        raise RecordRejected(f"CurrencyRef: {code[:20]!r} is not a currency of ISO 4217")
    return code


def currency_of(reference: wire.Ref | None, home_currency: str) -> str:
    """The record's currency; the home currency where it states none, as old rows do."""
    code = reference.value if reference is not None else None
    return check_currency(code) if code else home_currency


def map_bill(txn: wire.Bill, home_currency: str) -> Bill:
    """A bill."""
    meta, vendor = txn.MetaData or _NO_META, txn.VendorRef or _NO_REF
    return Bill.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        vendor_id=vendor.value or None,
        vendor_name=strip_deleted(vendor.name),
        document_date=_date_of(txn),
        due_date=txn.DueDate,
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        open_balance=_amount(txn.Balance, "Balance"),
        exchange_rate=txn.ExchangeRate,
        term_id=id_of(txn.SalesTermRef),
        memo=txn.PrivateNote or None,
        payable_account_id=id_of(txn.APAccountRef),
        lines=map_expense_lines(txn.Line),
        links=map_links(txn.LinkedTxn),
    )


def map_vendor_credit(txn: wire.VendorCredit, home_currency: str) -> VendorCredit:
    """A vendor credit. Its open rest is stated only by some versions; else it follows from the bill payments."""
    meta, vendor = txn.MetaData or _NO_META, txn.VendorRef or _NO_REF
    return VendorCredit.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        vendor_id=vendor.value or None,
        vendor_name=strip_deleted(vendor.name),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        open_balance=txn.Balance,
        exchange_rate=txn.ExchangeRate,
        memo=txn.PrivateNote or None,
        payable_account_id=id_of(txn.APAccountRef),
        lines=map_expense_lines(txn.Line),
        links=map_links(txn.LinkedTxn),
    )


def map_bill_payment(txn: wire.BillPayment, home_currency: str) -> BillPayment:
    """Money to a vendor."""
    meta, vendor = txn.MetaData or _NO_META, txn.VendorRef or _NO_REF
    account = txn.CheckPayment.BankAccountRef if txn.CheckPayment else None
    if account is None and txn.CreditCardPayment:
        account = txn.CreditCardPayment.CCAccountRef
    return BillPayment.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        vendor_id=vendor.value or None,
        vendor_name=strip_deleted(vendor.name),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        exchange_rate=txn.ExchangeRate,
        method=_METHODS.get(txn.PayType or "", PaymentMethod.OTHER),
        account_id=id_of(account),
        memo=txn.PrivateNote or None,
        is_void=_is_void(txn),
        applied=map_applied(txn.Line),
    )


def map_invoice(txn: wire.Invoice, home_currency: str) -> Invoice:
    """An invoice."""
    meta, customer = txn.MetaData or _NO_META, txn.CustomerRef or _NO_REF
    return Invoice.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        customer_id=customer.value or None,
        customer_name=strip_deleted(customer.name),
        document_date=_date_of(txn),
        due_date=txn.DueDate,
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        open_balance=_amount(txn.Balance, "Balance"),
        exchange_rate=txn.ExchangeRate,
        term_id=id_of(txn.SalesTermRef),
        memo=txn.PrivateNote or None,
        is_sent=_was_sent(txn),
        is_void=_is_void(txn),
        tax=txn.TxnTaxDetail.TotalTax if txn.TxnTaxDetail else None,
        lines=map_sales_lines(txn.Line),
        links=map_links(txn.LinkedTxn),
    )


def map_credit_memo(txn: wire.CreditMemo, home_currency: str) -> CreditMemo:
    """A credit memo; its unused rest is `RemainingCredit`."""
    meta, customer = txn.MetaData or _NO_META, txn.CustomerRef or _NO_REF
    rest = txn.RemainingCredit if txn.RemainingCredit is not None else txn.Balance
    return CreditMemo.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        customer_id=customer.value or None,
        customer_name=strip_deleted(customer.name),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        open_balance=_amount(rest, "Balance"),
        exchange_rate=txn.ExchangeRate,
        memo=txn.PrivateNote or None,
        is_void=_is_void(txn),
        lines=map_sales_lines(txn.Line),
        links=map_links(txn.LinkedTxn),
    )


def map_customer_payment(txn: wire.Payment, home_currency: str) -> CustomerPayment:
    """Money from a customer. What stands in the lines was applied; the top-level links are deposits."""
    meta, customer = txn.MetaData or _NO_META, txn.CustomerRef or _NO_REF
    return CustomerPayment.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.PaymentRefNum or None,
        customer_id=customer.value or None,
        customer_name=strip_deleted(customer.name),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        unapplied=txn.UnappliedAmt if txn.UnappliedAmt is not None else Decimal(0),
        exchange_rate=txn.ExchangeRate,
        account_id=id_of(txn.DepositToAccountRef),
        memo=txn.PrivateNote or None,
        is_void=_is_void(txn),
        applied=map_applied(txn.Line),
        links=map_links(txn.LinkedTxn),
    )


def map_purchase(txn: wire.Purchase, home_currency: str) -> Purchase:
    """A cheque, a card charge or a cash expense; `Credit` marks a refund."""
    meta, payee = txn.MetaData or _NO_META, txn.EntityRef or _NO_REF
    return Purchase.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        exchange_rate=txn.ExchangeRate,
        method=_METHODS.get(txn.PaymentType or "", PaymentMethod.OTHER),
        account_id=id_of(txn.AccountRef),
        payee_kind=kind_of(payee.type),
        payee_id=payee.value or None,
        payee_name=strip_deleted(payee.name),
        is_refund=txn.Credit is True,
        is_void=_is_void(txn),
        memo=txn.PrivateNote or None,
        lines=map_expense_lines(txn.Line),
    )


def map_deposit(txn: wire.Deposit, home_currency: str) -> Deposit:
    """Money put into an account; lines that take a customer payment there become links."""
    meta = txn.MetaData or _NO_META
    lines = txn.Line or ()
    return Deposit.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        exchange_rate=txn.ExchangeRate,
        account_id=id_of(txn.DepositToAccountRef),
        memo=txn.PrivateNote or None,
        cash_back=txn.CashBack.Amount if txn.CashBack else None,
        lines=tuple(map_deposit_line(line) for line in lines if not line.LinkedTxn),
        links=map_applied(txn.Line),
    )


def map_transfer(txn: wire.Transfer, home_currency: str) -> Transfer:
    """Money moved between two accounts."""
    meta = txn.MetaData or _NO_META
    return Transfer.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.Amount, "Amount"),
        exchange_rate=txn.ExchangeRate,
        from_account_id=id_of(txn.FromAccountRef),
        to_account_id=id_of(txn.ToAccountRef),
        memo=txn.PrivateNote or None,
    )


def map_journal_entry(txn: wire.JournalEntry, home_currency: str) -> JournalEntry:
    """A booking by hand. Its own total is nil in most, so it is added up from the debits."""
    meta = txn.MetaData or _NO_META
    lines = tuple(map_journal_line(line) for line in txn.Line or ())
    debits = sum((line.amount for line in lines if line.line_kind is LineKind.DEBIT), Decimal(0))
    return JournalEntry.from_typed(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        number=txn.DocNumber or None,
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=debits,
        exchange_rate=txn.ExchangeRate,
        is_adjustment=txn.Adjustment is True,
        memo=txn.PrivateNote or None,
        lines=lines,
    )


def _date_of(txn: wire.Transaction) -> date:
    if txn.TxnDate is None:
        raise RecordRejected("TxnDate: the date of the document is missing")
    return txn.TxnDate


def _amount(value: Decimal | None, field: str) -> Decimal:
    if value is None:
        raise RecordRejected(f"{field}: the amount is missing")
    return value


def _is_void(txn: wire.Transaction) -> bool:
    """No flag says so: a voided transaction has nil amounts and a note that begins with "Voided"."""
    return not txn.TotalAmt and txn.PrivateNote is not None and txn.PrivateNote.startswith("Voided")


def _was_sent(txn: wire.Invoice) -> bool | None:
    if txn.EmailStatus is None and txn.PrintStatus is None:
        return None
    return txn.EmailStatus == "EmailSent" or txn.PrintStatus == "PrintComplete"
