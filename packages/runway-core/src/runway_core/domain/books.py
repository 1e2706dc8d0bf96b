"""`Books`: everything a calculator may know about one company on one day."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from itertools import count
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, cast

from pydantic import AwareDatetime

from runway_core.domain.aliases import NameAlias
from runway_core.domain.bank import BankBalance, BankTransaction, Reconciliation
from runway_core.domain.bills import Bill, BillPayment, VendorCredit
from runway_core.domain.collections import CollectionNote
from runway_core.domain.columns import (
    BillColumns,
    BillPaymentColumns,
    CustomerPaymentColumns,
    InvoiceColumns,
    read_bill_columns,
    read_bill_payment_columns,
    read_customer_payment_columns,
    read_invoice_columns,
)
from runway_core.domain.company import Company, Connection
from runway_core.domain.conflicts import ConflictDecision
from runway_core.domain.decisions import Decision
from runway_core.domain.derived import Derived, Piece, Watched, is_same, make_pieces
from runway_core.domain.execution import CardPurchase, PaymentDetails, RailBill, RailPayment
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import Account, Attachment, CompanyInfo, Deposit, JournalEntry, Purchase, Transfer
from runway_core.domain.money import ZERO
from runway_core.domain.parties import Customer, Term, Vendor
from runway_core.domain.planned_items import PlannedItem
from runway_core.domain.policy import DEFAULT_POLICY, CallBack, Earmark, Policy
from runway_core.domain.processor import Payout, ProcessorBalance
from runway_core.domain.record import Value

Value_ = TypeVar("Value_")
Key_ = TypeVar("Key_")
Listed_ = TypeVar("Listed_", Account, Vendor, Customer)
Given_ = ParamSpec("Given_")

_EXTERNAL_ID = attrgetter("external_id")
_DOCUMENT_DATE = attrgetter("document_date")


class Books(Value):
    """One company's books as the mirror holds them: the only input of every calculator.

    Deleted records are absent. Closed documents reach back to `history_from`; open ones are all there. `as_of` is a
    calendar day in the company's zone and is an input, never the clock. `read_at` is when the mirror was read.

    What a bank, an execution rail or a processor says is empty until a rail of that role is connected. Working papers
    are those that are not closed.
    """

    company: Company
    as_of: date
    read_at: AwareDatetime
    history_from: date
    log_sequence: int = 0
    connections: tuple[Connection, ...] = ()
    accounts: tuple[Account, ...] = ()
    terms: tuple[Term, ...] = ()
    vendors: tuple[Vendor, ...] = ()
    customers: tuple[Customer, ...] = ()
    bills: tuple[Bill, ...] = ()
    vendor_credits: tuple[VendorCredit, ...] = ()
    bill_payments: tuple[BillPayment, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    credit_memos: tuple[CreditMemo, ...] = ()
    customer_payments: tuple[CustomerPayment, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    journal_entries: tuple[JournalEntry, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    company_info: CompanyInfo | None = None
    # What rails of other roles say.
    bank_balances: tuple[BankBalance, ...] = ()
    bank_transactions: tuple[BankTransaction, ...] = ()
    reconciliations: tuple[Reconciliation, ...] = ()
    rail_bills: tuple[RailBill, ...] = ()
    rail_payments: tuple[RailPayment, ...] = ()
    card_purchases: tuple[CardPurchase, ...] = ()
    payment_details: tuple[PaymentDetails, ...] = ()
    payouts: tuple[Payout, ...] = ()
    processor_balances: tuple[ProcessorBalance, ...] = ()
    # What the log says changed lately, and what people keep beside the mirror.
    changes: tuple[FieldChange, ...] = ()
    policy: Policy = DEFAULT_POLICY
    planned_items: tuple[PlannedItem, ...] = ()
    decisions: tuple[Decision, ...] = ()
    collection_notes: tuple[CollectionNote, ...] = ()
    aliases: tuple[NameAlias, ...] = ()
    earmarks: tuple[Earmark, ...] = ()
    call_backs: tuple[CallBack, ...] = ()
    conflict_decisions: tuple[ConflictDecision, ...] = ()

    @property
    def home(self) -> str:
        """The company's home currency."""
        return self.company.home_currency

    def derive(
        self,
        compute: Callable[Concatenate["Books", Given_], Value_],
        *args: Given_.args,
        **named: Given_.kwargs,
    ) -> Value_:
        """What `compute` makes of these books, kept beside them: calculators that need the same pay for it once.

        `compute` must be a pure function that lives as long as the program. What it gives nobody may change, and it may
        not hold the books: what it read is noted while it runs, so that it is known for which later books it holds. Of
        a function to which more is given the last value is kept, and holds while that is equal.
        """
        given = (args, named)
        found = self.derived.get(compute)
        if found is None or found.given != given:
            watched = Watched(self, FIELDS_OF)
            value = compute(cast("Books", watched), *args, **named)
            found = self.derived[compute] = Derived(value, watched.close(), given)
        return cast("Value_", found.value)

    def derive_each(
        self, compute: Callable[..., Value_], given: Mapping[Key_, tuple[Any, ...]], *, part: str = ""
    ) -> dict[Key_, Value_]:
        """What `compute` makes of each tuple of arguments, by key; where earlier books gave the same, it is not called.

        For what is made of one vendor's documents after another's, of which few change between two readings. `compute`
        must be a pure function that lives as long as the program and sees nothing but what it is given. It is asked for
        all of a part of the books at once: what is not asked for again is forgotten.
        """
        held = self.pieces.get((compute, part), {})
        made = self.pieces[compute, part] = make_pieces(compute, given, held)
        return {key: piece.value for key, piece in made.items()}

    @cached_property
    def pieces(self) -> dict[tuple[Callable[..., Any], str], dict[Any, Piece]]:
        """What was computed piece by piece so far; ask `derive_each`."""
        return {}

    @cached_property
    def derived(self) -> dict[Callable[..., Any], Derived]:
        """What was computed from these books so far; ask `derive`."""
        return {}

    def continue_from(self, before: "Books") -> Self:
        """Take over what was computed from earlier books of the company, as far as all that it read is the same.

        Returns:
            These books.
        """
        own = self.__dict__
        self.pieces.update(before.pieces)
        same = {name for name in type(self).model_fields if is_same(before.__dict__[name], own[name])}
        for name, field in LISTS.items():
            if name in before.__dict__ and (field in same or before.__dict__[name] == getattr(self, name)):
                same.add(name)
                own[name] = before.__dict__[name]
        self.derived.update((compute, found) for compute, found in before.derived.items() if found.reads <= same)
        for name in FIELDS_OF.keys() & before.__dict__.keys():
            if FIELDS_OF[name] <= same:
                own.setdefault(name, before.__dict__[name])
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values, without what was computed from the old ones."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied

    @cached_property
    def chart(self) -> tuple[Account, ...]:
        """The chart of accounts: which there are, with nil balances and without revisions.

        Balances move with every document. What is made of the chart and the two lists holds while only those move.
        """
        return self._list(self.accounts, part="accounts")

    @cached_property
    def vendor_list(self) -> tuple[Vendor, ...]:
        """The vendors, with nil balances and without revisions."""
        return self._list(self.vendors, part="vendors")

    @cached_property
    def customer_list(self) -> tuple[Customer, ...]:
        """The customers, with nil balances and without revisions."""
        return self._list(self.customers, part="customers")

    def _list(self, records: tuple[Listed_, ...], *, part: str) -> tuple[Listed_, ...]:
        given = {record.external_id: (record,) for record in records}
        return tuple(self.derive_each(_settle, given, part=part).values())

    @cached_property
    def vendor_by_id(self) -> dict[str, Vendor]:
        """Vendors by external id, as in their list."""
        return {vendor.external_id: vendor for vendor in self.vendor_list}

    @cached_property
    def customer_by_id(self) -> dict[str, Customer]:
        """Customers by external id, as in their list."""
        return {customer.external_id: customer for customer in self.customer_list}

    @cached_property
    def account_by_id(self) -> dict[str, Account]:
        """Accounts by external id, as in the chart: without balances."""
        return {account.external_id: account for account in self.chart}

    @cached_property
    def vendor_names(self) -> dict[str, str]:
        """The name of each vendor by external id, which is quicker told than all of their list."""
        return {vendor.external_id: vendor.name for vendor in self.vendors}

    @cached_property
    def customer_names(self) -> dict[str, str]:
        """The name of each customer by external id."""
        return {customer.external_id: customer.name for customer in self.customers}

    @cached_property
    def term_by_id(self) -> dict[str, Term]:
        """Terms by external id."""
        return {term.external_id: term for term in self.terms}

    def with_columns(self) -> Self:
        """Lay the columns of documents out now, as part of reading them: every figure that follows walks over columns.

        Returns:
            These books.
        """
        for name in COLUMNS:
            getattr(self, name)
        return self

    @cached_property
    def bill_columns(self) -> BillColumns:
        """What most figures look at of bills: quicker to walk over than `bills`."""
        return read_bill_columns(self.bills)

    @cached_property
    def bill_payment_columns(self) -> BillPaymentColumns:
        """The same of `bill_payments`."""
        return read_bill_payment_columns(self.bill_payments)

    @cached_property
    def invoice_columns(self) -> InvoiceColumns:
        """The same of `invoices`."""
        return read_invoice_columns(self.invoices)

    @cached_property
    def customer_payment_columns(self) -> CustomerPaymentColumns:
        """The same of `customer_payments`."""
        return read_customer_payment_columns(self.customer_payments)

    @cached_property
    def bill_places(self) -> dict[str, int]:
        """The place of each bill in `bills`, by its id."""
        return dict(zip(self.bill_columns.external_id, count()))

    @cached_property
    def invoice_places(self) -> dict[str, int]:
        """The place of each invoice in `invoices`, by its id."""
        return dict(zip(self.invoice_columns.external_id, count()))

    @cached_property
    def open_bills(self) -> tuple[Bill, ...]:
        """Bills with an unpaid rest, by due date, then id."""
        found = [bill for bill in self.unsettled_bills if bill.open_balance > 0]
        return tuple(sorted(found, key=lambda bill: (bill.due_date or date.max, bill.external_id)))

    @cached_property
    def unsettled_bills(self) -> tuple[Bill, ...]:
        """Bills whose open balance is not nil, in no order: unpaid ones, and those below nil."""
        return tuple([self.bills[place] for place, done in enumerate(self.bill_columns.is_settled) if not done])

    @cached_property
    def open_invoices(self) -> tuple[Invoice, ...]:
        """Invoices with an unpaid rest, by due date, then id; voided ones are absent."""
        left = (self.invoices[place] for place, done in enumerate(self.invoice_columns.is_settled) if not done)
        found = [invoice for invoice in left if invoice.open_balance > 0 and not invoice.is_void]
        return tuple(sorted(found, key=lambda invoice: (invoice.due_date or date.max, invoice.external_id)))

    @cached_property
    def bills_by_vendor(self) -> dict[str, tuple[Bill, ...]]:
        """Bills by vendor id, each list by document date, then id."""
        return self.derive_each(_order_bills, self._group_bills())

    def _group_bills(self) -> dict[str, tuple[tuple[Bill, ...]]]:
        groups: dict[str, list[Bill]] = {}
        for bill, vendor_id in zip(self.bills, self.bill_columns.vendor_id, strict=True):
            if vendor_id is not None:
                groups.setdefault(vendor_id, []).append(bill)
        return {vendor_id: (tuple(group),) for vendor_id, group in groups.items()}


