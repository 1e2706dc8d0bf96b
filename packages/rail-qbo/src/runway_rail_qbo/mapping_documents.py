"""Mapping of transactions: bills, invoices, credits, payments, and the entries that move money without them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from runway_core.domain.bills import Bill, BillPayment, PaymentMethod, VendorCredit
from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Deposit, JournalEntry, Purchase, Transfer
from runway_core.errors import RecordRejected

from runway_rail_qbo import wire
from runway_rail_qbo.currencies import CURRENCIES

KIND_OF_TXN = {
    "Bill": RecordKind.BILL,
    "VendorCredit": RecordKind.VENDOR_CREDIT,
    "BillPayment": RecordKind.BILL_PAYMENT,
    "BillPaymentCheck": RecordKind.BILL_PAYMENT,  # also when paid by card
    "BillPaymentCreditCard": RecordKind.BILL_PAYMENT,
    "Invoice": RecordKind.INVOICE,
    "CreditMemo": RecordKind.CREDIT_MEMO,
    "Payment": RecordKind.CUSTOMER_PAYMENT,
    "Purchase": RecordKind.PURCHASE,
    "Check": RecordKind.PURCHASE,
    "Expense": RecordKind.PURCHASE,
    "CashPurchase": RecordKind.PURCHASE,
    "CreditCardCharge": RecordKind.PURCHASE,
    "CreditCardCredit": RecordKind.PURCHASE,
    "Deposit": RecordKind.DEPOSIT,
    "Transfer": RecordKind.TRANSFER,
    "JournalEntry": RecordKind.JOURNAL_ENTRY,
    "Vendor": RecordKind.VENDOR,
    "Customer": RecordKind.CUSTOMER,
    "Account": RecordKind.ACCOUNT,
    "Term": RecordKind.TERM,
}
"""QuickBooks' names of linked things, as they occur in `LinkedTxn`, `Entity` and `AttachableRef`."""

_METHODS = {
    "Check": PaymentMethod.CHECK,
    "CreditCard": PaymentMethod.CARD,
    "Cash": PaymentMethod.CASH,
}
_NO_META = wire.Meta()
_NO_REF = wire.Ref()
_NO_EXPENSE = wire.ExpenseDetail()
_NO_SALE = wire.SalesDetail()
_NO_DEPOSIT = wire.DepositDetail()
_NO_JOURNAL = wire.JournalDetail()
_NO_ENTITY = wire.JournalEntity()


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


def strip_deleted(name: str | None) -> str | None:
    """A name without the mark that QuickBooks puts behind a retired one."""
    if name is None:
        return None
    if name.endswith(")") and name[-10:].lower() == " (deleted)":
        name = name[:-10]
    return name or None


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
    return Bill(
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
        term_id=_id(txn.SalesTermRef),
        memo=txn.PrivateNote or None,
        payable_account_id=_id(txn.APAccountRef),
        lines=_map_expense_lines(txn.Line),
        links=_map_links(txn.LinkedTxn),
    )


def map_vendor_credit(txn: wire.VendorCredit, home_currency: str) -> VendorCredit:
    """A vendor credit. Its open rest is stated only by some versions; else it follows from the bill payments."""
    meta, vendor = txn.MetaData or _NO_META, txn.VendorRef or _NO_REF
    return VendorCredit(
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
        payable_account_id=_id(txn.APAccountRef),
        lines=_map_expense_lines(txn.Line),
        links=_map_links(txn.LinkedTxn),
    )


def map_bill_payment(txn: wire.BillPayment, home_currency: str) -> BillPayment:
    """Money to a vendor."""
    meta, vendor = txn.MetaData or _NO_META, txn.VendorRef or _NO_REF
    account = txn.CheckPayment.BankAccountRef if txn.CheckPayment else None
    if account is None and txn.CreditCardPayment:
        account = txn.CreditCardPayment.CCAccountRef
    return BillPayment(
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
        account_id=_id(account),
        memo=txn.PrivateNote or None,
        is_void=_is_void(txn),
        applied=_map_applied(txn.Line),
    )


def map_invoice(txn: wire.Invoice, home_currency: str) -> Invoice:
    """An invoice."""
    meta, customer = txn.MetaData or _NO_META, txn.CustomerRef or _NO_REF
    return Invoice(
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
        term_id=_id(txn.SalesTermRef),
        memo=txn.PrivateNote or None,
        is_sent=_was_sent(txn),
        is_void=_is_void(txn),
        tax=txn.TxnTaxDetail.TotalTax if txn.TxnTaxDetail else None,
        lines=_map_sales_lines(txn.Line),
        links=_map_links(txn.LinkedTxn),
    )


