"""`/v1/work`: what is to be done over all companies of the firm."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from runway_core.domain.tasks import TaskKind
from runway_core.experiences.work import WorkQuery, WorkView
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, forget_empty
from runway_app_http.api.answers import answer, cut_ordered

router = APIRouter(tags=["portfolio"])


class WorkParams(BaseModel):
    """Whose work, as it stands in an address. Empty words, as forms send them, count as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str | None = Field(None, max_length=200, description="Only companies that this person looks after.")
    kind: TaskKind | None = Field(None, description="Only what is to be decided, mended or called.")
    days: int | None = Field(None, ge=0, le=7, description="Only what must be done within so many days; 0: today.")

    limit: int = Field(100, ge=1, le=100, description="At most so many items.")
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before.")

    @model_validator(mode="before")
    @classmethod
    def _forget_empty(cls, given: object) -> object:
        return forget_empty(given)

    def to_query(self) -> WorkQuery:
        """What is asked."""
        return WorkQuery(owner=self.owner, kind=self.kind, days=self.days)

    def to_address(self, **changes: object) -> dict[str, str]:
        """The filters that are set, with `changes`, in the form of an address; `None` drops one."""
        held = self.model_dump(mode="json", exclude_defaults=True) | changes
        return {name: str(value) for name, value in held.items() if value not in (None, "")}


class ForgivingWorkParams(WorkParams):
    """The same for pages: a stray word in a link is no reason for an error."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class WorkPage(WorkView):
    """One page of the tasks; counts are of all."""

    has_more: bool
    next_cursor: str | None


@router.get("/work", response_model=WorkPage)
async def read_work(runway: RunwayOfApp, filters: Annotated[WorkParams, Query()]) -> Response:
    """What to decide, mend and call over all companies of the firm, what presses most first.

    Each company keeps the eight most pressing tasks of a kind; `unlisted` counts the others.
    """
    view = await runway.work(filters.to_query())
    page, next_cursor = cut_ordered(view.items, limit=filters.limit, cursor=filters.cursor)
    values = view.__dict__ | {"items": tuple(page)}
    return answer(WorkPage(**values, has_more=next_cursor is not None, next_cursor=next_cursor))
