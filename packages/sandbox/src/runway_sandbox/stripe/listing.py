"""Lists: newest first, paged by id, filtered by what the vendor filters by (facts/stripe.md 2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from runway_sandbox.processor_things import (
    CardInvoice,
    Charge,
    Customer,
    Dispute,
    Entry,
    InvoicePayment,
    Payout,
    Refund,
)
from runway_sandbox.stripe import shapes
from runway_sandbox.stripe.account import StripeAccount
from runway_sandbox.stripe.faults import invalid, missing, not_reconciled
from runway_sandbox.stripe.forms import Form
from runway_sandbox.stripe.shapes import Wire

DEFAULT_LIMIT = 10
MOST = 100
_PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})

Filter = Callable[[Any, int], Any]  # the thing and the moment → what it is compared by


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of thing as the vendor lists it."""

    path: str
    kind: type
    noun: str
    filters: dict[str, Filter]


def _customer_of(one: Any, _at: int) -> Any:
    return one.customer.id if one.customer is not None else None


RESOURCES = {
    one.path: one
    for one in (
        Resource("customers", Customer, "customer", {"email": lambda one, _: one.email}),
        Resource(
            "charges",
            Charge,
            "charge",
            {
                "customer": _customer_of,
                "payment_intent": lambda one, _: one.intent_id,
                "transfer_group": lambda *_: None,
            },
        ),
        Resource(
            "refunds",
            Refund,
            "refund",
            {"charge": lambda one, _: one.charge.id, "payment_intent": lambda one, _: one.charge.intent_id},
        ),
        Resource(
            "disputes",
            Dispute,
            "dispute",
            {"charge": lambda one, _: one.charge.id, "payment_intent": lambda one, _: one.charge.intent_id},
        ),
        Resource(
            "payouts",
            Payout,
            "payout",
            {
                "status": lambda one, at: shapes.payout(one, at)["status"],
                "arrival_date": lambda one, at: shapes.payout(one, at)["arrival_date"],
                "destination": lambda one, at: shapes.payout(one, at)["destination"],
            },
        ),
        Resource(
            "balance_transactions",
            Entry,
            "balance transaction",
            {
                "currency": lambda one, _: one.currency,
                "source": lambda one, _: one.source.id if one.source is not None else None,
                "type": lambda one, _: one.kind,
                "payout": lambda one, _: one.payout.id if one.payout is not None else None,
            },
        ),
        Resource(
            "invoices",
            CardInvoice,
            "invoice",
            {
                "customer": _customer_of,
                "status": lambda one, at: shapes.invoice(one, at)["status"],
                "collection_method": lambda *_: "send_invoice",
                "due_date": lambda one, _: one.due_at,
            },
        ),
        Resource(
            "invoice_payments",
            InvoicePayment,
            "invoice payment",
            {
                "invoice": lambda one, _: one.invoice.id,
                "status": lambda *_: "paid",
                "payment": lambda one, _: {"type": "payment_intent", "payment_intent": one.charge.intent_id},
            },
        ),
    )
}


def list_things(account: StripeAccount, resource: Resource, form: Form, *, now: int) -> Wire:
    """Answer a list of things."""
    _refuse_unknown(form, {*resource.filters, *_PAGING})
    payout = form.get("payout") if resource.path == "balance_transactions" else None
    if payout is not None:
        _demand_listed(account, str(payout), now=now)
    held = account.processor.of_kind(resource.kind)
    shown = held[: bisect_right(held, now, key=lambda one: one.made_at)]
    tests = [(name, read, form[name]) for name, read in resource.filters.items() if name in form]
    fitting = [
        one
        for one in reversed(shown)
        if _is_within(one.made_at, form.get("created"))
        and all(_is_within(read(one, now), wanted) for _, read, wanted in tests)
        and not (resource.kind is Customer and one.is_deleted)
    ]
    page, has_more = cut_page(fitting, form, noun=resource.noun, name=lambda one: one.id)
    return shapes.a_list([shapes.write(one, now) for one in page], url=f"/v1/{resource.path}", has_more=has_more)


