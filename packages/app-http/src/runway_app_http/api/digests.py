"""`/v1/companies/{id}/digests`: digests that were sent, as they were sent, and sending one."""

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.experiences.view import View
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, SenderOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page

router = APIRouter(prefix="/companies/{company_id}/digests", tags=["digests"])

MOST_KEPT = 1000


class DigestToSend(BaseModel):
    """Whom the digest of today goes to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"to": ["bo@acme.example"], "note": "Dear Bo, all is well."}}
    )

    to: list[str] = Field(min_length=1, max_length=20, description="Mail addresses.")
    note: str = Field("", max_length=10_000, description="The advisor's own words, above the figures.")


class SentDigestLine(View):
    """One digest that was sent or refused."""

    digest_id: str
    as_of: str
    subject: str
    sent_to: tuple[str, ...]
    sent_at: AwareDatetime
    sent_by: str
    delivery: Delivery
    error: str | None

    @classmethod
    def of(cls, digest: SentDigest) -> "SentDigestLine":
        """The line of a kept digest."""
        return cls(
            digest_id=digest.paper_id,
            as_of=digest.as_of.isoformat(),
            subject=digest.subject,
            sent_to=digest.sent_to,
            sent_at=digest.sent_at,
            sent_by=digest.changed_by,
            delivery=digest.delivery,
            error=digest.error,
        )


class SentDigestList(View):
    """One page of sent digests, the newest first."""

    items: tuple[SentDigestLine, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=SentDigestList)
async def list_digests(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """The digests that were sent, the newest first."""
    lines = [SentDigestLine.of(digest) for digest in await runway.digests.list_sent(company_id, limit=MOST_KEPT)]
    page, next_cursor = cut_page(
        lines, lambda line: (-to_microseconds(line.sent_at), line.digest_id), limit=limit, cursor=cursor
    )
    return answer(SentDigestList(items=tuple(page), has_more=next_cursor is not None, next_cursor=next_cursor))


@router.get("/{digest_id}", response_model=SentDigest)
async def read_digest(company_id: CompanyInPath, runway: RunwayOfApp, digest_id: str) -> Response:
    """One digest as it was sent, byte for byte."""
    return answer(await runway.digests.get_sent(company_id, require_id(digest_id, "digest")))


@router.post("", response_model=SentDigestLine)
async def post_digest(
    company_id: CompanyInPath,
    sender: SenderOfApp,
    *,
    digest: DigestToSend,
    actor: ApiActor,
) -> Response:
    """Send the digest of today by mail. The same note to the same people on one day leaves once."""
    sent = await sender.send(company_id, to=digest.to, note=digest.note, actor=actor)
    return answer(SentDigestLine.of(sent))
