"""From a fix in the domain's words to the body of a write in QuickBooks': pure.

Updates are sparse: absent fields stay. Yet a sparse bill must carry its vendor (else 400, code 2020), and `Line` is
replaced as a whole whenever it is sent, so lines go back as they came, with their ids and every member we do not know.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from runway_core.domain.identity import RecordKind
from runway_core.errors import NotSupported, RailRefused
from runway_core.ports.ledger_rail import RecordFix
from runway_rail_kit import UNREADABLE

from runway_rail_qbo.faults import RAIL, TITLE

NUMBER_LENGTH = 21
MEMO_LENGTH = 4000
_SHARED = frozenset({"due_date", "term_id", "number", "memo"})
WRITABLE: Mapping[RecordKind, frozenset[str]] = {
    RecordKind.BILL: _SHARED | {"vendor_id", "line_account"},
    RecordKind.INVOICE: _SHARED | {"customer_id"},
}
"""Which fields of which kinds can be written. The account of an invoice's line follows from its item."""

_REFERENCES = {"vendor_id": "VendorRef", "customer_id": "CustomerRef", "term_id": "SalesTermRef"}
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,50}")
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def make_request_id(idempotency_key: str) -> str:
    """The `requestid` of a write: the key itself where QuickBooks takes it, else 50 signs of its hash."""
    if _SAFE_REQUEST_ID.fullmatch(idempotency_key):
        return idempotency_key
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:50]


def check_fix(fix: RecordFix) -> None:
    """Refuse what cannot be written, before anything is sent.

    Raises:
        NotSupported: this kind of record cannot be written.
        RailRefused: a field cannot be written, or not to this value.
    """
    writable = WRITABLE.get(fix.key.kind)
    if writable is None:
        kinds = ", ".join(sorted(WRITABLE))
        raise NotSupported(f"{TITLE}: a {fix.key.kind} cannot be mended from here, only {kinds}")
    unknown = sorted(set(fix.fields) - writable)
    if unknown or not fix.fields:
        named = ", ".join(unknown) if unknown else "nothing"
        raise _refuse(f"{named} cannot be written on a {fix.key.kind}; what can: {', '.join(sorted(writable))}")


def build_update(raw: bytes, fix: RecordFix) -> bytes:
    """Build the body of the update that turns the record `raw` into what `fix` wants.

    Raises:
        NotSupported: this kind of record cannot be written.
        RailRefused: a field cannot be written, or not to this value.
    """
    check_fix(fix)
    record = _decoder.decode(raw)
    body: dict[str, Any] = {"Id": fix.key.external_id, "SyncToken": fix.expected_revision, "sparse": True}
    if fix.key.kind is RecordKind.BILL:
        body["VendorRef"] = record.get("VendorRef")
    for name, value in fix.fields.items():
        if name in _REFERENCES:
            body[_REFERENCES[name]] = _reference(name, value)
        elif name == "due_date":
            body["DueDate"] = _day(value)
        elif name == "number":
            body["DocNumber"] = _text(name, value, longest=NUMBER_LENGTH)
        elif name == "memo":
            body["PrivateNote"] = _text(name, value, longest=MEMO_LENGTH)
        elif name == "line_account":
            body["Line"] = _lines(record.get("Line") or [], _mapping(value))
    return _encoder.encode(body)


def _refuse(message: str) -> RailRefused:
    return RailRefused(f"{TITLE}: {message}", rail=RAIL)


def _reference(name: str, value: object) -> dict[str, str]:
    if value is None and name == "term_id":
        return {"value": ""}  # empties the field; null would be ignored
    if not isinstance(value, str) or not value:
        raise _refuse(f"{name} must name a record, not {value!r}")
    return {"value": value}


def _day(value: object) -> str:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise _refuse(f"due_date must be a day such as 2026-05-31, not {value!r}") from error
    if type(value) is not date:
        raise _refuse(f"due_date must be a day such as 2026-05-31, not {value!r}")
    return value.isoformat()


def _text(name: str, value: object, *, longest: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _refuse(f"{name} must be text, not {value!r}")
    if len(value) > longest:
        raise _refuse(f"{name} has {len(value)} signs; at most {longest} fit")
    return value


def _mapping(accounts: object) -> object:
    """Line id → account id; findings carry the mapping as JSON text."""
    if not isinstance(accounts, str):
        return accounts
    try:
        return _decoder.decode(accounts)
    except UNREADABLE as error:
        raise _refuse(f"line_account must say which line goes to which account, not {accounts!r}") from error


def _lines(lines: list[dict[str, Any]], accounts: object) -> list[dict[str, Any]]:
    if not isinstance(accounts, Mapping) or not accounts:
        raise _refuse("line_account must say which line goes to which account")
    held = {line.get("Id") for line in lines}
    missing = sorted(str(line_id) for line_id in accounts if line_id not in held)
    if missing:
        raise _refuse(f"the bill has no line {', '.join(missing)}: read it again and plan again")
    changed = []
    for line in lines:
        account_id = accounts.get(line.get("Id"))
        if account_id is None:
            changed.append(line)
            continue
        detail = line.get("AccountBasedExpenseLineDetail")
        if detail is None:
            raise _refuse(f"line {line.get('Id')} has no account of its own: it follows from its item")
        if not isinstance(account_id, str) or not account_id:
            raise _refuse(f"line_account must name an account, not {account_id!r}")
        changed.append({**line, "AccountBasedExpenseLineDetail": {**detail, "AccountRef": {"value": account_id}}})
    return changed
