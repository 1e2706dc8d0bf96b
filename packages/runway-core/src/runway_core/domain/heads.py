"""What most figures look at of a document, held close together.

A calculator that walks over ten thousand records waits for memory, not for arithmetic: records lie scattered, and each
walk fetches them anew. Heads are made once for all of them, and a walk over heads takes a fourth of the time.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from inspect import get_annotations
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.documents import DocumentLink
from runway_core.domain.invoices import CustomerPayment, Invoice

Head = TypeVar("Head", bound=tuple[Any, ...])


class BillHead(NamedTuple):
    """Of a bill; fields as there."""

    external_id: str
    vendor_id: str | None
    document_date: date
    due_date: date | None
    currency: str
    total: Decimal
    open_balance: Decimal
    created_at: datetime | None


class InvoiceHead(NamedTuple):
    """Of an invoice; fields as there."""

    external_id: str
    customer_id: str | None
    document_date: date
    due_date: date | None
    currency: str
    total: Decimal
    open_balance: Decimal
    created_at: datetime | None
    tax: Decimal | None
    is_void: bool


class BillPaymentHead(NamedTuple):
    """Of a bill payment; fields as there."""

    external_id: str
    vendor_id: str | None
    document_date: date
    currency: str
    total: Decimal
    account_id: str | None
    is_void: bool
    applied: tuple[DocumentLink, ...]


class CustomerPaymentHead(NamedTuple):
    """Of a customer's payment; fields as there."""

    external_id: str
    customer_id: str | None
    document_date: date
    currency: str
    total: Decimal
    account_id: str | None
    is_void: bool
    applied: tuple[DocumentLink, ...]
    links: tuple[DocumentLink, ...]
    unapplied: Decimal


def _header(head: type[Head]) -> Callable[[Iterable[Any]], tuple[Head, ...]]:
    """What makes heads of records, without a step of Python for each."""
    read, make = attrgetter(*get_annotations(head)), partial(tuple.__new__, head)
    return lambda records: tuple(map(make, map(read, records)))


make_bill_heads: Callable[[Iterable[Bill]], tuple[BillHead, ...]] = _header(BillHead)
make_invoice_heads: Callable[[Iterable[Invoice]], tuple[InvoiceHead, ...]] = _header(InvoiceHead)
make_bill_payment_heads: Callable[[Iterable[BillPayment]], tuple[BillPaymentHead, ...]] = _header(BillPaymentHead)
make_customer_payment_heads: Callable[[Iterable[CustomerPayment]], tuple[CustomerPaymentHead, ...]] = _header(
    CustomerPaymentHead
)
