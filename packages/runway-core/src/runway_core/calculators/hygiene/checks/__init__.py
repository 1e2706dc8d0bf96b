"""The checks, one file each. A new one is one more file, and one more line here."""

from runway_core.calculators.hygiene.check import Check
from runway_core.calculators.hygiene.checks.account_sign_wrong import AccountSignWrong
from runway_core.calculators.hygiene.checks.account_unmapped import AccountUnmapped
from runway_core.calculators.hygiene.checks.balance_drift import BalanceDrift
from runway_core.calculators.hygiene.checks.bank_connection_stale import BankConnectionStale
from runway_core.calculators.hygiene.checks.bank_duplicate import BankDuplicate
from runway_core.calculators.hygiene.checks.bank_not_in_ledger import BankNotInLedger
from runway_core.calculators.hygiene.checks.bill_amount_not_positive import BillAmountNotPositive
from runway_core.calculators.hygiene.checks.bill_amount_unusual import BillAmountUnusual
from runway_core.calculators.hygiene.checks.bill_dates_implausible import BillDatesImplausible
from runway_core.calculators.hygiene.checks.bill_document_missing import BillDocumentMissing
from runway_core.calculators.hygiene.checks.bill_due_date_assumed import BillDueDateAssumed
from runway_core.calculators.hygiene.checks.bill_due_date_missing import BillDueDateMissing
from runway_core.calculators.hygiene.checks.bill_duplicate import BillDuplicate
from runway_core.calculators.hygiene.checks.bill_duplicate_likely import BillDuplicateLikely
from runway_core.calculators.hygiene.checks.bill_paid_elsewhere import BillPaidElsewhere
from runway_core.calculators.hygiene.checks.bill_payment_not_at_bank import BillPaymentNotAtBank
from runway_core.calculators.hygiene.checks.bill_payment_unapplied import BillPaymentUnapplied
from runway_core.calculators.hygiene.checks.bill_rails_disagree import BillRailsDisagree
from runway_core.calculators.hygiene.checks.bill_remnant import BillRemnant
from runway_core.calculators.hygiene.checks.bill_stale import BillStale
from runway_core.calculators.hygiene.checks.bill_uncategorised import BillUncategorised
from runway_core.calculators.hygiene.checks.bill_vendor_missing import BillVendorMissing
from runway_core.calculators.hygiene.checks.card_payment_as_expense import CardPaymentAsExpense
from runway_core.calculators.hygiene.checks.closed_period_changed import ClosedPeriodChanged
from runway_core.calculators.hygiene.checks.control_mismatch import ControlMismatch
from runway_core.calculators.hygiene.checks.credit_memo_unapplied import CreditMemoUnapplied
from runway_core.calculators.hygiene.checks.customer_balance_negative import CustomerBalanceNegative
from runway_core.calculators.hygiene.checks.customer_payment_unapplied import CustomerPaymentUnapplied
from runway_core.calculators.hygiene.checks.fee_not_recorded import FeeNotRecorded
from runway_core.calculators.hygiene.checks.financing_as_income import FinancingAsIncome
from runway_core.calculators.hygiene.checks.invoice_customer_missing import InvoiceCustomerMissing
from runway_core.calculators.hygiene.checks.invoice_due_date_missing import InvoiceDueDateMissing
from runway_core.calculators.hygiene.checks.invoice_duplicate import InvoiceDuplicate
from runway_core.calculators.hygiene.checks.invoice_not_sent import InvoiceNotSent
from runway_core.calculators.hygiene.checks.invoice_paid_elsewhere import InvoicePaidElsewhere
from runway_core.calculators.hygiene.checks.invoice_remnant import InvoiceRemnant
from runway_core.calculators.hygiene.checks.invoice_stale import InvoiceStale
from runway_core.calculators.hygiene.checks.ledger_not_at_bank import LedgerNotAtBank
from runway_core.calculators.hygiene.checks.mirror_stale import MirrorStale
from runway_core.calculators.hygiene.checks.outflow_without_bill import OutflowWithoutBill
from runway_core.calculators.hygiene.checks.payee_missing import PayeeMissing
from runway_core.calculators.hygiene.checks.payment_state_conflict import PaymentStateConflict
from runway_core.calculators.hygiene.checks.payout_not_unbundled import PayoutNotUnbundled
from runway_core.calculators.hygiene.checks.planned_item_stale import PlannedItemStale
from runway_core.calculators.hygiene.checks.rate_missing import RateMissing
from runway_core.calculators.hygiene.checks.receipt_booked_twice import ReceiptBookedTwice
from runway_core.calculators.hygiene.checks.reconciled_changed import ReconciledChanged
from runway_core.calculators.hygiene.checks.reconciliation_old import ReconciliationOld
from runway_core.calculators.hygiene.checks.recurring_bill_absent import RecurringBillAbsent
from runway_core.calculators.hygiene.checks.recurring_invoice_absent import RecurringInvoiceAbsent
from runway_core.calculators.hygiene.checks.reference_orphan import ReferenceOrphan
from runway_core.calculators.hygiene.checks.suspense_not_zero import SuspenseNotZero
from runway_core.calculators.hygiene.checks.transfer_one_sided import TransferOneSided
from runway_core.calculators.hygiene.checks.uncategorised import Uncategorised
from runway_core.calculators.hygiene.checks.undeposited_stale import UndepositedStale
from runway_core.calculators.hygiene.checks.vendor_balance_negative import VendorBalanceNegative
from runway_core.calculators.hygiene.checks.vendor_bank_changed import VendorBankChanged
from runway_core.calculators.hygiene.checks.vendor_credit_unapplied import VendorCreditUnapplied
from runway_core.calculators.hygiene.checks.vendor_duplicate import VendorDuplicate
from runway_core.calculators.hygiene.checks.vendor_terms_missing import VendorTermsMissing

