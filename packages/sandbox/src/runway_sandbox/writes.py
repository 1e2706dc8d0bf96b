"""Create, update, delete and void, with the checks, the consequences and the answers of facts/qbo.md section 6."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from runway_sandbox.books import Book, Row, WireObject, stamp
from runway_sandbox.effects import Effects, check_settlement
from runway_sandbox.faults import (
    ServiceFaultError,
    business_rule,
    duplicate_name,
    not_found,
    required,
    stale,
    unsupported_operation,
    unsupported_property,
)
from runway_sandbox.kinds import Kind
from runway_sandbox.postings import NOTHING, DocumentKey, as_money, compute_applied, lines_of
from runway_sandbox.settings import WireRules
from runway_sandbox.shapes import check_fields, check_references, complete
from runway_sandbox.wiretime import pacific_date

# What a full update cannot clear: the vendor's own members, and those it works out itself.
_KEPT_BY_FULL_UPDATE = frozenset(
    {
        *("Id", "SyncToken", "MetaData", "domain", "sparse", "Active", "CurrencyRef", "TxnDate", "V4IDPseudonym"),
        *("Balance", "BalanceWithJobs", "CurrentBalance", "CurrentBalanceWithSubAccounts", "LinkedTxn"),
        *("RemainingCredit", "UnappliedAmt", "TotalAmt", "Classification", "AccountType", "AccountSubType"),
        *("SubAccount", "ParentRef", "FullyQualifiedName", "ExchangeRate", "Job", "APAccountRef", "CustomField"),
        *("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"),
    }
)
_NOT_WRITABLE = frozenset(
    {"Id", "SyncToken", "MetaData", "domain", "sparse", "status", "Balance", "BalanceWithJobs", "V4IDPseudonym"}
    | {"CurrentBalance", "CurrentBalanceWithSubAccounts", "RemainingCredit", "UnappliedAmt", "Classification"}
    | {"FullyQualifiedName", "HomeBalance", "HomeTotalAmt"}
)
_SETTLED_FIELDS = {"Bill": "Balance", "Invoice": "Balance", "CreditMemo": "RemainingCredit"}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something a webhook would tell: which record, and what was done to it."""

    kind: str
    id: str
    operation: str  # Create, Update, Delete, Void, Emailed


@dataclass(slots=True)
class Written:
    """What a write did: the record as the answer shows it, and what happened in the books."""

    wire: WireObject
    happenings: list[Happening] = field(default_factory=list)


