"""Mapping of what transactions are made of: references, links and lines."""

from decimal import Decimal

from runway_core.domain.documents import DocumentLine, DocumentLink, LineKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import ZERO, to_amount
from runway_core.errors import RecordRejected

from runway_rail_qbo import wire

_KIND_BY_NAME = {
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
_KIND_BY_LOWER_NAME = {name.lower(): kind for name, kind in _KIND_BY_NAME.items()}

_NO_REF = wire.Ref()
_NO_EXPENSE = wire.ExpenseDetail()
_NO_SALE = wire.SalesDetail()
_NO_DEPOSIT = wire.DepositDetail()
_NO_JOURNAL = wire.JournalDetail()
_NO_ENTITY = wire.JournalEntity()


def kind_of(name: str | None) -> RecordKind | None:
    """The kind that QuickBooks means; it writes some names in capitals. `None`: a kind that is not mirrored."""
    if not name:
        return None
    return _KIND_BY_NAME.get(name) or _KIND_BY_LOWER_NAME.get(name.lower())


def strip_deleted(name: str | None) -> str | None:
    """A name without the mark that QuickBooks puts behind a retired one."""
    if name is None:
        return None
    if name.endswith(")") and name[-10:].lower() == " (deleted)":
        name = name[:-10]
    return name or None


def id_of(reference: wire.Ref | None) -> str | None:
    """The id that a reference holds, if any."""
    return reference.value or None if reference is not None else None


def map_links(links: list[wire.TxnLink] | None) -> tuple[DocumentLink, ...]:
    """The links of a transaction; what was applied is not stated there."""
    if not links:
        return ()
    return tuple(_map_link(link, None) for link in links if link.TxnId)


def _map_link(link: wire.TxnLink, amount: Decimal | None) -> DocumentLink:
    kind = kind_of(link.TxnType)
    foreign = None if kind is not None else link.TxnType or "unnamed"
    return DocumentLink(
        kind=kind,
        external_id=link.TxnId or "",
        amount=None if amount is None else to_amount(amount),
        foreign_kind=foreign,
    )


def map_applied(lines: list[wire.DocumentLine] | None) -> tuple[DocumentLink, ...]:
    """What each line was applied to. A line with several links states one amount for all: it belongs to none."""
    applied = []
    for line in lines or ():
        links = [link for link in line.LinkedTxn or () if link.TxnId]
        amount = abs(line.Amount) if line.Amount is not None and len(links) == 1 else None
        applied += [_map_link(link, amount) for link in links]
    return tuple(applied)


def map_expense_lines(lines: list[wire.DocumentLine] | None) -> tuple[DocumentLine, ...]:
    """The lines of a bill, a vendor credit or a purchase."""
    return tuple([_map_expense_line(line) for line in lines]) if lines else ()


def _line(
    line: wire.DocumentLine,
    kind: LineKind,
    *,
    account: wire.Ref | None = None,
    item: wire.Ref | None = None,
    quantity: Decimal | None = None,
    unit_price: Decimal | None = None,
    party_kind: RecordKind | None = None,
    party_id: str | None = None,
) -> DocumentLine:
    """Make a line; a document without an amount on it has none to add."""
    account, item = account or _NO_REF, item or _NO_REF
    return DocumentLine(
        line_id=line.Id,
        line_kind=kind,
        amount=ZERO if line.Amount is None else to_amount(line.Amount),
        description=line.Description,
        account_id=account.value or None,
        account_name=strip_deleted(account.name),
        item_id=item.value or None,
        item_name=strip_deleted(item.name),
        quantity=quantity,
        unit_price=unit_price,
        party_kind=party_kind,
        party_id=party_id,
    )


def _map_expense_line(line: wire.DocumentLine) -> DocumentLine:
    detail = line.AccountBasedExpenseLineDetail
    kind = LineKind.ACCOUNT
    if detail is None:
        detail = line.ItemBasedExpenseLineDetail
        kind = LineKind.ITEM if detail is not None else _other_line_kind(line)
        detail = detail or _NO_EXPENSE
    customer_id = id_of(detail.CustomerRef)
    return _line(
        line,
        kind,
        account=detail.AccountRef,
        item=detail.ItemRef,
        quantity=detail.Qty,
        unit_price=detail.UnitPrice,
        party_kind=RecordKind.CUSTOMER if customer_id is not None else None,
        party_id=customer_id,
    )


def _other_line_kind(line: wire.DocumentLine) -> LineKind:
    if line.DetailType == "SubTotalLineDetail":
        return LineKind.SUBTOTAL
    if line.DetailType == "DiscountLineDetail":
        return LineKind.DISCOUNT
    if line.DetailType == "GroupLineDetail":
        return LineKind.GROUP
    return LineKind.TEXT


def map_sales_lines(lines: list[wire.DocumentLine] | None) -> tuple[DocumentLine, ...]:
    """The lines of an invoice or a credit memo."""
    return tuple([_map_sales_line(line) for line in lines]) if lines else ()


def _map_sales_line(line: wire.DocumentLine) -> DocumentLine:
    sale, discount, group = line.SalesItemLineDetail, line.DiscountLineDetail, line.GroupLineDetail
    if sale is not None:
        return _line(
            line,
            LineKind.ITEM,
            account=sale.ItemAccountRef,
            item=sale.ItemRef,
            quantity=sale.Qty,
            unit_price=sale.UnitPrice,
        )
    return _line(
        line,
        _other_line_kind(line),
        account=discount.DiscountAccountRef if discount else None,
        item=group.GroupItemRef if group else None,
        quantity=group.Quantity if group else None,
    )


def map_deposit_line(line: wire.DocumentLine) -> DocumentLine:
    """A line of a deposit that takes no payment there."""
    detail = line.DepositLineDetail or _NO_DEPOSIT
    party = detail.Entity or _NO_REF
    return _line(
        line,
        LineKind.DEPOSIT,
        account=detail.AccountRef,
        party_kind=kind_of(party.type),
        party_id=party.value or None,
    )


def map_journal_line(line: wire.DocumentLine) -> DocumentLine:
    """A line of a journal entry; its side is in `PostingType`."""
    detail = line.JournalEntryLineDetail
    if detail is None:
        return _line(line, LineKind.TEXT)
    if detail.PostingType not in {"Debit", "Credit"}:
        raise RecordRejected(f"Line {line.Id}: PostingType is neither Debit nor Credit")
    entity = detail.Entity or _NO_ENTITY
    return _line(
        line,
        LineKind.DEBIT if detail.PostingType == "Debit" else LineKind.CREDIT,
        account=detail.AccountRef,
        party_kind=kind_of(entity.Type),
        party_id=id_of(entity.EntityRef),
    )
