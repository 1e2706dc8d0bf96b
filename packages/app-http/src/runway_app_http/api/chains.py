"""`/v1/chains/{correlation_id}`: what followed from one cause, job by job."""

from fastapi import APIRouter
from pydantic import AwareDatetime
from runway_core.domain.jobs import Job
from runway_core.errors import NotFound
from runway_core.experiences.view import View
from runway_core.runway import Runway
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
from runway_app_http.api.answers import answer

router = APIRouter(prefix="/chains", tags=["dead letters"])


class ChainLink(View):
    """One job of a chain of causes. `cause_id` names the delivery or event that brought it about."""

    job_id: str
    work: str
    company_id: str
    rail: str | None
    cause_id: str
    depth: int
    state: str
    attempts: int
    enqueued_at: AwareDatetime
    ended_at: AwareDatetime | None
    note: str | None

    @classmethod
    def of(cls, job: Job) -> "ChainLink":
        """A job, ready to show."""
        return cls(**{name: getattr(job, name) for name in cls.model_fields})


class Chain(View):
    """A chain of causes, in the order in which its jobs came."""

    correlation_id: str
    items: tuple[ChainLink, ...]


@router.get("/{correlation_id}", response_model=Chain)
async def read_chain(runway: RunwayOfApp, correlation_id: str) -> Response:
    """What followed from one cause. Log entries and pulls carry its id; jobs are kept two days after they are done."""
    return answer(await find_chain(runway, correlation_id))


async def find_chain(runway: Runway, correlation_id: str) -> Chain:
    """A chain.

    Raises:
        NotFound: no job of this firm stands in such a chain.
    """
    jobs = await runway.dead_letters.chain(require_id(correlation_id, "chain"))
    if not jobs:
        raise NotFound(f"no chain {correlation_id!r}: its jobs are kept two days after they are done")
    return Chain(correlation_id=correlation_id, items=tuple(ChainLink.of(job) for job in jobs))
