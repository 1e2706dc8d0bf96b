"""`/v1/digest`: the firm's daily digest, which names only companies of which there is something to say."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.experiences.firm_digest import FirmDigestView
from starlette.responses import Response

from runway_app_http.access import DailyWriterOfApp, RunwayOfApp, SenderOfApp
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import answer
from runway_app_http.firm_digest_sending import DailySending, send_daily

router = APIRouter(tags=["digests"])


class DailyToSend(BaseModel):
    """Who gets the day's digest."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": ["team@firm.example"]}})

    to: list[str] = Field(min_length=1, max_length=20)


@router.get("/digest", response_model=FirmDigestView)
async def read_firm_digest(runway: RunwayOfApp) -> Response:
    """Today's digest as it would be sent: companies otherwise than told, or with something to do today."""
    return answer(await runway.firm_digest())


@router.post("/digest", response_model=DailySending)
async def send_firm_digest(
    runway: RunwayOfApp, sender: SenderOfApp, write: DailyWriterOfApp, *, daily: DailyToSend, actor: ApiActor
) -> Response:
    """Send it by mail: at most one a day, and none when there is nothing to say."""
    return answer(await send_daily(runway, sender, write, to=daily.to, actor=actor))
