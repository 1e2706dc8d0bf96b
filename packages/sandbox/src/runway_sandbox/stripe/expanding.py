"""`expand[]`: ids opened to what they name, up to four levels deep (facts/stripe.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runway_sandbox.processor_things import CardInvoice, Charge
from runway_sandbox.stripe import shapes
from runway_sandbox.stripe.account import StripeAccount
from runway_sandbox.stripe.faults import invalid
from runway_sandbox.stripe.shapes import Wire

DEEPEST = 4
_EXPANDABLE = {
    "charge": {"balance_transaction", "customer"},
    "refund": {"balance_transaction", "charge"},
    "payout": {"balance_transaction", "failure_balance_transaction"},
    "balance_transaction": {"source"},
    "dispute": {"charge"},
    "invoice": {"customer"},
    "invoice_payment": {"invoice"},
}


def expand(wire: Wire, paths: Any, *, account: StripeAccount, at: int) -> Wire:
    """Open what the request asked for, in place; the answer is what came in."""
    for path in paths if isinstance(paths, list) else []:
        steps = str(path).split(".")
        if len(steps) > DEEPEST:
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property ({path}).", "expand")
        _open(wire, steps, str(path), lambda one: _find(account, one, at), account=account, at=at)
    return wire


def _open(
    wire: Wire, steps: list[str], path: str, find: Callable[[str], Any], *, account: StripeAccount, at: int
) -> None:
    head, *rest = steps
    if wire.get("object") == "list" and head == "data":
        for one in wire["data"]:
            if rest:
                _open(one, rest, path, find, account=account, at=at)
        return
    kind = str(wire.get("object"))
    if (kind, head) in {("charge", "refunds"), ("invoice", "payments")}:
        wire[head] = _sub_list(account, str(wire["id"]), head, at=at)
    elif head not in _EXPANDABLE.get(kind, set()):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    held = wire.get(head)
    if isinstance(held, str):
        held = wire[head] = find(held)
    if rest and isinstance(held, dict):
        _open(held, rest, path, find, account=account, at=at)


def _find(account: StripeAccount, identifier: str, at: int) -> Any:
    thing = account.processor.things.get(identifier)
    return identifier if thing is None else shapes.write(thing, at)


def _sub_list(account: StripeAccount, identifier: str, name: str, *, at: int) -> Wire:
    thing = account.processor.things[identifier]
    held: list[Any] = []
    if isinstance(thing, Charge):
        held = thing.refunds
    elif isinstance(thing, CardInvoice):
        held = thing.payments
    data = [shapes.write(one, at) for one in reversed(held) if one.made_at <= at]
    folder = "charges" if isinstance(thing, Charge) else "invoices"
    return shapes.a_list(data[:10], url=f"/v1/{folder}/{identifier}/{name}", has_more=len(data) > 10)
