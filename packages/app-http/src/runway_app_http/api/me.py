"""`/v1/me`: whom a key acts for, and how far it goes."""

from fastapi import APIRouter
from runway_core.domain.people import Need
from runway_core.domain.policy import Role
from runway_core.errors import NotFound
from runway_core.experiences.view import View
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.answers import answer

router = APIRouter(tags=["people"])


class Me(View):
    """Who asks. `companies` is `null` for all of the firm."""

    person_id: str
    role: Role
    may: tuple[Need, ...]
    companies: tuple[str, ...] | None


@router.get("/me", response_model=Me)
async def read_me(runway: RunwayOfApp) -> Response:
    """Whom the key of this call acts for. Not found while the firm has no people: nobody signs in then."""
    caller = runway.scope.caller
    if caller is None:
        raise NotFound("nobody signs in here: the firm has no people yet")
    return answer(
        Me(
            person_id=caller.person_id,
            role=caller.role,
            may=tuple(need for need in Need if caller.may(need)),
            companies=None if caller.companies is None else tuple(sorted(caller.companies)),
        )
    )
