"""`/v1/companies/{id}/erasure`: what erasing a company takes, and doing it. It cannot be undone."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.erasure import Erasure, ErasureSurvey
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import answer

router = APIRouter(prefix="/companies/{company_id}/erasure", tags=["companies"])


class ErasureRequest(BaseModel):
    """A person's word that this company is meant."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"confirm": "Acme Hardware"}})

    confirm: str = Field(max_length=300, description="The company's name, or its id.")


@router.get("", response_model=ErasureSurvey)
async def survey_erasure(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """What erasing the company takes, by table; nothing is changed."""
    return answer(await runway.erasures.survey(company_id))


@router.post("", response_model=Erasure)
async def erase_company(
    company_id: CompanyInPath, runway: RunwayOfApp, *, request: ErasureRequest, actor: ApiActor
) -> Response:
    """Erase the company. What its log held can never be read again; its chain stays and verifies.

    Repeat it when it was cut off: it goes on where it was.
    """
    return answer(await runway.erasures.erase(company_id, confirmed=request.confirm, actor=actor))