CHECKS: tuple[Check, ...] = (
    BillDueDateMissing(),
    BillDueDateAssumed(),
    BillDatesImplausible(),
    BillVendorMissing(),
    BillAmountNotPositive(),
    BillDuplicate(),
    BillDuplicateLikely(),
    BillPaidElsewhere(),
    BillStale(),
    BillUncategorised(),
    BillDocumentMissing(),
    VendorCreditUnapplied(),
    BillPaymentUnapplied(),
    BillPaymentNotAtBank(),
    BillRemnant(),
    VendorBalanceNegative(),
    VendorDuplicate(),
    VendorTermsMissing(),
    VendorBankChanged(),
    BillAmountUnusual(),
    RecurringBillAbsent(),
    BillRailsDisagree(),
    OutflowWithoutBill(),
    InvoiceDueDateMissing(),
    InvoiceCustomerMissing(),
    InvoiceDuplicate(),
    InvoicePaidElsewhere(),
    InvoiceStale(),
    CustomerPaymentUnapplied(),
    CreditMemoUnapplied(),
    UndepositedStale(),
    ReceiptBookedTwice(),
    CustomerBalanceNegative(),
    InvoiceNotSent(),
    InvoiceRemnant(),
    RecurringInvoiceAbsent(),
    BalanceDrift(),
    BankConnectionStale(),
    BankNotInLedger(),
    LedgerNotAtBank(),
    BankDuplicate(),
    AccountSignWrong(),
    TransferOneSided(),
    Uncategorised(),
    PayeeMissing(),
    ReconciliationOld(),
    ReconciledChanged(),
    AccountUnmapped(),
    CardPaymentAsExpense(),
    FinancingAsIncome(),
    ControlMismatch(),
    SuspenseNotZero(),
    ClosedPeriodChanged(),
    MirrorStale(),
    PaymentStateConflict(),
    ReferenceOrphan(),
    PayoutNotUnbundled(),
    FeeNotRecorded(),
    RateMissing(),
    PlannedItemStale(),
)
"""Every check, in the order of the catalogue."""
