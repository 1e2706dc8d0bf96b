"""Rows to records: pure, and the place where a bad cell becomes a reason that a person understands."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError
from runway_core.domain.bills import Bill
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import to_amount
from runway_core.domain.parties import Customer, Vendor
from runway_core.domain.record import Record
from runway_core.errors import InvalidRequest, RecordRejected

from runway_rail_sample.wire import Row


def row_hash(row: Row) -> str:
    """A token that differs whenever a cell of the row does; blanks and the order of columns do not count."""
    cells = "\x1e".join(f"{name}\x1f{row.cells[name]}" for name in sorted(row.cells))
    return hashlib.sha256(cells.encode()).hexdigest()[:20]


def to_record(row: Row) -> Record:
    """The record that a row stands for.

    Raises:
        RecordRejected: a cell is missing or cannot be what its column says.
    """
    if row.fault is not None:
        raise RecordRejected(row.fault)
    try:
        return _MAKERS[row.kind](_Cells(row))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordRejected(f"line {row.line}: {where} {first['msg'].lower()}") from error


class _Cells:
    """Reads the cells of one row as values, or rejects the row."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.external_id = row.external_id or ""
        self.revision = row_hash(row)

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        value = self.optional(column)
        if value is None:
            raise RecordRejected(f"line {self.row.line}: {column} is empty")
        return value

    def optional(self, column: str) -> str | None:
        """A cell, or `None` where it is empty or the column is not there."""
        return self.row.cells.get(column)

    def amount(self, column: str) -> Decimal:
        """A plain number such as `1250.00`; commas and currency signs are refused rather than guessed at."""
        text = self.text(column)
        try:
            return to_amount(Decimal(text))
        except InvalidOperation as error:
            message = f"line {self.row.line}: {column} {text!r} is not a plain number"
            raise RecordRejected(message) from error
        except InvalidRequest as error:
            raise RecordRejected(f"line {self.row.line}: {column}: {error}") from error

    def day(self, column: str) -> date:
        """An ISO date such as `2026-03-02`."""
        return self._as_day(column, self.text(column))

    def optional_day(self, column: str) -> date | None:
        """An ISO date, or `None` where the cell is empty."""
        text = self.optional(column)
        return None if text is None else self._as_day(column, text)

    def is_true(self, column: str, *, default: bool) -> bool:
        """A yes or no."""
        text = self.optional(column)
        if text is None:
            return default
        answer = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(text.lower())
        if answer is None:
            raise RecordRejected(f"line {self.row.line}: {column} {text!r} is neither yes nor no")
        return answer

    def _as_day(self, column: str, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise RecordRejected(f"line {self.row.line}: {column} {text!r} is not a date like 2026-03-02") from error


def _to_account(cells: _Cells) -> Account:
    written = cells.text("type")
    kind = written.lower().replace(" ", "_")
    return Account(
        external_id=cells.external_id,
        revision=cells.revision,
        name=cells.text("name"),
        full_name=cells.text("name"),
        number=cells.optional("number"),
        account_kind=AccountKind(kind) if kind in set(AccountKind) else AccountKind.UNKNOWN,
        account_type=written,
        is_active=cells.is_true("active", default=True),
        currency=cells.text("currency"),
        balance=cells.amount("balance"),
    )


def _to_vendor(cells: _Cells) -> Vendor:
    return Vendor(
        external_id=cells.external_id,
        revision=cells.revision,
        name=cells.text("name"),
        company_name=cells.optional("company"),
        is_active=cells.is_true("active", default=True),
        currency=cells.text("currency"),
        balance=cells.amount("balance"),
        email=cells.optional("email"),
        phone=cells.optional("phone"),
    )


def _to_customer(cells: _Cells) -> Customer:
    return Customer(
        external_id=cells.external_id,
        revision=cells.revision,
        name=cells.text("name"),
        company_name=cells.optional("company"),
        is_active=cells.is_true("active", default=True),
        currency=cells.text("currency"),
        balance=cells.amount("balance"),
        email=cells.optional("email"),
        phone=cells.optional("phone"),
    )


def _to_bill(cells: _Cells) -> Bill:
    return Bill(
        external_id=cells.external_id,
        revision=cells.revision,
        number=cells.optional("number"),
        vendor_id=cells.optional("vendor_id"),
        vendor_name=cells.optional("vendor_name"),
        document_date=cells.day("bill_date"),
        due_date=cells.optional_day("due_date"),
        currency=cells.text("currency"),
        total=cells.amount("total"),
        open_balance=cells.amount("open_balance"),
        memo=cells.optional("memo"),
        lines=_lines(cells),
    )


def _to_invoice(cells: _Cells) -> Invoice:
    return Invoice(
        external_id=cells.external_id,
        revision=cells.revision,
        number=cells.optional("number"),
        customer_id=cells.optional("customer_id"),
        customer_name=cells.optional("customer_name"),
        document_date=cells.day("invoice_date"),
        due_date=cells.optional_day("due_date"),
        currency=cells.text("currency"),
        total=cells.amount("total"),
        open_balance=cells.amount("open_balance"),
        memo=cells.optional("memo"),
        lines=_lines(cells),
    )


def _lines(cells: _Cells) -> tuple[DocumentLine, ...]:
    """A row names at most one account: it becomes the document's one line."""
    account_id = cells.optional("account_id")
    if account_id is None:
        return ()
    return (DocumentLine(line_kind=LineKind.ACCOUNT, amount=cells.amount("total"), account_id=account_id),)


_MAKERS: Mapping[RecordKind, Callable[[_Cells], Record]] = {
    RecordKind.ACCOUNT: _to_account,
    RecordKind.VENDOR: _to_vendor,
    RecordKind.CUSTOMER: _to_customer,
    RecordKind.BILL: _to_bill,
    RecordKind.INVOICE: _to_invoice,
}
