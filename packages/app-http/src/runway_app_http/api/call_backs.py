"""`/v1/companies/{id}/call-backs`: noted calls that confirmed a vendor's payment details."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.policy import CallBack
from runway_core.experiences.view import CompanyHeading, View
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import tag_of
from runway_app_http.following import follow_change

router = APIRouter(prefix="/companies/{company_id}/call-backs", tags=["call-backs"])


class NewCallBack(BaseModel):
    """A call to a number known from before."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "vendor_id": "V2",
                "spoke_to": "Ms Elm",
                "number_called": "+1 312 555 0100",
                "details_tail": "4711",
            }
        },
    )

    vendor_id: str = Field(max_length=128)
    spoke_to: str = Field(max_length=200, description="Who confirmed the payment details.")
    number_called: str = Field(max_length=100, description="Known from before, not from the message that changed them.")
    details_tail: str = Field("", max_length=20, description="The end of the account number that was confirmed.")


class CallBackList(View):
    """One page of call-backs, the newest first."""

    company: CompanyHeading
    items: tuple[CallBack, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=CallBackList)
async def list_call_backs(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """The last call-back of each vendor, the newest first; earlier ones are in the log."""
    company = await runway.companies.get(company_id)
    found = await runway.call_backs.list(company_id)
    page, next_cursor = cut_page(
        found, lambda call: (-to_microseconds(call.changed_at), call.paper_id), limit=limit, cursor=cursor
    )
    return answer(
        CallBackList(
            company=CompanyHeading.of(company),
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.post("", response_model=CallBack)
async def note_call_back(
    company_id: CompanyInPath, runway: RunwayOfApp, *, call: NewCallBack, actor: ApiActor
) -> Response:
    """Note a call; the rule about new vendors and changed payment details looks at the last one."""
    vendor_id = require_id(call.vendor_id, "vendor")
    noted = await runway.call_backs.note(
        company_id,
        vendor_id,
        spoke_to=call.spoke_to,
        number_called=call.number_called,
        details_tail=call.details_tail,
        actor=actor,
    )
    await follow_change(runway, company_id)
    return answer(noted, headers=tag_of(noted))
