"""The outside system's payloads in its own words: which files there are, and the columns of each.

A row is read as text. What its cells mean is decided in `mapping.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runway_core.domain.identity import RecordKind


@dataclass(frozen=True, slots=True)
class Layout:
    """One file: its name, the columns it must have, and those it may have."""

    kind: RecordKind
    file_name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


LAYOUTS: tuple[Layout, ...] = (
    Layout(RecordKind.ACCOUNT, "accounts.csv", ("id", "name", "type", "currency", "balance"), ("number", "active")),
    Layout(
        RecordKind.VENDOR, "vendors.csv", ("id", "name", "currency", "balance"), ("company", "email", "phone", "active")
    ),
    Layout(
        RecordKind.CUSTOMER,
        "customers.csv",
        ("id", "name", "currency", "balance"),
        ("company", "email", "phone", "active"),
    ),
    Layout(
        RecordKind.BILL,
        "bills.csv",
        ("id", "bill_date", "currency", "total", "open_balance"),
        ("number", "vendor_id", "vendor_name", "due_date", "memo", "account_id"),
    ),
    Layout(
        RecordKind.INVOICE,
        "invoices.csv",
        ("id", "invoice_date", "currency", "total", "open_balance"),
        ("number", "customer_id", "customer_name", "due_date", "memo", "account_id"),
    ),
)
"""Every file, in an order in which no record refers to one that comes later."""

LAYOUT_OF: Mapping[RecordKind, Layout] = {layout.kind: layout for layout in LAYOUTS}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    label  names the row within its file: its id where it is the first with that id, else its id or line made unique
    cells  column to text, without surrounding blanks; an empty cell is absent
    raw    the header and the row as they stand in the file: a CSV file of one record
    """

    kind: RecordKind
    label: str
    line: int
    cells: Mapping[str, str]
    raw: bytes
    fault: str | None = None  # why the row cannot be read at all, for a person

    @property
    def external_id(self) -> str | None:
        """The row's own id, or `None` where it has none."""
        return self.cells.get("id")