def list_events(account: StripeAccount, form: Form, *, now: int, forgets: Callable[[str], bool]) -> Wire:
    """Answer the feed of what happened, thirty days of it."""
    _refuse_unknown(form, {"type", "types", "delivery_success", *_PAGING})
    wanted = form.get("types") or ([form["type"]] if "type" in form else [])
    if len(wanted) > 20:
        raise invalid("You may only specify up to 20 event types.", "types")
    fitting = [
        one
        for one in reversed(account.happenings(now=now))
        if (not wanted or any(_is_named(one.name, name) for name in wanted))
        and _is_within(one.at, form.get("created"))
        and (
            "delivery_success" not in form
            or (account.event_id(one) in account.undelivered) is (form["delivery_success"] == "false")
        )
        and not forgets(account.event_id(one))
    ]
    page, has_more = cut_page(fitting, form, noun="event", name=account.event_id)
    return shapes.a_list([account.event(one) for one in page], url="/v1/events", has_more=has_more)


def cut_page(things: list[Any], form: Form, *, noun: str, name: Callable[[Any], str]) -> tuple[list[Any], bool]:
    """Cut one page out of things that stand newest first."""
    limit = read_limit(form)
    after, before = form.get("starting_after"), form.get("ending_before")
    if after and before:
        raise invalid("You cannot parameterize both starting_after and ending_before.")
    if before:
        end = _place_of(things, before, noun=noun, name=name, param="ending_before")
        return things[max(0, end - limit) : end], end > limit
    start = _place_of(things, after, noun=noun, name=name, param="starting_after") + 1 if after else 0
    return things[start : start + limit], len(things) > start + limit


def _place_of(things: Iterable[Any], identifier: str, *, noun: str, name: Callable[[Any], str], param: str) -> int:
    for place, one in enumerate(things):
        if name(one) == identifier:
            return place
    raise missing(noun, identifier, param=param, as_parameter=True)


def read_limit(form: Form) -> int:
    """Read how many things a page may hold."""
    text = str(form.get("limit", DEFAULT_LIMIT))
    if not text.lstrip("-").isdecimal():
        raise invalid(f"Invalid integer: {text}", "limit", code="parameter_invalid_integer")
    limit = int(text)
    if limit < 1:
        raise invalid("This value must be greater than or equal to 1.", "limit", code="parameter_invalid_integer")
    if limit > MOST:
        raise invalid("This value must be less than or equal to 100.", "limit", code="parameter_invalid_integer")
    return limit


def _refuse_unknown(form: Form, known: set[str]) -> None:
    for name in form:
        if name not in known:
            raise invalid(f"Received unknown parameter: {name}", name, code="parameter_unknown")


def _demand_listed(account: StripeAccount, identifier: str, *, now: int) -> None:
    payout = account.processor.things.get(identifier)
    if not isinstance(payout, Payout) or payout.made_at > now:
        raise missing("payout", identifier, param="payout", as_parameter=True)
    if not payout.is_automatic:
        raise invalid("Balance transaction history can only be filtered on automatic transfers, not manual.", "payout")
    if now < payout.reconciled_at:
        raise not_reconciled()


def _is_named(name: str, wanted: str) -> bool:
    return wanted in {"*", name} or (wanted.endswith(".*") and name.startswith(wanted[:-1]))


def _is_within(value: Any, wanted: Any) -> bool:
    """Whether a value is the one wanted, or lies within the bounds."""
    if wanted is None:
        return True
    if not isinstance(wanted, dict):
        return value is not None and str(value) == str(wanted)
    if isinstance(value, dict):
        return all(value.get(name) == held for name, held in wanted.items())
    if value is None:
        return False
    bounds = {
        "gt": lambda limit: value > limit,
        "gte": lambda limit: value >= limit,
        "lt": lambda limit: value < limit,
        "lte": lambda limit: value <= limit,
    }
    for name, text in wanted.items():
        if name not in bounds or not str(text).isdecimal():
            raise invalid(f"Invalid integer: {text}", f"created[{name}]", code="parameter_invalid_integer")
        if not bounds[name](int(text)):
            return False
    return True
