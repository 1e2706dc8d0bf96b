"""Saved views above the portfolio: the filters that stand are kept by name, renamed and removed."""

from fastapi import APIRouter
from runway_core.errors import InvalidRequest, NotAllowed, NotFound, StaleRevision
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import ForgivingPortfolioParams, RunwayOfApp, require_id
from runway_app_http.api.views import read_filters, write_query
from runway_app_http.ui.form_values import read_actor, read_version
from runway_app_http.ui.forms import Said, go_and_say, read_form
from runway_app_http.ui.portfolio import portfolio_page

router = APIRouter()

_REFUSALS = (InvalidRequest, NotAllowed, NotFound, StaleRevision)


@router.post("/views")
async def post_view(request: Request, runway: RunwayOfApp) -> Response:
    """Save the filters that stand on the page by name, or replace the view of that name."""
    fields = await read_form(request)
    filters = _read_here(fields.get("query", ""))
    query = write_query(filters)
    try:
        await runway.saved_views.save(
            fields.get("name", ""), query, actor=read_actor(fields), is_shared=bool(fields.get("is_shared"))
        )
    except _REFUSALS as refused:
        return await portfolio_page(request, runway, filters, refused=str(refused))
    return go_and_say(request, _page_of(query), Said("viewsaved"))


@router.post("/views/{view_id}")
async def post_change(request: Request, runway: RunwayOfApp, *, view_id: str) -> Response:
    """Rename a view or remove it, then show the page as it stood."""
    fields = await read_form(request)
    filters, version = _read_here(fields.get("query", "")), read_version(fields)
    views, wanted = runway.saved_views, require_id(view_id, "saved view")
    is_removed = fields.get("action") == "remove"
    try:
        if is_removed:
            await views.remove(wanted, actor=read_actor(fields), version=version)
        else:
            await views.rename(wanted, fields.get("name", ""), actor=read_actor(fields), version=version)
    except _REFUSALS as refused:
        return await portfolio_page(request, runway, filters, refused=str(refused))
    return go_and_say(request, _page_of(write_query(filters)), Said("viewremoved" if is_removed else "viewrenamed"))


def _read_here(query: str) -> ForgivingPortfolioParams:
    """The filters of the page that a form stood on."""
    return read_filters(query[:2000], ForgivingPortfolioParams)


def _page_of(query: str) -> str:
    return f"/?{query}" if query else "/"
