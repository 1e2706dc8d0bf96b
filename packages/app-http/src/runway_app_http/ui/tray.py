"""`/companies/{id}/tray`: can I trust the numbers? Findings by check, and a form for each decision."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import ValidationError
from runway_core.domain.findings import FindingState, Severity
from runway_core.domain.fixes import Fix, FixState
from runway_core.domain.identity import CompanyId
from runway_core.errors import InvalidRequest, StaleRevision
from runway_core.experiences.tray import TrayView
from runway_core.runway import Runway
from runway_core.services.fixes import MOST_AT_ONCE, FixChoice
from runway_core.services.questions import MOST_QUESTIONS
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, TrayParams, require_id
from runway_app_http.api.findings import FindingDecision, decide_finding
from runway_app_http.api.versions import tag_of_finding
from runway_app_http.plain import to_plain
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address, company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.evidence import lay_out_evidence
from runway_app_http.ui.fix_plans import TrayFixes, gather_fixes
from runway_app_http.ui.forms import Said, go_and_say, read_boxes, read_form

router = APIRouter()

TrayFilters = Annotated[TrayParams, Query()]

SEVERITY_SIGNS = {
    Severity.CRITICAL: "\N{BLACK DOWN-POINTING TRIANGLE}",
    Severity.HIGH: "\N{BLACK DIAMOND}",
    Severity.MEDIUM: "\N{WHITE DIAMOND}",
    Severity.LOW: "\N{MIDDLE DOT}",
}
Reports = Sequence[tuple[Fix, str]]
"""Each fix of a batch as it was planned, and what became of it."""

_WAITING = "open,asked"

CSV_COLUMNS = (
    "finding_id", "finding.check", "finding.name", "finding.severity", "state", "finding.summary",
    "finding.amount.amount", "finding.amount.currency", "finding.impact_days", "finding.subjects", "first_seen_at",
    "last_seen_at", "reason", "snoozed_until", "decided_by", "decided_at",
)  # fmt: skip


@router.get("/companies/{company_id}/tray")
async def show_tray(request: Request, company_id: CompanyInPath, runway: RunwayOfApp, filters: TrayFilters) -> Response:
    """The tray of one company."""
    return await _show(request, company_id, runway, filters)


async def _show(
    request: Request,
    company_id: CompanyId,
    runway: Runway,
    filters: TrayParams,
    *,
    refused: str = "",
    reports: Reports = (),
) -> Response:
    view = await runway.tray(company_id, filters.to_query())
    fixes = await gather_fixes(runway, view)
    return tray_page(request, view, filters, fixes=fixes, refused=refused, reports=reports)


@router.get("/companies/{company_id}/tray.csv")
async def save_tray(company_id: CompanyInPath, runway: RunwayOfApp, filters: TrayFilters) -> Response:
    """The filtered findings."""
    view = await runway.tray(company_id, filters.to_query())
    rows = (to_plain(row.tracked) for group in view.groups for row in group.rows)
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-findings.csv")


@router.post("/companies/{company_id}/findings/{finding_id}")
async def post_decision(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, finding_id: str, filters: TrayFilters
) -> Response:
    """Decide about one finding, then show the tray again with the same filters."""
    fields = await read_form(request)
    try:
        decision = _read_decision(fields)
        tag = fields.get("tag")
        await decide_finding(runway, company_id, finding_id=finding_id, decision=decision, actor="web", tag=tag)
    except (InvalidRequest, StaleRevision) as refused:
        return await _show(request, company_id, runway, filters, refused=str(refused))
    return go_and_say(
        request, _address(company_id, filters), Said(decision.action.value, finding_id if finding_id.isalnum() else "")
    )


@router.post("/companies/{company_id}/findings/{finding_id}/fix")
async def post_fix(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, finding_id: str, filters: TrayFilters
) -> Response:
    """Write one suggested fix, as it was shown, then show the tray again with the same filters."""
    fields = await read_form(request)
    require_id(finding_id, "finding")
    number = fields.get("number", "0")
    choice = FixChoice(finding_id, int(number) if number.isdecimal() and len(number) < 3 else -1)
    (outcome,) = await runway.fixes.apply(company_id, [choice], actor="web")
    refused = str(outcome.error) if outcome.fix is None else _say_refusal(outcome.fix)
    if refused:
        return await _show(request, company_id, runway, filters, refused=refused)
    return go_and_say(request, _address(company_id, filters), Said("fixed"))


@router.post("/companies/{company_id}/fixes/{fix_id}/undo")
async def post_undo(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, fix_id: str, filters: TrayFilters
) -> Response:
    """Write the old values back, then show the tray again."""
    await read_form(request)
    try:
        undoing = await runway.fixes.undo(company_id, require_id(fix_id, "fix"), actor="web")
    except InvalidRequest as refused:
        return await _show(request, company_id, runway, filters, refused=str(refused))
    refused_why = _say_refusal(undoing)
    if refused_why:
        return await _show(request, company_id, runway, filters, refused=refused_why)
    return go_and_say(request, _address(company_id, filters), Said("unfixed"))


@router.post("/companies/{company_id}/fixes")
async def post_batch(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, filters: TrayFilters
) -> Response:
    """Write the ticked fixes of one check as they were shown together, then report on each."""
    boxes = await read_boxes(request, at_most=MOST_AT_ONCE + 20)
    check, seal = (boxes.get(name, ("",))[-1] for name in ("check", "seal"))
    view = await runway.tray(company_id, filters.to_query())
    batch = (await gather_fixes(runway, view)).batches.get(check)
    if batch is None or batch.seal != seal:
        return await _show(
            request, company_id, runway, filters, refused="what would be written changed since it was shown: look again"
        )
    ticked = frozenset(boxes.get("fix", ()))
    chosen = [(choice, fix) for choice, fix in zip(batch.choices, batch.fixes, strict=True) if fix.paper_id in ticked]
    if not chosen:
        return await _show(request, company_id, runway, filters, refused="tick the fixes that are to be written")
    outcomes = await runway.fixes.apply(company_id, [choice for choice, _ in chosen], actor="web")
    reports = tuple(
        (planned, "written, waiting for the ledger" if outcome.fix is not None and not why else f"not written: {why}")
        for (_, planned), outcome in zip(chosen, outcomes, strict=True)
        for why in [str(outcome.error) if outcome.fix is None else _say_refusal(outcome.fix)]
    )
    return await _show(request, company_id, runway, filters, reports=reports)


def _say_refusal(fix: Fix) -> str:
    return (fix.error or fix.state.value).rstrip(".") if fix.state not in (FixState.WAITING, FixState.CONFIRMED) else ""


def _read_decision(fields: Mapping[str, str]) -> FindingDecision:
    known = {name: fields[name] for name in ("action", "reason", "until") if fields.get(name, "").strip()}
    try:
        return FindingDecision.model_validate(known)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidRequest(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


def tray_page(
    request: Request, view: TrayView, filters: TrayParams, *, fixes: TrayFixes, refused: str = "", reports: Reports = ()
) -> Response:
    """Lay the tray out; `refused` says why the decision before was not taken."""
    company_id = view.company.company_id
    counts = {c.state: c.count for c in view.states}
    waiting = counts[FindingState.OPEN] + counts[FindingState.ASKED]
    shown = filters.state or _WAITING
    states = [Chip("To clear", _address(company_id, filters, state=None), shown == _WAITING, waiting)]
    states += [
        Chip(state.value.capitalize(), _address(company_id, filters, state=state.value), shown == state.value, count)
        for state, count in counts.items()
    ]
    severities = [Chip("Any severity", _address(company_id, filters, severity=None), filters.severity is None)]
    severities += [
        Chip(s.value.capitalize(), _address(company_id, filters, severity=s.value), filters.severity is s)
        for s in Severity
    ]
    words = filters.to_address()
    every = sum(counts.values())
    values = {
        "states": states,
        "severities": severities,
        "check": filters.check,
        "any_check_href": _address(company_id, filters, check=None),
        "csv_href": _address(company_id, filters, end="/tray.csv"),
        "words": f"?{urlencode(words)}" if words else "",
        "signs": {severity.value: sign for severity, sign in SEVERITY_SIGNS.items()},
        "tomorrow": (view.as_of + timedelta(days=1)).isoformat(),
        "refused": refused,
        "fixes": fixes,
        "reports": reports,
        "tags": {row.finding_id: tag_of_finding(row.tracked) for group in view.groups for row in group.rows},
        "progress": {"cleared": every - waiting - counts[FindingState.SNOOZED], "of": every},
        "asks": {
            group.check: urlencode([("ask", row.finding_id) for row in group.rows[:MOST_QUESTIONS]])
            for group in view.groups
        },
        "most_asked": MOST_QUESTIONS,
        "evidence": {
            row.finding_id: lay_out_evidence(row.tracked.finding.evidence, row.tracked.finding.amount)
            for g in view.groups
            for row in g.rows
        },
        "was_read": view.cleanness is not None,
    }
    return company_page(request, "tray.html", view, tab="/tray", status=422 if refused else 200, values=values)


def _address(company_id: str, filters: TrayParams, *, end: str = "/tray", **changes: object) -> str:
    words = filters.to_address(**changes)
    address = f"{company_address(company_id)}{end}"
    return f"{address}?{urlencode(words)}" if words else address
