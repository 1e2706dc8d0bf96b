"""What most figures look at of documents, as columns: one tuple a field, all in the order of the books' own list.

A record is a model, its fields stand in a dict, and every value lies somewhere else: a calculator that walks over ten
thousand of them looks up attributes and waits for memory. Columns are read once, at the speed of C, and a walk over
the two or three that a figure looks at takes a fourth of the time. Whoever needs more of one document finds the record
at the same place of the list.

Days are ordinals (`date.toordinal`): whole numbers are compared and subtracted many times quicker than dates.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter, itemgetter, not_
from typing import Any, NamedTuple, TypeVar

from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.documents import DocumentLink
from runway_core.domain.invoices import CustomerPayment, Invoice

Columns = TypeVar("Columns", bound=tuple[Any, ...])


class BillColumns(NamedTuple):
    """Of bills; fields as there."""

    external_id: tuple[str, ...]
    vendor_id: tuple[str | None, ...]
    document_day: tuple[int, ...]
    due_day: tuple[int | None, ...]
    currency: tuple[str, ...]
    total: tuple[Decimal, ...]
    is_settled: tuple[bool, ...]  # the open balance is nil


class InvoiceColumns(NamedTuple):
    """Of invoices; fields as there."""

    external_id: tuple[str, ...]
    customer_id: tuple[str | None, ...]
    document_day: tuple[int, ...]
    due_day: tuple[int | None, ...]
    currency: tuple[str, ...]
    total: tuple[Decimal, ...]
    is_settled: tuple[bool, ...]  # the open balance is nil
    is_void: tuple[bool, ...]
    tax: tuple[Decimal | None, ...]


class BillPaymentColumns(NamedTuple):
    """Of bill payments; fields as there."""

    external_id: tuple[str, ...]
    vendor_id: tuple[str | None, ...]
    document_day: tuple[int, ...]
    currency: tuple[str, ...]
    total: tuple[Decimal, ...]
    account_id: tuple[str | None, ...]
    is_void: tuple[bool, ...]
    applied: tuple[tuple[DocumentLink, ...], ...]


class CustomerPaymentColumns(NamedTuple):
    """Of customers' payments; fields as there."""

    external_id: tuple[str, ...]
    customer_id: tuple[str | None, ...]
    document_day: tuple[int, ...]
    currency: tuple[str, ...]
    total: tuple[Decimal, ...]
    account_id: tuple[str | None, ...]
    is_void: tuple[bool, ...]
    applied: tuple[tuple[DocumentLink, ...], ...]
    is_applied: tuple[bool, ...]  # all of it: nothing is left on account


class _Ordinals(dict[date | None, int | None]):
    """The ordinal of each day, made once: documents share a few hundred days."""

    def __missing__(self, day: date | None) -> int | None:
        ordinal = self[day] = None if day is None else day.toordinal()
        return ordinal


_MADE_OF = {
    "document_day": "document_date",
    "due_day": "due_date",
    "is_settled": "open_balance",
    "is_applied": "unapplied",
}
_OWN = attrgetter("__dict__")


def _reader(columns: type[Columns]) -> Callable[[Iterable[Any]], Columns]:
    """What reads columns of records, without a step of Python for each."""
    names: Sequence[str] = columns._fields  # type: ignore[attr-defined]  # a named tuple, which no bound can say
    read = itemgetter(*(_MADE_OF.get(name, name) for name in names))

    def make(records: Iterable[Any]) -> Columns:
        # Past the attributes of models, which are looked up in Python's way: their values stand in a dict.
        held = list(zip(*map(read, map(_OWN, records)), strict=True)) or [()] * len(names)
        day = _Ordinals().__getitem__
        ways = {"document_day": day, "due_day": day, "is_settled": not_, "is_applied": not_}
        return columns(*(tuple(map(ways[n], c)) if n in ways else c for n, c in zip(names, held, strict=True)))

    return make


read_bill_columns: Callable[[Iterable[Bill]], BillColumns] = _reader(BillColumns)
read_invoice_columns: Callable[[Iterable[Invoice]], InvoiceColumns] = _reader(InvoiceColumns)
read_bill_payment_columns: Callable[[Iterable[BillPayment]], BillPaymentColumns] = _reader(BillPaymentColumns)
read_customer_payment_columns: Callable[[Iterable[CustomerPayment]], CustomerPaymentColumns] = _reader(
    CustomerPaymentColumns
)
