"""`/v1/tray` and `/v1/across`: what waits at all companies, and one act on many of them, with its one undo."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.across import AcrossAct, AcrossKind
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import to_microseconds
from runway_core.experiences.firm_tray import FirmFinding, FirmTrayView
from runway_core.experiences.view import View
from runway_core.services.across import MOST_AT_ONCE, AcrossPlan, AcrossWish, PlannedPart
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import IfMatch, tag_of

router = APIRouter(tags=["portfolio"])


class AcrossBody(BaseModel):
    """What is to be done, and to which: companies to assign, or findings of one check."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "act": "accept",
                "check": "AP06",
                "finding_ids": ["3f1c0a5be9d27c84a610"],
                "reason": "two deliveries, both real",
            }
        },
    )

    act: AcrossKind
    company_ids: list[str] = Field(default_factory=list, max_length=MOST_AT_ONCE, description="To assign.")
    owner: str = Field("", max_length=200, description="To assign: who looks after them; empty is nobody.")
    check: str = Field("", max_length=20, description="Of the findings.")
    finding_ids: list[str] = Field(default_factory=list, max_length=MOST_AT_ONCE)
    reason: str = Field("", max_length=2000, description="Needed to accept.")
    until: date | None = Field(None, description="Needed to snooze.")

    def to_wish(self) -> AcrossWish:
        """The same in the service's words."""
        return AcrossWish(
            act=self.act,
            company_ids=tuple(CompanyId(company_id) for company_id in self.company_ids),
            check=self.check,
            finding_ids=tuple(self.finding_ids),
            owner=self.owner,
            reason=self.reason.strip(),
            until=self.until,
        )


class SealedBody(AcrossBody):
    """The same, to be done: `seal` is that of the preview, so that what was shown is what is done."""

    seal: str = Field(max_length=40)


class PartAnswer(View):
    """One part as it would be done; `problem` says why it would not."""

    company_id: CompanyId
    company_name: str
    finding: TrackedFinding | None
    before: str
    after: str
    problem: str

    @classmethod
    def of(cls, part: PlannedPart) -> "PartAnswer":
        """The answer for one part."""
        return cls(
            company_id=part.company.company_id,
            company_name=part.company.name,
            finding=part.finding,
            before=part.before,
            after=part.after,
            problem=part.problem,
        )


class AcrossPreview(View):
    """What would be done, by company name."""

    act: AcrossKind
    seal: str
    parts: tuple[PartAnswer, ...]

    @classmethod
    def of(cls, plan: AcrossPlan) -> "AcrossPreview":
        """The answer to a plan."""
        return cls(act=plan.wish.act, seal=plan.seal, parts=tuple(PartAnswer.of(part) for part in plan.parts))


class AcrossList(View):
    """One page of acts across companies, the newest first."""

    items: tuple[AcrossAct, ...]
    has_more: bool
    next_cursor: str | None


class FirmFindingList(View):
    """One page of a check's findings that wait at any company, worst first."""

    items: tuple[FirmFinding, ...]
    has_more: bool
    next_cursor: str | None


@router.get("/tray", response_model=FirmTrayView)
async def read_firm_tray(runway: RunwayOfApp) -> Response:
    """What waits at all companies, counted by check and by company; `items` stand at `/v1/tray/{check}`."""
    return answer(await runway.firm_tray())


@router.get("/tray/{check}", response_model=FirmFindingList)
async def list_firm_findings(
    runway: RunwayOfApp, *, check: str, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """The findings of one check that wait at any company, worst first."""
    found = (await runway.firm_tray(require_id(check, "check"))).items
    page, next_cursor = cut_page(
        found,
        lambda item: (item.tracked.finding.severity.rank, item.company_id, item.tracked.finding_id),
        limit=limit,
        cursor=cursor,
    )
    return answer(FirmFindingList(items=tuple(page), has_more=next_cursor is not None, next_cursor=next_cursor))


@router.post("/across/preview", response_model=AcrossPreview)
async def preview_across(runway: RunwayOfApp, *, wish: AcrossBody) -> Response:
    """What one act on many companies would do. Nothing is kept."""
    return answer(AcrossPreview.of(await runway.across.plan(wish.to_wish())))


@router.post("/across", response_model=AcrossAct)
async def do_across(runway: RunwayOfApp, *, wish: SealedBody, actor: ApiActor) -> Response:
    """Do what a preview showed; each part is reported on its own. Nothing is written to a ledger."""
    act = await runway.across.do(wish.to_wish(), seal=wish.seal, actor=actor)
    return answer(act, headers=tag_of(act))


@router.get("/across", response_model=AcrossList)
async def list_across(runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None) -> Response:
    """Acts across companies, the newest first, with the parts about companies that the caller sees."""
    page, next_cursor = cut_page(
        await runway.across.list(),
        lambda act: (-to_microseconds(act.begun_at), act.paper_id),
        limit=limit,
        cursor=cursor,
    )
    return answer(AcrossList(items=tuple(page), has_more=next_cursor is not None, next_cursor=next_cursor))


@router.get("/across/{act_id}", response_model=AcrossAct)
async def read_across(runway: RunwayOfApp, *, act_id: str) -> Response:
    """One act, with what became of each part."""
    act = await runway.across.get(require_id(act_id, "act across companies"))
    return answer(act, headers=tag_of(act))


@router.post("/across/{act_id}/undo", response_model=AcrossAct)
async def undo_across(runway: RunwayOfApp, *, act_id: str, if_match: IfMatch, actor: ApiActor) -> Response:
    """Put back what stood before, once; what was changed since is left as it is."""
    act = await runway.across.undo(require_id(act_id, "act across companies"), actor=actor, version=if_match)
    return answer(act, headers=tag_of(act))
