"""Which class holds which kind of record: the one table that stores, rails and the log share."""

from runway_core.domain.bank import BankAccount, BankLine
from runway_core.domain.bills import Bill, BillPayment, VendorCredit
from runway_core.domain.execution import CardTransaction, ExecutionBill, ExecutionPayment, ExecutionVendor
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import (
    Account,
    Attachment,
    CompanyInfo,
    Deposit,
    JournalEntry,
    Purchase,
    Transfer,
)
from runway_core.domain.parties import Customer, Term, Vendor
from runway_core.domain.processor import Charge, Dispute, ProcessorEntry, Refund, SentPayout
from runway_core.domain.record import Record

RECORD_CLASSES: dict[RecordKind, type[Record]] = {
    cls.kind: cls
    for cls in (
        Account,
        Term,
        Vendor,
        Customer,
        Bill,
        VendorCredit,
        BillPayment,
        Invoice,
        CreditMemo,
        CustomerPayment,
        Purchase,
        Deposit,
        Transfer,
        JournalEntry,
        CompanyInfo,
        Attachment,
        BankAccount,
        BankLine,
        Charge,
        Refund,
        Dispute,
        SentPayout,
        ProcessorEntry,
        ExecutionVendor,
        ExecutionBill,
        ExecutionPayment,
        CardTransaction,
    )
}
"""Every mirrored kind, in an order in which nothing refers to a kind that comes later, but for links."""
