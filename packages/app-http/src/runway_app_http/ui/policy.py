"""`/companies/{id}/policy`: the rules under which its money goes out, what each says now, and its vendors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import APIRouter
from runway_core.calculators.policy.survey import RuleSurvey
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import Money
from runway_core.domain.policy import CallBack, Policy, RuleName, Ruling, VendorTier, find_own
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.policies import PolicySurvey
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.history import HistoryEntry
from runway_app_http.following import follow_change
from runway_app_http.plain import Plain, to_plain
from runway_app_http.ui.company import company_address, company_page, file_stem, read_heading
from runway_app_http.ui.console import RULING_SIGNS, RULING_TONES, RULING_WORDS, lay_out_moves
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.form_values import REFUSALS, read_actor, read_version
from runway_app_http.ui.forms import Said, go_and_say, read_boxes, read_form
from runway_app_http.ui.policy_fields import (
    FIELDS,
    RULE_SENTENCES,
    WEEKDAYS,
    PolicyField,
    read_fields,
    read_percent,
    read_whole,
    write_field,
    write_percent,
)

router = APIRouter()

TAB = "/policy"
MOST_FIELDS = 120
MOST_VENDORS = 200
TIER_NAMES = {
    VendorTier.HELD_FOR_OTHERS: "0 held for others",
    VendorTier.CRITICAL: "1 critical",
    VendorTier.PRESSING: "2 pressing",
    VendorTier.STANDARD: "3 standard",
    VendorTier.DISCRETIONARY: "4 can wait",
}
CSV_COLUMNS = ("rule", "is_on", "counts.allow", "counts.warn", "counts.need_approval", "counts.block", "strictest")


class PolicyAct(StrEnum):
    """What the form of the rules does."""

    TRY = "try"
    SAVE = "save"
    REVERT = "revert"


class VendorAct(StrEnum):
    """What the form of a vendor does."""

    SET = "set"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One setting in the form, as it stands and as it would be."""

    field: PolicyField
    text: str
    days: tuple[tuple[int, str, bool], ...]  # weekdays: number, name, whether it is one of them
    whose: str  # "set here", "the firm's", "the default"
    is_own: bool


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in the form, with what it says of the bills that are ready."""

    rule: RuleName
    sentence: str
    place: str  # its number in the order, empty when it is off
    fields: tuple[FieldLine, ...]
    now: RuleSurvey | None
    then: RuleSurvey | None  # with what was typed, where that was tried


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of the policy, the newest first."""

    number: int
    at: Any
    by: str
    changed: tuple[tuple[str, str, str], ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class VendorLine:
    """One vendor with open bills: its tier, and whether a call about its payment details is wanting."""

    vendor_id: str
    name: str
    owed: tuple[Money, ...]
    tier: str
    set_tier: int | None
    method: str
    late_fee: str
    call: CallBack | None
    wants_call: str


@router.get("/companies/{company_id}/policy")
async def show_policy(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """The policy of one company."""
    return await policy_page(request, runway, company_id)


@router.get("/companies/{company_id}/policy.csv")
async def save_policy(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """What each rule says of the ready bills, as a table to be saved."""
    view = await read_heading(runway, company_id)
    survey = await runway.policies.survey(company_id)
    rows: list[Plain] = [to_plain(rule) for rule in survey.rules]
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-rules.csv")


@router.post("/companies/{company_id}/policy")
async def post_policy(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Try settings, keep them as a new version, or go back to an earlier one."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    fields = {name: values[-1] for name, values in boxes.items()}
    try:
        act = read_act(PolicyAct, fields)
        if act is PolicyAct.TRY:
            tried = await runway.policies.survey(company_id, read_fields(boxes, is_firm=False))
            return await policy_page(request, runway, company_id, tried=tried)
        before = await runway.policies.read(company_id)
        if act is PolicyAct.REVERT:
            after = await runway.policies.revert(
                company_id, read_version({"version": fields.get("to", "")}) or 0,
                actor=read_actor(fields), version=read_version(fields),
            )  # fmt: skip
        else:
            after = await runway.policies.change(
                company_id, read_fields(boxes, is_firm=False), follow_firm=boxes.get("follow", ()),
                actor=read_actor(fields), version=read_version(fields),
            )  # fmt: skip
    except REFUSALS as refused:
        return await policy_page(request, runway, company_id, refused=str(refused))
    await follow_change(runway, company_id)
    return go_and_say(request, f"{company_address(company_id)}{TAB}", _say_change(before, after))


@router.post("/companies/{company_id}/policy/vendors")
async def post_vendor(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Set a vendor's tier, method and late fee, or note a call-back about its payment details."""
    fields = await read_form(request)
    vendor_id, actor = fields.get("vendor_id", ""), read_actor(fields)
    before = after = await runway.policies.read(company_id)
    try:
        act = read_act(VendorAct, fields)
        if act is VendorAct.CALL:
            await runway.call_backs.note(
                company_id, vendor_id, spoke_to=fields.get("spoke_to", ""), actor=actor,
                number_called=fields.get("number_called", ""), details_tail=fields.get("details_tail", ""),
            )  # fmt: skip
        else:
            changes = _read_vendor(before, vendor_id, fields)
            after = await runway.policies.change(company_id, changes, actor=actor, version=read_version(fields))
    except REFUSALS as refused:
        return await policy_page(request, runway, company_id, refused=str(refused))
    await follow_change(runway, company_id)
    said = Said("called") if act is VendorAct.CALL else _say_change(before, after)
    return go_and_say(request, f"{company_address(company_id)}{TAB}#vendors", said)


Wanted = TypeVar("Wanted", PolicyAct, VendorAct)


def read_act(kind: type[Wanted], fields: Mapping[str, str]) -> Wanted:
    """What a form is to do.

    Raises:
        InvalidRequest: nothing that it can.
    """
    try:
        return kind(fields.get("action", ""))
    except ValueError as error:
        raise InvalidRequest(f"say what is to be done: {', '.join(kind)}") from error


def _say_change(before: Policy, after: Policy) -> Said:
    return Said("policysame" if before.version == after.version else "policyset")


def _read_vendor(policy: Policy, vendor_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The settings of one vendor among those of the others; an empty field takes the vendor out."""
    if not vendor_id:
        raise InvalidRequest("say which vendor")
    tier, method, fee = (fields.get(name, "").strip() for name in ("tier", "method", "late_fee"))
    wanted: tuple[tuple[str, Mapping[str, Any], Any], ...] = (
        ("vendor_tiers", policy.vendor_tiers, read_whole(tier, "the tier") if tier else None),
        ("payment_methods", policy.payment_methods, method or None),
        ("late_fee_monthly", policy.late_fee_monthly, read_percent(fee) if fee else None),
    )
    return {
        name: {key: kept for key, kept in held.items() if key != vendor_id}
        | ({} if value is None else {vendor_id: value})
        for name, held, value in wanted
    }


def lay_out_rules(
    shown: Policy, firm: Policy, *, is_firm: bool, now: PolicySurvey | None, then: PolicySurvey | None
) -> list[RuleLine]:
    """The rules in their order, those that are off last, each with its settings."""
    by_rule = {line.rule: line for line in now.rules} if now else {}
    tried = {line.rule: line for line in then.rules} if then else {}
    order = tuple(dict.fromkeys(shown.rules))
    ranked = [*order, *(rule for rule in RuleName if rule not in order)]
    return [
        RuleLine(
            rule=rule,
            sentence=RULE_SENTENCES[rule],
            place=str(order.index(rule) + 1) if rule in order else "",
            fields=lay_out_fields(shown, firm, rule=rule, is_firm=is_firm),
            now=by_rule.get(rule),
            then=tried.get(rule),
        )
        for rule in ranked
    ]


def lay_out_fields(shown: Policy, firm: Policy, *, rule: RuleName | None, is_firm: bool) -> tuple[FieldLine, ...]:
    """The settings of one rule, or those of none."""
    fields = [field for field in FIELDS if field.rule is rule and not (is_firm and field.is_of_company)]
    return tuple(_lay_out_field(shown, firm, field) for field in fields)


def _lay_out_field(shown: Policy, firm: Policy, field: PolicyField) -> FieldLine:
    is_own, is_firms = field.name in find_own(shown), field.name in find_own(firm)
    return FieldLine(
        field=field,
        text=write_field(shown, field),
        days=tuple((n, name, n in shown.payment_weekdays) for n, name in enumerate(WEEKDAYS)),
        whose="set here" if is_own else "the firm’s" if is_firms else "the default",
        is_own=is_own,
    )


def lay_out_versions(entries: Sequence[HistoryEntry], holding: int) -> list[VersionLine]:
    """Every version, the newest first, each with what it changed."""
    return [
        VersionLine(
            number=int(entry.revision),
            at=entry.seen_at,
            by=entry.actor,
            changed=tuple(
                (name.replace("_", " "), _say_value(pair[0]), _say_value(pair[1]))
                for name, pair in entry.changed.items()
                if name != "own"
            ),
            holds=entry.revision == str(holding),
        )
        for entry in reversed(entries)
    ]


def _say_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_say_value(part)}" for key, part in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_say_value(part) for part in value) or "none"
    return "none" if value is None else str(value).replace("_", " ")


def _lay_out_vendors(survey: PolicySurvey) -> list[VendorLine]:
    ground, policy = survey.proposed.ground, survey.policy
    wants = {
        payment.bill_id: result.reason
        for payment in survey.proposed.proposal.payments
        for result in payment.results
        if result.rule is RuleName.NEW_VENDOR and result.ruling is not Ruling.ALLOW
    }
    bills: dict[str, list[str]] = {}
    for bill_id, payable in ground.payables.items():
        bills.setdefault(payable.bill.vendor_id or "", []).append(bill_id)
    lines = []
    for vendor_id, bill_ids in bills.items():
        owed: dict[str, Money] = {}
        for bill_id in bill_ids:
            bill = ground.payables[bill_id].bill
            held = owed.get(bill.currency, Money.zero(bill.currency))
            owed[bill.currency] = held + Money(amount=bill.open_balance, currency=bill.currency)
        method, fee = policy.payment_methods.get(vendor_id), policy.late_fee_monthly.get(vendor_id)
        set_tier = policy.vendor_tiers.get(vendor_id)
        lines.append(
            VendorLine(
                vendor_id=vendor_id,
                name=ground.payables[bill_ids[0]].bill.vendor_name or vendor_id or "no vendor",
                owed=tuple(owed[currency] for currency in sorted(owed)),
                tier=", ".join(TIER_NAMES[tier] for tier in sorted({ground.tiers[bill_id] for bill_id in bill_ids})),
                set_tier=None if set_tier is None else set_tier.value,
                method="" if method is None else method.value,
                late_fee="" if fee is None else write_percent(fee),
                call=ground.call_backs.get(vendor_id),
                wants_call=next((wants[bill_id] for bill_id in bill_ids if bill_id in wants), ""),
            )
        )
    return sorted((line for line in lines if line.vendor_id), key=lambda v: (not v.wants_call, v.tier, v.name))


async def policy_page(
    request: Request, runway: Runway, company_id: CompanyId, *, tried: PolicySurvey | None = None, refused: str = ""
) -> Response:
    """Lay the page out: `tried` shows what was typed and what the rules would say under it."""
    view = await read_heading(runway, company_id)
    now = await runway.policies.survey(company_id)
    firm = await runway.policies.read_firm()
    history = [HistoryEntry.of(entry) for entry in await runway.policies.history(company_id)]
    shown = now.policy if tried is None else tried.policy.model_copy(update={"own": find_own(now.policy)})
    figures = [now.proposed.proposal.before, now.proposed.proposal.after]
    figures += [] if tried is None else [tried.proposed.proposal.after]
    is_known = now.proposed.ground.outlook.runway.is_known
    vendors = _lay_out_vendors(now)
    values = {
        "policy": now.policy,
        "firm": firm,
        "rules": lay_out_rules(shown, firm, is_firm=False, now=now, then=tried),
        "others": lay_out_fields(shown, firm, rule=None, is_firm=False),
        "tried": tried,
        "is_order_own": "rules" in find_own(now.policy),
        "moves": lay_out_moves(figures, today=view.as_of, is_known=is_known),
        "ready": len(now.proposed.proposal.payments),
        "versions": lay_out_versions(history, now.policy.version),
        "vendors": vendors[:MOST_VENDORS],
        "vendor_count": len(vendors),
        "tiers": [(tier.value, name) for tier, name in TIER_NAMES.items()],
        "methods": [method.value for method in PaymentMethod],
        "signs": RULING_SIGNS,
        "words": RULING_WORDS,
        "tones": RULING_TONES,
        "refused": refused,
    }
    return company_page(request, "policy.html", view, tab=TAB, status=422 if refused else 200, values=values)
