"""`/v1/views`: saved views of the portfolio, the caller's own and those of the firm."""

from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from runway_core.domain.saved_views import SavedView
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import View
from runway_core.services.companies import explain_invalid
from runway_core.services.saved_views import LONGEST_NAME, LONGEST_QUERY, order_of
from starlette.responses import Response

from runway_app_http.access import PortfolioParams, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import IfMatch, tag_of

router = APIRouter(prefix="/views", tags=["portfolio"])

Params = TypeVar("Params", bound=PortfolioParams)


class NewView(BaseModel):
    """A view to save; the same name is the same view."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "Retail in trouble", "query": "status=red&tag=retail&sort=runway", "is_shared": True}
        },
    )

    name: str = Field(max_length=2 * LONGEST_NAME)
    query: str = Field(max_length=LONGEST_QUERY, description="Filters and order as `/v1/portfolio` takes them.")
    is_shared: bool = Field(False, description="Everybody in the firm sees it; else only whoever saves it.")


class NewName(BaseModel):
    """What a view is to be called."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "Shops in trouble"}})

    name: str = Field(max_length=2 * LONGEST_NAME)


class ViewList(View):
    """One page of saved views, by name."""

    items: tuple[SavedView, ...]
    has_more: bool
    next_cursor: str | None


def read_filters(query: str, params: type[Params]) -> Params:
    """The filters that a saved query stands for.

    Raises:
        InvalidRequest: a filter that does not exist or cannot have this value.
    """
    words = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=50))
    try:
        return params.model_validate(words)
    except ValidationError as error:
        raise InvalidRequest(explain_invalid(error)) from error


def write_query(filters: PortfolioParams) -> str:
    """Filters and order in their one written form; which page it was, and as of when, is no part of a view."""
    return urlencode(filters.to_address(limit=None, cursor=None, as_of=None))


@router.get("", response_model=ViewList)
async def list_views(runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None) -> Response:
    """The caller's own views and the shared ones, by name."""
    page, next_cursor = cut_page(await runway.saved_views.list(), order_of, limit=limit, cursor=cursor)
    return answer(ViewList(items=tuple(page), has_more=next_cursor is not None, next_cursor=next_cursor))


@router.post("", response_model=SavedView)
async def save_view(runway: RunwayOfApp, *, view: NewView, if_match: IfMatch, actor: ApiActor) -> Response:
    """Save filters and order by name, or replace the view of that name."""
    query = write_query(read_filters(view.query, PortfolioParams))
    saved = await runway.saved_views.save(view.name, query, actor=actor, is_shared=view.is_shared, version=if_match)
    return answer(saved, headers=tag_of(saved))


@router.get("/{view_id}", response_model=SavedView)
async def read_view(runway: RunwayOfApp, *, view_id: str) -> Response:
    """One saved view; `/v1/portfolio?{query}` shows its companies."""
    view = await runway.saved_views.get(require_id(view_id, "saved view"))
    return answer(view, headers=tag_of(view))


@router.post("/{view_id}", response_model=SavedView)
async def rename_view(
    runway: RunwayOfApp, *, view_id: str, view: NewName, if_match: IfMatch, actor: ApiActor
) -> Response:
    """Call a view otherwise."""
    renamed = await runway.saved_views.rename(
        require_id(view_id, "saved view"), view.name, actor=actor, version=if_match
    )
    return answer(renamed, headers=tag_of(renamed))


@router.post("/{view_id}/remove", response_model=SavedView)
async def remove_view(runway: RunwayOfApp, *, view_id: str, if_match: IfMatch, actor: ApiActor) -> Response:
    """Remove a view."""
    removed = await runway.saved_views.remove(require_id(view_id, "saved view"), actor=actor, version=if_match)
    return answer(removed, headers=tag_of(removed))