class Writer:
    """Writes to one company's books at one moment."""

    def __init__(self, book: Book, *, now: datetime, rules: WireRules) -> None:
        self._book = book
        self._at = int(now.timestamp())
        self._today = pacific_date(now)
        self._rules = rules

    def create(self, kind: Kind, body: WireObject) -> Written:
        """Add a record.

        Raises:
            ServiceFaultError: the vendor's refusal: 2020, 2500, 610, 6240, 6140, 6000 and the formats.
        """
        if kind.number_row == "single":
            raise unsupported_operation(f"create on {kind.name}")
        wire = {
            key: copy.deepcopy(value)
            for key, value in body.items()
            if key not in _NOT_WRITABLE and value not in (None, "")
        }
        if kind.name == "Vendor":
            wire.pop("TermRef", None)  # the vendor ignores it on create (facts/qbo.md 6.2)
        if kind.name == "Account" and not (wire.get("AccountType") or wire.get("AccountSubType")):
            raise required("AccountType")
        if kind.name == "BillPayment" and not (wire.get("CheckPayment") or wire.get("CreditCardPayment")):
            raise required("CheckPayment" if wire.get("PayType") == "Check" else "CreditCardPayment")
        check_fields(kind, wire, names=kind.required)
        check_references(self._book, wire)
        changes = check_settlement(self._book, kind.name, before=None, after=wire)
        wire["Id"] = self._book.new_id(kind)
        complete(kind, wire, book=self._book, today=self._today, settled=NOTHING)
        self._check_unique(kind, wire)
        wire |= {"domain": "QBO", "sparse": False, "SyncToken": "0"}
        if kind.name in {"Bill", "Invoice"}:  # the only kinds seen to tell who wrote them
            wire["MetaData"] = {"LastModifiedByRef": {"value": self._book.realm_id}}
        stamp(wire, at=self._at, is_new=True)
        effects = self._store(kind, before=None, after=wire, changes=changes)
        answer = dict(wire)
        if kind.name == "Account":  # the answer to a created account has no LastUpdatedTime (facts/qbo.md 3.5)
            answer["MetaData"] = {"CreateTime": wire["MetaData"]["CreateTime"]}
        return self._written(kind, answer, "Create", effects)

    def update(self, kind: Kind, body: WireObject) -> Written:
        """Change a record, sparsely or wholly; a change of nothing moves neither token nor time.

        Raises:
            ServiceFaultError: as `create`, and 610 or 5010.
        """
        row = self._current(kind, body)
        before = row.parse()
        sparse = body.get("sparse") is True
        names = kind.required_in_sparse if sparse else kind.required
        check_fields(kind, body, names=names)
        after = self._merged(before, body, sparse=sparse)
        check_fields(kind, after, names=())
        if any(key in body for key in ("VendorRef", "CustomerRef", "Line", "SalesTermRef", "APAccountRef")):
            check_references(self._book, after)
        changes = check_settlement(self._book, kind.name, before=before, after=after)
        complete(kind, after, book=self._book, today=self._today, settled=_settled_of(kind, before))
        if as_money(after.get("Balance")) < 0 and kind.is_transaction:
            raise business_rule("The total can't be less than what was already applied.")
        if _comparable(after) == _comparable(before):
            return Written(before)
        self._check_unique(kind, after)
        after["SyncToken"] = str(int(before.get("SyncToken", "0")) + 1)
        after["sparse"] = False
        stamp(after, at=self._at)
        effects = self._store(kind, before=before, after=after, changes=changes)
        return self._written(kind, after, "Update", effects)

    def delete(self, kind: Kind, body: WireObject) -> Written:
        """Take a document out of the books for good; lists of names are retired instead.

        Raises:
            ServiceFaultError: 610, 5010, 500 for a kind that is never deleted, 6000 while others link to it.
        """
        if not kind.deletable:
            raise unsupported_operation(f"delete on {kind.name}")
        row = self._current(kind, body)
        before = row.parse()
        if self._settling(kind, before):
            raise business_rule("You must unlink the linked transactions before deleting this one.")
        changes = check_settlement(self._book, kind.name, before=before, after=None)
        effects = Effects(self._book, at=self._at)
        effects.replace(kind.name, before=before, after=None)
        effects.settle((kind.name, row.id), changes, linked=())
        self._book.shelf(kind.name).remove(row.id, self._at)
        stub = {"domain": "QBO", "status": "Deleted", "Id": row.id}
        return self._written(kind, stub, "Delete", effects)

    def void(self, kind: Kind, body: WireObject) -> Written:
        """Set a document's amounts to nothing and keep it, as the vendor does; no flag says so.

        Raises:
            ServiceFaultError: 610, 5010, 500 for a kind that cannot be voided, 6000 while others settle it.
        """
        if not kind.voidable:
            raise unsupported_operation(f"void on {kind.name}")
        row = self._current(kind, body)
        before = row.parse()
        if self._settling(kind, before):
            raise business_rule("You must unlink the linked transactions before voiding this one.")
        after = copy.deepcopy(before)
        for name in ("TotalAmt", "Balance", "UnappliedAmt", "RemainingCredit"):
            if name in after:
                after[name] = NOTHING
        if kind.name in {"Payment", "BillPayment"}:
            after["Line"] = []
        for line in lines_of(after):
            line["Amount"] = NOTHING
        note = before.get("PrivateNote")
        after["PrivateNote"] = f"Voided - {note}" if note else "Voided"
        changes = check_settlement(self._book, kind.name, before=before, after=after)
        after["SyncToken"] = str(int(before.get("SyncToken", "0")) + 1)
        stamp(after, at=self._at)
        effects = self._store(kind, before=before, after=after, changes=changes)
        return self._written(kind, after, "Void", effects)

    def _current(self, kind: Kind, body: WireObject) -> Row:
        identifier = body.get("Id")
        if identifier in (None, ""):
            raise required("Id")
        row = self._book.find(kind.name, str(identifier))
        if row is None:
            raise not_found()
        token = body.get("SyncToken")
        if token in (None, ""):
            raise required("SyncToken")
        if str(token) != str(row.parse().get("SyncToken", "0")):
            raise stale()
        return row

    def _merged(self, before: WireObject, body: WireObject, *, sparse: bool) -> WireObject:
        sent = {key: copy.deepcopy(value) for key, value in body.items() if key not in _NOT_WRITABLE}
        merged = copy.deepcopy(before)
        if not sparse:
            merged = {key: value for key, value in merged.items() if key in _KEPT_BY_FULL_UPDATE}
        for key, value in sent.items():
            if value is None:
                continue  # null is no way to empty a field (facts/qbo.md 6.2)
            if value in ("", {}, {"value": ""}):
                merged.pop(key, None)
            else:
                merged[key] = value
        if not isinstance(merged.get("Active", True), bool):
            raise unsupported_property("Active")
        return merged

    def _settling(self, kind: Kind, wire: WireObject) -> bool:
        if kind.name not in {"Bill", "VendorCredit", "Invoice", "CreditMemo"}:
            return False
        payments = {"Payment", "BillPayment", "BillPaymentCheck", "BillPaymentCreditCard"}
        return any(link.get("TxnType") in payments for link in wire.get("LinkedTxn") or [])

    def _check_unique(self, kind: Kind, wire: WireObject) -> None:
        if self._rules.unique_doc_numbers and kind.is_transaction and wire.get("DocNumber"):
            self._check_number(kind, wire)
        if kind.name_space is None or kind.name_field is None:
            return
        name = str(wire[kind.name_field]).casefold()
        for shelf in self._book.shelves.values():
            if shelf.kind.name_space != kind.name_space:
                continue
            for row in shelf.rows.values():
                if row.name.casefold() == name and (shelf.kind.name, row.id) != (kind.name, wire["Id"]):
                    raise duplicate_name(
                        "customer, vendor or employee" if kind.name_space == "names" else kind.name.lower()
                    )

    def _check_number(self, kind: Kind, wire: WireObject) -> None:
        for row in self._book.shelf(kind.name).rows.values():
            if row.id != wire["Id"] and row.parse().get("DocNumber") == wire["DocNumber"]:
                raise ServiceFaultError(
                    "6140",
                    "Duplicate Document Number Error",
                    "Duplicate Document Number Error : You must specify a different number. "
                    f"This number has already been used. DocNumber={wire['DocNumber']} "
                    f"is assigned to TxnType={kind.name}",
                )

    def _store(
        self, kind: Kind, *, before: WireObject | None, after: WireObject, changes: dict[DocumentKey, Decimal]
    ) -> Effects:
        effects = Effects(self._book, at=self._at)
        self._book.shelf(kind.name).put(after)
        effects.replace(kind.name, before=before, after=after)
        effects.settle((kind.name, after["Id"]), changes, linked=compute_applied(kind.name, after))
        return effects

    def _written(self, kind: Kind, wire: WireObject, operation: str, effects: Effects) -> Written:
        happenings = [Happening(kind.name, str(wire["Id"]), operation)]
        happenings.extend(Happening(moved_kind, moved_id, "Update") for moved_kind, moved_id in effects.moved)
        return Written(wire, happenings)


def _settled_of(kind: Kind, wire: WireObject) -> Decimal:
    name = _SETTLED_FIELDS.get(kind.name)
    if name is None or name not in wire:
        return NOTHING
    return as_money(wire.get("TotalAmt")) - as_money(wire[name])


def _comparable(wire: WireObject) -> WireObject:
    return {key: value for key, value in wire.items() if key not in {"SyncToken", "MetaData", "sparse", "domain"}}
