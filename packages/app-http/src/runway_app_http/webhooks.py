"""`POST /webhooks/{rail}`: what rails send by themselves is proved, kept and acknowledged; the work comes later."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
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
async def receive_webhook(
    rail: Annotated[str, Path(description="The rail, as `runway rails` lists it.")],
    request: Request,
    runway: RunwayOfApp,
) -> Response:
    """Take in one delivery. 200 means that it is kept, or was before; its work has not begun then."""
    secrets: WebhookSecrets = request.app.state.webhook_secrets
    name = require_id(rail, "rail")
    body = await request.body()
    await runway.webhooks.receive(name, request.headers, body, secrets=secrets.get(name, ()))
    return Response(status_code=200)