LISTS = {
    "chart": "accounts",
    "vendor_list": "vendors",
    "vendor_names": "vendors",
    "customer_list": "customers",
    "customer_names": "customers",
}
"""What stands for a field in which balances move: it counts as a field of its own."""

COLUMNS = ("bill_columns", "bill_payment_columns", "invoice_columns", "customer_payment_columns")
"""What books hold of documents beside their records, column by column."""

FIELDS_OF: Mapping[str, frozenset[str]] = {
    **{name: frozenset({name}) for name in Books.model_fields},
    "home": frozenset({"company"}),
    **{name: frozenset({name}) for name in LISTS},
    "vendor_by_id": frozenset({"vendor_list"}),
    "customer_by_id": frozenset({"customer_list"}),
    "account_by_id": frozenset({"chart"}),
    "term_by_id": frozenset({"terms"}),
    "bill_columns": frozenset({"bills"}),
    "bill_payment_columns": frozenset({"bill_payments"}),
    "invoice_columns": frozenset({"invoices"}),
    "customer_payment_columns": frozenset({"customer_payments"}),
    "bill_places": frozenset({"bills"}),
    "invoice_places": frozenset({"invoices"}),
    "open_bills": frozenset({"bills"}),
    "unsettled_bills": frozenset({"bills"}),
    "open_invoices": frozenset({"invoices"}),
    "bills_by_vendor": frozenset({"bills"}),
}
"""Which fields each attribute of books is made of; a test watches that none is missing."""


def _settle(record: Listed_) -> Listed_:
    nil = {"balance": ZERO, "revision": "", "revision_number": 0, "modified_at": None}
    return type(record).trusted(record.__dict__ | nil)


def _order_bills(group: Iterable[Bill]) -> tuple[Bill, ...]:
    # Twice in C is faster than once by a key made in Python.
    return tuple(sorted(sorted(group, key=_EXTERNAL_ID), key=_DOCUMENT_DATE))