def map_credit_memo(txn: wire.CreditMemo, home_currency: str) -> CreditMemo:
    """A credit memo; its unused rest is `RemainingCredit`."""
    meta, customer = txn.MetaData or _NO_META, txn.CustomerRef or _NO_REF
    rest = txn.RemainingCredit if txn.RemainingCredit is not None else txn.Balance
    return CreditMemo(
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
        lines=_map_sales_lines(txn.Line),
        links=_map_links(txn.LinkedTxn),
    )


def map_customer_payment(txn: wire.Payment, home_currency: str) -> CustomerPayment:
    """Money from a customer. What stands in the lines was applied; the top-level links are deposits."""
    meta, customer = txn.MetaData or _NO_META, txn.CustomerRef or _NO_REF
    return CustomerPayment(
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
        account_id=_id(txn.DepositToAccountRef),
        memo=txn.PrivateNote or None,
        is_void=_is_void(txn),
        applied=_map_applied(txn.Line),
        links=_map_links(txn.LinkedTxn),
    )


def map_purchase(txn: wire.Purchase, home_currency: str) -> Purchase:
    """A cheque, a card charge or a cash expense; `Credit` marks a refund."""
    meta, payee = txn.MetaData or _NO_META, txn.EntityRef or _NO_REF
    return Purchase(
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
        account_id=_id(txn.AccountRef),
        payee_kind=KIND_OF_TXN.get(payee.type or ""),
        payee_id=payee.value or None,
        payee_name=strip_deleted(payee.name),
        is_refund=txn.Credit is True,
        is_void=_is_void(txn),
        memo=txn.PrivateNote or None,
        lines=_map_expense_lines(txn.Line),
    )


def map_deposit(txn: wire.Deposit, home_currency: str) -> Deposit:
    """Money put into an account; lines that take a customer payment there become links."""
    meta = txn.MetaData or _NO_META
    lines = txn.Line or ()
    return Deposit(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.TotalAmt, "TotalAmt"),
        exchange_rate=txn.ExchangeRate,
        account_id=_id(txn.DepositToAccountRef),
        memo=txn.PrivateNote or None,
        cash_back=txn.CashBack.Amount if txn.CashBack else None,
        lines=tuple(_map_deposit_line(line) for line in lines if not line.LinkedTxn),
        links=_map_applied(txn.Line),
    )


def map_transfer(txn: wire.Transfer, home_currency: str) -> Transfer:
    """Money moved between two accounts."""
    meta = txn.MetaData or _NO_META
    return Transfer(
        external_id=txn.Id,
        revision=txn.SyncToken or "",
        revision_number=revision_number(txn.SyncToken),
        created_at=in_utc(meta.CreateTime),
        modified_at=in_utc(meta.LastUpdatedTime),
        document_date=_date_of(txn),
        currency=currency_of(txn.CurrencyRef, home_currency),
        total=_amount(txn.Amount, "Amount"),
        exchange_rate=txn.ExchangeRate,
        from_account_id=_id(txn.FromAccountRef),
        to_account_id=_id(txn.ToAccountRef),
        memo=txn.PrivateNote or None,
    )


