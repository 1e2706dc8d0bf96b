"""The kinds of record that the sandbox keeps: what may be filtered, what a write must carry, what may be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class FieldType(Enum):
    """How a filter compares a field."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    TRUTH = "truth"
    REFERENCE = "reference"
    ID = "id"


T, N, D, R, B = FieldType.TEXT, FieldType.NUMBER, FieldType.DATE, FieldType.REFERENCE, FieldType.TRUTH

COMMON_FIELDS = {
    "Id": FieldType.ID,
    "MetaData.CreateTime": FieldType.TIME,
    "MetaData.LastUpdatedTime": FieldType.TIME,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    `number_row` names the sequence its ids are drawn from; `name_space` the list of names it must be unique in.
    """

    name: str
    number_row: str
    fields: dict[str, FieldType] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    required_in_sparse: tuple[str, ...] = ()
    name_field: str | None = None
    name_space: str | None = None
    deletable: bool = True
    voidable: bool = False
    events: frozenset[str] = frozenset({"Create", "Update", "Delete"})

    @property
    def is_transaction(self) -> bool:
        """Tell documents apart from lists of names; they sort and number differently."""
        return self.number_row == "transactions"

    def filterable(self) -> dict[str, FieldType]:
        """List every field that a query may name, with its type."""
        return COMMON_FIELDS | self.fields


_VOIDED = frozenset({"Create", "Update", "Delete", "Void"})
_LISTED = frozenset({"Create", "Update", "Delete", "Merge"})
_NAMES = {
    "DisplayName": T,
    "CompanyName": T,
    "GivenName": T,
    "FamilyName": T,
    "PrintOnCheckName": T,
    "Active": B,
    "Balance": N,
}
_DOCUMENT = {"TxnDate": D, "DocNumber": T, "TotalAmt": N}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "Bill",
            "transactions",
            _DOCUMENT | {"VendorRef": R, "APAccountRef": R, "SalesTermRef": R, "DueDate": D, "Balance": N},
            required=("VendorRef", "Line"),
            required_in_sparse=("VendorRef",),
        ),
        Kind(
            "VendorCredit",
            "transactions",
            _DOCUMENT | {"VendorRef": R},
            required=("VendorRef", "Line"),
            required_in_sparse=("VendorRef",),
        ),
        Kind(
            "BillPayment",
            "transactions",
            _DOCUMENT | {"VendorRef": R},
            required=("VendorRef", "PayType", "TotalAmt"),
            voidable=True,
            events=_VOIDED,
        ),
        Kind(
            "Invoice",
            "transactions",
            _DOCUMENT | {"CustomerRef": R, "ProjectRef": R, "SalesTermRef": R, "DueDate": D, "Balance": N},
            required=("CustomerRef", "Line"),
            voidable=True,
            events=_VOIDED | {"Emailed"},
        ),
        Kind(
            "CreditMemo",
            "transactions",
            _DOCUMENT | {"CustomerRef": R, "Balance": N},
            required=("CustomerRef", "Line"),
            voidable=True,
            events=_VOIDED,
        ),
        Kind(
            "Payment",
            "transactions",
            {"TxnDate": D, "TotalAmt": N, "CustomerRef": R, "PaymentRefNum": T, "DepositToAccountRef": R},
            required=("CustomerRef", "TotalAmt"),
            voidable=True,
            events=_VOIDED,
        ),
        Kind(
            "Purchase",
            "transactions",
            _DOCUMENT | {"PaymentType": T},
            required=("PaymentType", "AccountRef", "Line"),
            required_in_sparse=("PaymentType",),
            events=_VOIDED,
        ),
        Kind("Deposit", "transactions", {"TxnDate": D, "DocNumber": T}, required=("DepositToAccountRef", "Line")),
        Kind(
            "Transfer",
            "transactions",
            {"TxnDate": D, "Amount": N},
            required=("FromAccountRef", "ToAccountRef", "Amount"),
            events=_VOIDED,
        ),
        Kind("JournalEntry", "transactions", _DOCUMENT, required=("Line",)),
        Kind(
            "Vendor",
            "names",
            _NAMES | {"AcctNum": T, "Vendor1099": B},
            required=("DisplayName",),
            name_field="DisplayName",
            name_space="names",
            deletable=False,
            events=_LISTED,
        ),
        Kind(
            "Customer",
            "names",
            _NAMES | {"FullyQualifiedName": T, "Job": B},
            required=("DisplayName",),
            name_field="DisplayName",
            name_space="names",
            deletable=False,
            events=_LISTED,
        ),
        Kind(
            "Account",
            "accounts",
            {
                "Name": T,
                "FullyQualifiedName": T,
                "Active": B,
                "AccountType": T,
                "AccountSubType": T,
                "Classification": T,
                "AcctNum": T,
                "CurrentBalance": N,
                "SubAccount": B,
            },
            required=("Name",),
            name_field="Name",
            name_space="accounts",
            deletable=False,
            events=_LISTED,
        ),
        Kind(
            "Item",
            "items",
            {"Name": T, "FullyQualifiedName": T, "Active": B, "Type": T, "UnitPrice": N, "Sku": T},
            required=("Name",),
            name_field="Name",
            name_space="items",
            deletable=False,
            events=_LISTED,
        ),
        Kind(
            "Term",
            "terms",
            {"Name": T, "Active": B, "Type": T, "DueDays": N},
            required=("Name",),
            name_field="Name",
            name_space="terms",
            deletable=False,
        ),
        Kind(
            "Attachable",
            "attachables",
            {"AttachableRef.EntityRef.Type": T, "AttachableRef.EntityRef.value": T, "FileName": T},
        ),
        Kind("CompanyInfo", "single", {"CompanyName": T}, deletable=False, events=frozenset()),
        Kind("Preferences", "single", {}, deletable=False, events=frozenset({"Update"})),
    )
}

# Kinds that the vendor has and the made-up companies have none of: a query answers no rows.
EMPTY_KINDS = frozenset(
    {
        *("Budget", "Class", "CompanyCurrency", "CreditCardPayment", "CustomerType", "Department", "Employee"),
        *("Estimate", "ExchangeRate", "PaymentMethod", "PurchaseOrder", "RecurringTransaction", "RefundReceipt"),
        *("ReimburseCharge", "SalesReceipt", "TaxAgency", "TaxCode", "TaxRate", "TimeActivity", "JournalCode"),
    }
)
NOT_IN_CDC = frozenset({"JournalCode", "TimeActivity", "TaxAgency", "TaxCode", "TaxRate"})

# Fields that exist and cannot be filtered: the vendor words it differently from a field that does not exist.
NOT_QUERYABLE = frozenset({"departmentref", "classref", "customertyperef"})

_BY_LOWER = {name.lower(): kind for name, kind in KINDS.items()}
_EMPTY_BY_LOWER = {name.lower(): name for name in EMPTY_KINDS}


def find_kind(name: str) -> Kind | None:
    """Find a kept kind by its name or its path segment, ignoring case."""
    return _BY_LOWER.get(name.lower())


def find_empty_kind(name: str) -> str | None:
    """Find the spelling of a kind that the vendor has and the sandbox does not keep."""
    return _EMPTY_BY_LOWER.get(name.lower())
