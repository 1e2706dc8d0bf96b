"""The page of something that went wrong, and the page behind each error code."""

from fastapi import APIRouter
from runway_core.errors import NotFound
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.problems import PROBLEMS, Failure
from runway_app_http.ui.rendering import render

router = APIRouter()


def failure_page(request: Request, failure: Failure) -> Response:
    """Tell a person what happened and what to do."""
    page = render(
        "failure.html",
        status=failure.kind.status,
        code=failure.code,
        title=failure.kind.title,
        detail=failure.detail,
        remedy=failure.kind.remedy,
        errors=failure.errors,
        request_id=request.scope.get("state", {}).get("request_id", ""),
    )
    page.headers.update(failure.headers)
    return page


@router.get("/errors/{code}")
async def explain_code(code: str) -> Response:
    """What an error code means: the page that the `type` of a problem names."""
    kind = PROBLEMS.get(code)
    if kind is None:
        raise NotFound(f"no error code {code[:40]!r}")
    return render("error_code.html", code=code, status_code=kind.status, title=kind.title, remedy=kind.remedy)