def map_journal_entry(txn: wire.JournalEntry, home_currency: str) -> JournalEntry:
    """A booking by hand. Its own total is nil in most, so it is added up from the debits."""
    meta = txn.MetaData or _NO_META
    lines = tuple(_map_journal_line(line) for line in txn.Line or ())
    debits = sum((line.amount for line in lines if line.line_kind is LineKind.DEBIT), Decimal(0))
    return JournalEntry(
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


def _id(reference: wire.Ref | None) -> str | None:
    return reference.value or None if reference is not None else None


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


def _map_links(links: list[wire.TxnLink] | None) -> tuple[DocumentLink, ...]:
    if not links:
        return ()
    return tuple(_map_link(link, None) for link in links if link.TxnId)


def _map_link(link: wire.TxnLink, amount: Decimal | None) -> DocumentLink:
    kind = KIND_OF_TXN.get(link.TxnType or "")
    foreign = None if kind is not None else link.TxnType or "unnamed"
    return DocumentLink(kind=kind, external_id=link.TxnId or "", amount=amount, foreign_kind=foreign)


def _map_applied(lines: list[wire.DocumentLine] | None) -> tuple[DocumentLink, ...]:
    """What each line was applied to. A line with several links states one amount for all: it belongs to none."""
    applied = []
    for line in lines or ():
        links = [link for link in line.LinkedTxn or () if link.TxnId]
        amount = abs(line.Amount) if line.Amount is not None and len(links) == 1 else None
        applied += [_map_link(link, amount) for link in links]
    return tuple(applied)


def _map_expense_lines(lines: list[wire.DocumentLine] | None) -> tuple[DocumentLine, ...]:
    return tuple([_map_expense_line(line) for line in lines]) if lines else ()


def _map_expense_line(line: wire.DocumentLine) -> DocumentLine:
    detail = line.AccountBasedExpenseLineDetail
    kind = LineKind.ACCOUNT
    if detail is None:
        detail = line.ItemBasedExpenseLineDetail
        kind = LineKind.ITEM if detail is not None else _other_line_kind(line)
        detail = detail or _NO_EXPENSE
    account, item, customer = detail.AccountRef or _NO_REF, detail.ItemRef or _NO_REF, detail.CustomerRef
    has_customer = customer is not None and bool(customer.value)
    return DocumentLine(
        line_id=line.Id,
        line_kind=kind,
        amount=line.Amount if line.Amount is not None else Decimal(0),
        description=line.Description,
        account_id=account.value or None,
        account_name=strip_deleted(account.name),
        item_id=item.value or None,
        item_name=strip_deleted(item.name),
        quantity=detail.Qty,
        unit_price=detail.UnitPrice,
        party_kind=RecordKind.CUSTOMER if has_customer else None,
        party_id=customer.value if customer is not None and has_customer else None,
    )


def _other_line_kind(line: wire.DocumentLine) -> LineKind:
    if line.DetailType == "SubTotalLineDetail":
        return LineKind.SUBTOTAL
    if line.DetailType == "DiscountLineDetail":
        return LineKind.DISCOUNT
    if line.DetailType == "GroupLineDetail":
        return LineKind.GROUP
    return LineKind.TEXT


def _map_sales_lines(lines: list[wire.DocumentLine] | None) -> tuple[DocumentLine, ...]:
    return tuple([_map_sales_line(line) for line in lines]) if lines else ()


def _map_sales_line(line: wire.DocumentLine) -> DocumentLine:
    amount = line.Amount if line.Amount is not None else Decimal(0)
    sale = line.SalesItemLineDetail
    if sale is not None:
        item, account = sale.ItemRef or _NO_REF, sale.ItemAccountRef or _NO_REF
        return DocumentLine(
            line_id=line.Id,
            line_kind=LineKind.ITEM,
            amount=amount,
            description=line.Description,
            account_id=account.value or None,
            account_name=strip_deleted(account.name),
            item_id=item.value or None,
            item_name=strip_deleted(item.name),
            quantity=sale.Qty,
            unit_price=sale.UnitPrice,
        )
    account = (line.DiscountLineDetail.DiscountAccountRef if line.DiscountLineDetail else None) or _NO_REF
    group = line.GroupLineDetail
    item = (group.GroupItemRef if group else None) or _NO_REF
    return DocumentLine(
        line_id=line.Id,
        line_kind=_other_line_kind(line),
        amount=amount,
        description=line.Description,
        account_id=account.value or None,
        account_name=strip_deleted(account.name),
        item_id=item.value or None,
        item_name=strip_deleted(item.name),
        quantity=group.Quantity if group else None,
    )


def _map_deposit_line(line: wire.DocumentLine) -> DocumentLine:
    detail = line.DepositLineDetail or _NO_DEPOSIT
    account, party = detail.AccountRef or _NO_REF, detail.Entity or _NO_REF
    return DocumentLine(
        line_id=line.Id,
        line_kind=LineKind.DEPOSIT,
        amount=line.Amount if line.Amount is not None else Decimal(0),
        description=line.Description,
        account_id=account.value or None,
        account_name=strip_deleted(account.name),
        party_kind=KIND_OF_TXN.get(party.type or ""),
        party_id=party.value or None,
    )


def _map_journal_line(line: wire.DocumentLine) -> DocumentLine:
    detail = line.JournalEntryLineDetail
    if detail is None:
        return DocumentLine(
            line_id=line.Id,
            line_kind=LineKind.TEXT,
            amount=line.Amount if line.Amount is not None else Decimal(0),
            description=line.Description,
        )
    if detail.PostingType not in {"Debit", "Credit"}:
        raise RecordRejected(f"Line {line.Id}: PostingType is neither Debit nor Credit")
    account, entity = detail.AccountRef or _NO_REF, detail.Entity or _NO_ENTITY
    return DocumentLine(
        line_id=line.Id,
        line_kind=LineKind.DEBIT if detail.PostingType == "Debit" else LineKind.CREDIT,
        amount=line.Amount if line.Amount is not None else Decimal(0),
        description=line.Description,
        account_id=account.value or None,
        account_name=strip_deleted(account.name),
        party_kind=KIND_OF_TXN.get(entity.Type or ""),
        party_id=_id(entity.EntityRef),
    )
