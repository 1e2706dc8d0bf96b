"""Changes from outside the rails, as a person working in QuickBooks would make them: `POST {control}/mutate`."""

from __future__ import annotations

from typing import Any

from runway_sandbox.books import Book, WireObject, decode_wire, encode_wire
from runway_sandbox.faults import ServiceFaultError, not_found
from runway_sandbox.kinds import Kind, find_kind
from runway_sandbox.plaid.desk import PlaidDesk
from runway_sandbox.postings import as_money
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.ramp.people import RAMP_OPERATIONS, apply_at_ramp
from runway_sandbox.service import LedgerService
from runway_sandbox.settings import KNOWN_RAILS
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.stripe.mutating import STRIPE_OPERATIONS, apply_at_stripe
from runway_sandbox.world import Desk, World

PLAID_OPERATIONS = ("lose_login", "repair_login", "fetch", "rotate_key")
OPERATIONS = ("create", "update", "delete", "void", "pay", "set", "disconnect")


class MutationError(Exception):
    """A change that the control endpoint cannot read; its text says why."""


def apply_mutations(
    world: World, service: LedgerService, changes: Any, *, plaid: PlaidDesk, ramp: RampDesk, stripe: StripeDesk
) -> list[dict[str, Any]]:
    """Make the changes in their order and tell what came of each: `{"ok": true, "id": …, "record": …}` or a fault.

    `{"rail": "qbo", "company": realm or name, "op": …, "kind": "Bill", "id": "145", "fields": {…}}`. `update` is
    sparse. `pay` settles a bill or an invoice: `fields` may hold `amount` (default: all that is open), `account`
    (id of the bank account) and `TxnDate`. `set` writes `fields` into the stored record as they are, past every
    rule, so that damaged records can be played; a field of null is dropped. `disconnect` ends the company's tokens.

    `{"rail": "plaid", "company": …, "op": …}`: `lose_login` and `repair_login` of the company's first item, `fetch`
    lets the vendor read the bank at once, `rotate_key` signs with a new key from now on.

    `{"rail": "ramp", "company": …, "op": …, "id": bill, "fields": {…}}`: see `ramp/people.py`.

    `{"rail": "stripe", "company": …, "op": …, "fields": {…}}`: see `stripe/mutating.py`.

    Raises:
        MutationError: a change is not of this form, or names no known company, kind or operation.
    """
    if isinstance(changes, dict):
        changes = changes.get("changes")
    if not isinstance(changes, list):
        raise MutationError("send a list of changes, or {'changes': [...]}")
    prepared = [_prepare(world, change) for change in changes]  # refuse all before doing any
    return [
        apply_at_ramp(ramp, desk, change, now=world.clock.now())
        if change.get("rail") == "ramp"
        else apply_at_stripe(stripe, desk, change, now=int(world.clock.epoch()))
        if change.get("rail") == "stripe"
        else _apply(world, service, plaid, change=change, desk=desk)
        for change, desk in zip(changes, prepared, strict=True)
    ]


def _prepare(world: World, change: Any) -> Desk:
    if not isinstance(change, dict):
        raise MutationError(f"a change must be an object, not {type(change).__name__}")
    if change.get("rail", "qbo") not in KNOWN_RAILS:
        raise MutationError(f"rail {change['rail']!r} is not served; there are: {', '.join(KNOWN_RAILS)}")
    desk = world.find_desk(str(change.get("company", "")))
    if desk is None:
        raise MutationError(f"no company {change.get('company')!r}; give a realm id or a name of the ready line")
    operation = change.get("op")
    of_rail = {"plaid": PLAID_OPERATIONS, "ramp": RAMP_OPERATIONS, "stripe": STRIPE_OPERATIONS}
    known = of_rail.get(str(change.get("rail")), OPERATIONS)
    if operation not in known:
        raise MutationError(f"no op {operation!r}; there are: {', '.join(known)}")
    if known is not OPERATIONS:
        return desk
    if operation != "disconnect" and find_kind(str(change.get("kind", ""))) is None:
        raise MutationError(f"no kind {change.get('kind')!r}")
    if not isinstance(change.get("fields", {}), dict):
        raise MutationError("fields must be an object")
    return desk


def _apply(
    world: World, service: LedgerService, plaid: PlaidDesk, *, change: dict[str, Any], desk: Desk
) -> dict[str, Any]:
    if change.get("rail") == "plaid":
        world.book(desk)
        plaid.change(desk, str(change["op"]))
        return {"rail": "plaid", "company": desk.realm_id, "op": change["op"], "ok": True}
    told = {"rail": "qbo", "company": desk.realm_id, "op": change["op"]}
    if change["op"] == "disconnect":
        return {**told, "ok": True, "ended": world.tokens.disconnect(desk.realm_id)}
    kind = find_kind(str(change["kind"]))
    assert kind is not None
    # Fields came through a JSON decoder that keeps amounts exact.
    fields: WireObject = decode_wire(encode_wire(change.get("fields") or {}))
    try:
        done_kind, wire = _do(service, world.book(desk), kind, change=change, fields=fields)
    except ServiceFaultError as fault:
        return {**told, "ok": False, "kind": kind.name, "id": change.get("id"), "fault": fault.as_wire()}
    return {**told, "ok": True, "kind": done_kind, "id": wire["Id"], "record": wire}


def _do(
    service: LedgerService, book: Book, kind: Kind, *, change: dict[str, Any], fields: WireObject
) -> tuple[str, WireObject]:
    operation = change["op"]
    if operation == "create":
        return kind.name, service.write(book, kind, fields, operation="create").wire
    row = book.find(kind.name, str(change.get("id", "")))
    if row is None:
        raise not_found()
    held = row.parse()
    if operation == "set":
        changed = {key: value for key, value in {**held, **fields}.items() if value is not None}
        book.shelf(kind.name).put({**changed, "Id": row.id})
        return kind.name, changed
    if operation == "pay":
        paid_kind, payment = _payment_for(book, kind, held, fields=fields)
        return paid_kind.name, service.write(book, paid_kind, payment, operation="create").wire
    body = {"Id": row.id, "SyncToken": held.get("SyncToken", "0")}
    if operation == "update":
        kept = {name: held[name] for name in kind.required_in_sparse if name in held}
        body = {**kept, **fields, **body, "sparse": True}
    return kind.name, service.write(book, kind, body, operation=operation).wire


def _payment_for(book: Book, kind: Kind, held: WireObject, *, fields: WireObject) -> tuple[Kind, WireObject]:
    amount = as_money(fields.pop("amount", held.get("Balance")))
    account = str(fields.pop("account", "") or _first_bank(book))
    line = {"Amount": amount, "LinkedTxn": [{"TxnId": held["Id"], "TxnType": kind.name}]}
    name = {"Bill": "BillPayment", "Invoice": "Payment"}.get(kind.name, "")
    paid = find_kind(name)
    if paid is None:
        raise not_found()
    payment: WireObject = {"TotalAmt": amount, "Line": [line], **fields}
    if name == "BillPayment":
        payment["VendorRef"] = held["VendorRef"]
        payment["PayType"] = "Check"
        payment["CheckPayment"] = {"BankAccountRef": {"value": account}, "PrintStatus": "NotSet"}
        if held.get("APAccountRef"):
            payment["APAccountRef"] = held["APAccountRef"]
    else:
        payment["CustomerRef"] = held["CustomerRef"]
        payment["DepositToAccountRef"] = {"value": account}
    return paid, payment


def _first_bank(book: Book) -> str:
    for row in book.shelf("Account").rows.values():
        if row.active and row.parse().get("AccountType") == "Bank":
            return row.id
    return ""
