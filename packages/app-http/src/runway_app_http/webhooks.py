"""`POST /webhooks/{rail}`: what rails send by themselves is proved, kept and acknowledged; the work comes later."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from pydantic import SecretStr
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import require_id
from runway_app_http.problems import Problem

WebhookSecrets = Mapping[str, Sequence[SecretStr]]
"""By rail, what its vendor signs with; two while one is replaced."""

receiver = APIRouter(
    tags=["webhooks"],
    responses={
        401: {"model": Problem, "description": "It is not proved to be the vendor's; nothing was kept."},
        404: {"model": Problem, "description": "No such rail, or it reads no webhooks."},
        413: {"model": Problem, "description": "More than 1 MiB."},
        503: {"model": Problem, "description": "It could not be kept: send it again."},
    },
)


@receiver.post("/webhooks/{rail}", response_class=Response, status_code=200)
async def receive_webhook(request: Request) -> Response:
    """Take in one delivery. 200 means that it is kept, or was before; its work has not begun then.

    What it needs is taken from the request itself: each dependency would cost as much as keeping the delivery does.
    """
    runway: Runway = request.app.state.runway
    secrets: WebhookSecrets = request.app.state.webhook_secrets
    rail = require_id(request.path_params["rail"], "rail")
    body = await request.body()
    await runway.webhooks.receive(rail, request.headers, body, secrets=secrets.get(rail, ()))
    return Response(status_code=200)
