"""`/companies/{id}/reconciliation`: do the rails tell the same? Counts, drift, conflicts, and a form for each."""

from collections import Counter
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, model_validator
from runway_core.domain.conflicts import ConflictKind, ConflictState
from runway_core.domain.identity import CompanyId
from runway_core.experiences.reconciliation import UNRESOLVED, ConflictQuery, ReconciliationView
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, forget_empty, require_id
from runway_app_http.api.conflicts import ConflictAct, ConflictResolution, decide_conflict, make_query
from runway_app_http.plain import to_plain
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address, company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.evidence import lay_out_evidence
from runway_app_http.ui.form_values import REFUSALS, check_body
from runway_app_http.ui.forms import Said, go_and_say, read_form
from runway_app_http.ui.tray import SEVERITY_SIGNS

router = APIRouter()

PAGE = "/reconciliation"

CSV_COLUMNS = (
    "conflict_id", "tracked.conflict.kind", "tracked.conflict.severity", "tracked.state", "tracked.conflict.summary",
    "tracked.conflict.amount.amount", "tracked.conflict.amount.currency", "tracked.conflict.impact_days",
    "tracked.conflict.rails", "tracked.conflict.records", "tracked.conflict.suggested", "tracked.conflict.finding_id",
    "age_days", "tracked.resolution", "tracked.reason", "tracked.decided_by", "tracked.decided_at",
)  # fmt: skip

_SAID = {
    ConflictAct.MATCH: "matched",
    ConflictAct.ALIAS: "named",
    ConflictAct.ACCEPT: "settled",
    ConflictAct.REOPEN: "takenback",
}


class ConflictParams(BaseModel):
    """The page's filters as they stand in an address."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: ConflictKind | None = None
    state: ConflictState | None = None

    @model_validator(mode="before")
    @classmethod
    def _forget_empty(cls, given: object) -> object:
        return forget_empty(given)

    def to_query(self) -> ConflictQuery:
        """Which conflicts are shown."""
        return make_query(kind=self.kind, state=self.state)

    def to_address(self, **changes: object) -> dict[str, str]:
        """The filters that are set, with `changes`, in the form of an address; `None` drops one."""
        held = self.model_dump(mode="json", exclude_defaults=True) | changes
        return {name: str(value) for name, value in held.items() if value not in (None, "")}


ConflictFilters = Annotated[ConflictParams, Query()]


@router.get(f"/companies/{{company_id}}{PAGE}")
async def show_reconciliation(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, filters: ConflictFilters
) -> Response:
    """The page of one company."""
    return await _show(request, company_id, runway, filters)


@router.get(f"/companies/{{company_id}}{PAGE}.csv")
async def save_conflicts(company_id: CompanyInPath, runway: RunwayOfApp, filters: ConflictFilters) -> Response:
    """The filtered conflicts."""
    view = await runway.reconcile(company_id, filters.to_query())
    rows = (to_plain(row) for row in view.conflicts)
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-conflicts.csv")


@router.post("/companies/{company_id}/conflicts/{conflict_id}")
async def post_conflict(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, *, conflict_id: str, filters: ConflictFilters
) -> Response:
    """Decide about one conflict, on the version that was shown, then show the page again with the same filters."""
    fields = await read_form(request)
    version = fields.get("version", "")
    body = {"action": fields.get("action", ""), "reason": fields.get("reason", "")}
    if fields.get("match"):
        body["match"] = fields["match"]
    try:
        decision = check_body(ConflictResolution, body)
        await decide_conflict(
            runway,
            company_id,
            conflict_id=require_id(conflict_id, "conflict"),
            decision=decision,
            actor="web",
            version=int(version) if version.isdecimal() and len(version) < 10 else None,
        )
    except REFUSALS as refused:
        return await _show(request, company_id, runway, filters, refused=str(refused))
    return go_and_say(request, _address(company_id, filters), Said(_SAID[decision.action]))


async def _show(
    request: Request, company_id: CompanyId, runway: Runway, filters: ConflictParams, *, refused: str = ""
) -> Response:
    view = await runway.reconcile(company_id, filters.to_query())
    return _lay_out(request, view, filters, refused=refused)


def _lay_out(request: Request, view: ReconciliationView, filters: ConflictParams, *, refused: str) -> Response:
    company_id = view.company.company_id
    counts = {one.state: one.count for one in view.states}
    waiting = sum(counts[state] for state in UNRESOLVED)
    states = [Chip("To clear", _address(company_id, filters, state=None), filters.state is None, waiting)]
    states += [
        Chip(one.value.capitalize(), _address(company_id, filters, state=one.value), filters.state is one, count)
        for one, count in counts.items()
    ]
    kinds = Counter(row.tracked.conflict.kind for row in view.conflicts)
    shown = sorted({*kinds, filters.kind} - {None}, key=str)
    words = filters.to_address()
    values = {
        "states": states,
        "kinds": [Chip("Any kind", _address(company_id, filters, kind=None), filters.kind is None)]
        + [
            Chip(_say(kind.value), _address(company_id, filters, kind=kind.value), filters.kind is kind, kinds[kind])
            for kind in shown
            if kind is not None
        ],
        "csv_href": _address(company_id, filters, end=f"{PAGE}.csv"),
        "words": f"?{urlencode(words)}" if words else "",
        "signs": {severity.value: sign for severity, sign in SEVERITY_SIGNS.items()},
        "refused": refused,
        "evidence": {
            row.conflict_id: lay_out_evidence(row.tracked.conflict.evidence, row.tracked.conflict.amount)
            for row in view.conflicts
        },
    }
    return company_page(request, "reconciliation.html", view, tab=PAGE, status=422 if refused else 200, values=values)


def _say(word: str) -> str:
    return word.replace("_", " ").capitalize()


def _address(company_id: str, filters: ConflictParams, *, end: str = PAGE, **changes: object) -> str:
    words = filters.to_address(**changes)
    address = f"{company_address(company_id)}{end}"
    return f"{address}?{urlencode(words)}" if words else address
