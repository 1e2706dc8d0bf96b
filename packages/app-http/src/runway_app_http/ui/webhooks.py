"""`/hooks`: addresses that are told of events, what was delivered, and what to do about it. For owners."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId
from runway_core.domain.subscriptions import EVENT_TYPES, DeliveryFilter, DeliveryState, EventType
from runway_core.errors import InvalidRequest, NotFound, NotSupported, RunwayError, StaleRevision
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
from runway_app_http.problems import explain
from runway_app_http.ui.entrance import page, proved
from runway_app_http.ui.forms import Said, go_and_say, read_boxes, read_form

router = APIRouter()

_REFUSALS = (InvalidRequest, NotFound, NotSupported, StaleRevision)
_MOST_BOXES = 2000
_SHOWN = 50


@router.get("/hooks")
async def show_webhooks(request: Request, runway: RunwayOfApp) -> Response:
    """All of the firm."""
    return await _webhooks_page(request, runway)


async def _webhooks_page(request: Request, runway: Runway, *, refused: RunwayError | None = None) -> Response:
    values = {
        "webhooks": await runway.subscriptions.list(),
        "companies": await runway.companies.list(),
        "events": [kind.value for kind in EVENT_TYPES],
        "refused": "" if refused is None else str(refused),
    }
    return page(request, "webhooks.html", status=explain(refused).kind.status if refused else 200, values=values)


@router.post("/hooks")
async def add_webhook(request: Request, runway: RunwayOfApp) -> Response:
    """Add one and show its page with the secret, this once."""
    boxes = await read_boxes(request, at_most=_MOST_BOXES)
    actor = proved(request, runway)
    try:
        added, secret = await runway.subscriptions.add(
            boxes.get("url", [""])[-1],
            event_types=_read_events(boxes.get("event", ())),
            companies=_read_companies(boxes),
            note=boxes.get("note", [""])[-1][:300],
            actor=actor,
        )
    except _REFUSALS as refused:
        return await _webhooks_page(request, runway, refused=refused)
    return await _webhook_page(request, runway, added.subscription_id, secret=secret)


@router.get("/hooks/{subscription_id}")
async def show_webhook(request: Request, runway: RunwayOfApp, *, subscription_id: str) -> Response:
    """One webhook and its last deliveries."""
    return await _webhook_page(request, runway, require_id(subscription_id, "webhook"))


async def _webhook_page(
    request: Request,
    runway: Runway,
    subscription_id: str,
    *,
    refused: RunwayError | None = None,
    secret: SecretStr | None = None,
) -> Response:
    webhook = await runway.subscriptions.get(subscription_id)
    names = {company.company_id: company.name for company in await runway.companies.list()}
    values = {
        "webhook": webhook,
        "address": f"/hooks/{quote(subscription_id, safe='')}",
        "names": names,
        "deliveries": await runway.subscriptions.deliveries(subscription_id, limit=_SHOWN),
        "shown": _SHOWN,
        "secret": "" if secret is None else secret.get_secret_value(),
        "refused": "" if refused is None else str(refused),
    }
    return page(request, "webhook.html", status=explain(refused).kind.status if refused else 200, values=values)


@router.post("/hooks/{subscription_id}")
async def act_on_webhook(request: Request, runway: RunwayOfApp, *, subscription_id: str) -> Response:
    """Pause, resume, test or remove a webhook, change its secret, or deliver something again."""
    fields = await read_form(request)
    actor = proved(request, runway)
    name = require_id(subscription_id, "webhook")
    try:
        if fields.get("action") == "rotate":
            _, secret = await runway.subscriptions.rotate(name, actor=actor)
            return await _webhook_page(request, runway, name, secret=secret)
        done = await _act(runway, name, fields, actor=actor)
    except _REFUSALS as refused:
        return await _webhook_page(request, runway, name, refused=refused)
    address = "/hooks" if done == "removed" else f"/hooks/{quote(name, safe='')}"
    return go_and_say(request, address, Said(done))


async def _act(runway: Runway, name: str, fields: Mapping[str, str], *, actor: str) -> str:
    hooks = runway.subscriptions
    match fields.get("action", ""):
        case "pause":
            await hooks.pause(name, actor=actor)
            return "paused"
        case "resume":
            await hooks.resume(name, actor=actor)
            return "resumed"
        case "remove":
            await hooks.remove(name, actor=actor)
            return "removed"
        case "test":
            tried = await hooks.test(name, actor=actor)
            return "taken" if tried.state is DeliveryState.DELIVERED else "untaken"
        case "replay":
            await hooks.replay(name, event_ids=[fields.get("event_id", "")], actor=actor)
            return "replayed"
        case "replay_failed":
            await hooks.replay(name, DeliveryFilter(state=DeliveryState.FAILED), actor=actor)
            return "replayed"
        case _:
            raise InvalidRequest("say what is to be done")


def _read_events(ticked: Sequence[str]) -> tuple[EventType, ...] | None:
    """The ticked events; all, later ones too, where none is."""
    known = {kind.value: kind for kind in EVENT_TYPES}
    return tuple(known[one] for one in ticked if one in known) or None


def _read_companies(boxes: Mapping[str, Sequence[str]]) -> tuple[CompanyId, ...] | None:
    """The ticked companies, or all of the firm."""
    if boxes.get("reach", [""])[-1] != "some":
        return None
    return tuple(CompanyId(company_id) for company_id in boxes.get("company", ()))
