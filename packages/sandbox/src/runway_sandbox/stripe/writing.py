"""What may be written: customers, charges, refunds and payouts, as far as tests of clients need (facts/stripe.md 6)."""

from __future__ import annotations

from typing import Any

from runway_sandbox.processor_things import Charge, Customer
from runway_sandbox.stripe import shapes
from runway_sandbox.stripe.account import StripeAccount
from runway_sandbox.stripe.faults import declined, invalid, missing, unknown_path
from runway_sandbox.stripe.forms import Form
from runway_sandbox.stripe.shapes import Wire


def write(account: StripeAccount, method: str, parts: list[str], form: Form, *, now: int) -> Wire:
    """Answer one POST or DELETE."""
    if parts[0] == "customers" and len(parts) < 3:
        return _write_customer(account, method, parts, form, now=now)
    makers = {"charges": _make_charge, "refunds": _make_refund, "payouts": _make_payout}
    if method == "POST" and len(parts) == 1 and parts[0] in makers:
        return makers[parts[0]](account, form, now=now)
    raise unknown_path(method, "/v1/" + "/".join(parts))


def _write_customer(account: StripeAccount, method: str, parts: list[str], form: Form, *, now: int) -> Wire:
    processor = account.processor
    values: dict[str, Any] = {name: form[name] for name in ("name", "email") if name in form}
    if isinstance(form.get("metadata"), dict):
        values["metadata"] = form["metadata"]
    if len(parts) == 1 and method == "POST":
        customer = processor.new_customer(
            now=now, name=values.get("name"), email=values.get("email"), metadata=values.get("metadata")
        )
        return shapes.write(customer, now)
    found = processor.things.get(parts[1]) if len(parts) == 2 else None
    if not isinstance(found, Customer) or found.is_deleted:
        raise missing("customer", parts[-1])
    if method == "DELETE":
        processor.delete_customer(found, now=now)
    else:
        processor.change_customer(found, now=now, values=values)
    return shapes.write(found, now)


def _make_charge(account: StripeAccount, form: Form, *, now: int) -> Wire:
    amount, currency = _amount(form), _currency(form)
    customer = account.processor.things.get(str(form.get("customer"))) if "customer" in form else None
    if "customer" in form and not isinstance(customer, Customer):
        raise missing("customer", str(form["customer"]), param="customer", as_parameter=True)
    if "customer" not in form and "source" not in form:
        raise invalid("Must provide source or customer.")
    failure = "card_declined" if form.get("source") == "tok_chargeDeclined" else None
    charge = account.processor.charge(
        amount,
        currency,
        now=now,
        customer=customer if isinstance(customer, Customer) else None,
        description=form.get("description"),
        metadata=form.get("metadata") or {},
        failure=failure,
    )
    if failure is not None:
        raise declined(charge.id)
    return shapes.write(charge, now)


def _make_refund(account: StripeAccount, form: Form, *, now: int) -> Wire:
    charge = account.processor.things.get(str(form.get("charge")))
    if not isinstance(charge, Charge):
        raise missing("charge", str(form.get("charge")), param="charge", as_parameter=True)
    left = charge.amount - sum(one.amount for one in charge.refunds)
    amount = _amount(form) if "amount" in form else left
    if amount > left or not left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount",
            code="charge_already_refunded" if not left else None,
        )
    return shapes.write(account.processor.refund(charge, amount, now=now, reason=form.get("reason")), now)


def _make_payout(account: StripeAccount, form: Form, *, now: int) -> Wire:
    amount, currency = _amount(form), _currency(form)
    held: Any = next((one for one in balance(account, now=now)["available"] if one["currency"] == currency), None)
    if held is None or held["amount"] < amount:
        raise invalid(
            "You have insufficient funds in your Stripe account for this transfer.", code="balance_insufficient"
        )
    payout = account.processor.pay_out(now=now, currency=currency, amount=amount)
    assert payout is not None
    if account.clerk is not None:
        account.clerk.pay_by_hand()
    return shapes.write(payout, now)


def balance(account: StripeAccount, *, now: int) -> Wire:
    """Return what the account holds."""
    return shapes.balance(account.processor, at=now, currency=account.currency)


def _amount(form: Form) -> int:
    text = str(form.get("amount", ""))
    if not text:
        raise invalid("Missing required param: amount.", "amount", code="parameter_missing")
    if not text.isdecimal() or int(text) < 1:
        raise invalid(f"Invalid positive integer: {text}", "amount", code="parameter_invalid_integer")
    return int(text)


def _currency(form: Form) -> str:
    currency = str(form.get("currency", "")).lower()
    if not currency:
        raise invalid("Missing required param: currency.", "currency", code="parameter_missing")
    if len(currency) != 3 or not currency.isalpha():
        raise invalid(f"Invalid currency: {currency}.", "currency")
    return currency
