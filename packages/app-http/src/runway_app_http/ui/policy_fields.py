"""The settings of a policy as fields of a form: how each is written for a person, and how it is read again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from runway_core.domain.policy import Policy, RuleName
from runway_core.errors import InvalidRequest

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

RULE_SENTENCES = {
    RuleName.MINIMUM_CASH: "The lowest cash to come stays above the buffer with this payment.",
    RuleName.PAYROLL_COVER: "Payrolls that are near stay covered.",
    RuleName.TAX_RESERVE: "Payroll and sales tax held for others are not spent.",
    RuleName.EARMARK: "Money set aside for one bill is gone for the others.",
    RuleName.AMOUNT_TIERS: "Who approves, by the size of the bill.",
    RuleName.TWO_PEOPLE: "Who changed a bill or payment details does not approve it alone.",
    RuleName.NEW_VENDOR: "A first payment and changed payment details want a call-back.",
    RuleName.DUPLICATE: "Bills entered twice or paid elsewhere are not paid.",
    RuleName.UNUSUAL_AMOUNT: "Unusual amounts and exceeded budgets are named.",
    RuleName.PAYMENT_DAYS: "Payments are released on these days.",
    RuleName.DATA_AGE: "Old data is named, and very old data stops payments.",
    RuleName.DISCOUNT: "A discount worth the hurdle is taken early.",
    RuleName.LATE_TOLERANCE: "How long each tier of vendors can wait.",
}
"""What each rule looks after, in a sentence."""


class FieldKind(StrEnum):
    """How a setting is typed."""

    COUNT = "count"
    OPTIONAL_COUNT = "optional_count"  # empty: not used
    OPTIONAL_AMOUNT = "optional_amount"  # empty: not used
    PERCENT = "percent"
    WEEKDAYS = "weekdays"
    TIERS = "tiers"  # lines such as "below 1,000: bookkeeper"
    DAYS_BY_TIER = "days_by_tier"  # lines such as "3: 7"
    AMOUNTS_BY_ID = "amounts_by_id"  # lines such as "63: 900"
    IDS = "ids"  # one a line


@dataclass(frozen=True, slots=True)
class PolicyField:
    """One setting in the form."""

    name: str
    label: str
    kind: FieldKind
    rule: RuleName | None  # None: it belongs to no rule
    is_of_company: bool = False  # names records of one company


FIELDS = (
    PolicyField("minimum_cash_days", "Days of outflow, if any", FieldKind.OPTIONAL_COUNT, RuleName.MINIMUM_CASH),
    PolicyField("minimum_cash_window_days", "Days to look ahead", FieldKind.COUNT, RuleName.MINIMUM_CASH),
    PolicyField("payroll_cover_days", "Days ahead", FieldKind.COUNT, RuleName.PAYROLL_COVER),
    PolicyField("amount_tiers", "Who approves, the largest last", FieldKind.TIERS, RuleName.AMOUNT_TIERS),
    PolicyField("changed_details_days", "Days after a change", FieldKind.COUNT, RuleName.NEW_VENDOR),
    PolicyField(
        "account_budgets",
        "A month’s budget by account id",
        FieldKind.AMOUNTS_BY_ID,
        RuleName.UNUSUAL_AMOUNT,
        is_of_company=True,
    ),
    PolicyField("payment_weekdays", "Days of release", FieldKind.WEEKDAYS, RuleName.PAYMENT_DAYS),
    PolicyField("rail_business_days", "Business days to arrive", FieldKind.COUNT, RuleName.PAYMENT_DAYS),
    PolicyField("bank_warn_hours", "Bank: warn after hours", FieldKind.COUNT, RuleName.DATA_AGE),
    PolicyField("bank_block_hours", "Either: block after hours", FieldKind.COUNT, RuleName.DATA_AGE),
    PolicyField("mirror_warn_hours", "Ledger: warn after hours", FieldKind.COUNT, RuleName.DATA_AGE),
    PolicyField("hurdle_rate", "Worth at least, % a year", FieldKind.PERCENT, RuleName.DISCOUNT),
    PolicyField("late_tolerance_days", "Days by tier", FieldKind.DAYS_BY_TIER, RuleName.LATE_TOLERANCE),
    PolicyField("told_bank_line", "Bank lines told each morning, from", FieldKind.OPTIONAL_AMOUNT, None),
    PolicyField(
        "personal_customer_ids", "Customers who get a call, no letter: ids", FieldKind.IDS, None, is_of_company=True
    ),
)
"""Every setting that the form shows; vendors have rows of their own."""

_TIER = re.compile(r"(?:below\s+(?P<below>[0-9.,]+)|above|rest)\s*:\s*(?P<roles>.+)", re.IGNORECASE)
_ORDER = "order."


def write_percent(rate: Decimal) -> str:
    """A rate in percent, without needless noughts: 0.18 is "18"."""
    return format((rate * 100).normalize(), "f")


def read_percent(text: str) -> str:
    """A rate typed in percent, as JSON has it: "18" is 0.18.

    Raises:
        InvalidRequest: it is no number.
    """
    return format(_number(text, "a rate") / 100, "f")


def write_field(policy: Policy, field: PolicyField) -> str:
    """A setting as it stands in the form."""
    value = getattr(policy, field.name)
    match field.kind:
        case FieldKind.COUNT | FieldKind.OPTIONAL_COUNT:
            return "" if value is None else str(value)
        case FieldKind.OPTIONAL_AMOUNT:
            return "" if value is None else _plain(value)
        case FieldKind.PERCENT:
            return write_percent(value)
        case FieldKind.WEEKDAYS:
            return ", ".join(WEEKDAYS[day] for day in sorted(value))
        case FieldKind.TIERS:
            return "\n".join(
                f"{'above' if tier.below is None else f'below {_plain(tier.below)}'}: "
                f"{', '.join(role.value for role in tier.roles)}"
                for tier in value
            )
        case FieldKind.DAYS_BY_TIER:
            return "\n".join(f"{tier.value}: {days}" for tier, days in sorted(value.items()))
        case FieldKind.AMOUNTS_BY_ID:
            return "\n".join(f"{key}: {_plain(amount)}" for key, amount in sorted(value.items()))
        case FieldKind.IDS:
            return "\n".join(value)


def _plain(amount: Decimal) -> str:
    whole = amount.to_integral_value()
    return f"{whole:,f}" if whole == amount else f"{amount.normalize():,f}"


def read_fields(boxes: Mapping[str, Sequence[str]], *, is_firm: bool) -> dict[str, Any]:
    """Every setting of a posted form, as JSON would have it, with the rules in their order.

    Raises:
        InvalidRequest: what was typed cannot be read; the message names the field.
    """
    settings: dict[str, Any] = {"rules": _read_order(boxes)}
    for field in FIELDS:
        if not (is_firm and field.is_of_company):
            settings[field.name] = _read_field(field, boxes.get(field.name, ()))
    return settings


def _read_order(boxes: Mapping[str, Sequence[str]]) -> list[str]:
    """Rules by the number beside them; those without one are off."""
    places: list[tuple[int, int, str]] = []
    for at, rule in enumerate(RuleName):
        text = boxes.get(f"{_ORDER}{rule.value}", ("",))[-1].strip()
        if text:
            places.append((read_whole(text, f"the place of {rule.value}"), at, rule.value))
    return [name for _, _, name in sorted(places)]


def _read_field(field: PolicyField, values: Sequence[str]) -> Any:
    text = values[-1].strip() if values else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    match field.kind:
        case FieldKind.COUNT:
            return read_whole(text, field.label)
        case FieldKind.OPTIONAL_COUNT:
            return read_whole(text, field.label) if text else None
        case FieldKind.OPTIONAL_AMOUNT:
            return format(_number(text, field.label), "f") if text else None
        case FieldKind.PERCENT:
            return read_percent(text)
        case FieldKind.WEEKDAYS:
            return sorted({read_whole(value, field.label) for value in values})
        case FieldKind.TIERS:
            return [_read_tier(line) for line in lines]
        case FieldKind.DAYS_BY_TIER:
            return {key: read_whole(value, field.label) for key, value in map(_split, lines)}
        case FieldKind.AMOUNTS_BY_ID:
            return {key: format(_number(value, field.label), "f") for key, value in map(_split, lines)}
        case FieldKind.IDS:
            return lines


def _read_tier(line: str) -> dict[str, Any]:
    found = _TIER.fullmatch(line)
    if found is None:
        raise InvalidRequest(f"{line[:60]!r} says nobody: write it like 'below 1,000: bookkeeper' or 'above: owner'")
    below = found["below"]
    roles = [role.strip().lower() for role in found["roles"].split(",") if role.strip()]
    return {"below": None if below is None else format(_number(below, "an amount"), "f"), "roles": roles}


def _split(line: str) -> tuple[str, str]:
    key, sign, value = line.rpartition(":")
    if not sign or not key.strip():
        raise InvalidRequest(f"{line[:60]!r} is no pair: write it like '3: 7'")
    return key.strip(), value.strip()


def read_whole(text: str, label: str) -> int:
    """A whole number, nil or more.

    Raises:
        InvalidRequest: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise InvalidRequest(f"{label}: {text[:40]!r} is no whole number")
    return int(text)


def _number(text: str, label: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", "").strip())
    except InvalidOperation as error:
        raise InvalidRequest(f"{label}: {text[:40]!r} is no number") from error
    if not found.is_finite():
        raise InvalidRequest(f"{label}: {text[:40]!r} is no number")
    return found
