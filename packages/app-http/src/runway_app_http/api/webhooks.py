"""`/v1/webhooks`: addresses of the firm's own that are told of events. For owners who see all of the firm."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.subscriptions import DeliveryFilter, DeliveryState, EventType, Subscription, WebhookDelivery
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import View
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_ordered, read_cursor, write_cursor

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

_MOST_IDS = 500
_LAST = 253402300799 * 10**6  # the last second of the year 9999


class NewWebhook(BaseModel):
    """Where to tell what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "url": "https://hooks.firm.example/runway",
                "event_types": ["finding.opened", "decision.failed"],
            }
        },
    )

    url: str = Field(max_length=2000, description="An https address that leads to a public network.")
    event_types: list[EventType] | None = Field(None, max_length=50, description="All, later ones too, when absent.")
    companies: list[str] | None = Field(
        None, max_length=1000, description="Ids; all of the firm, and the firm as a whole, when absent."
    )
    note: str = Field("", max_length=300, description="What it is for.")


class WebhookRotation(BaseModel):
    """How long the old secret goes on to sign."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"grace_hours": 24}})

    grace_hours: int = Field(24, ge=0, le=168)


class ReplayRequest(BaseModel):
    """Which deliveries are to be made again: by id, or all that the other fields mean."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"state": "failed"}})

    event_ids: list[str] | None = Field(None, max_length=_MOST_IDS)
    state: DeliveryState | None = None
    event_type: EventType | None = None
    company_id: str | None = Field(None, max_length=128)
    since: AwareDatetime | None = Field(None, description="Events of this moment and later.")


class WebhookList(View):
    """The firm's webhooks, the oldest first."""

    items: tuple[Subscription, ...]
    has_more: bool
    next_cursor: str | None


class WebhookSecret(View):
    """A webhook with its new secret, which is not shown again."""

    webhook: Subscription
    secret: str


class DeliveryList(View):
    """One page of deliveries, the last events first."""

    items: tuple[WebhookDelivery, ...]
    has_more: bool
    next_cursor: str | None


class Removed(View):
    """Which webhook is gone."""

    subscription_id: str


class Replayed(View):
    """How many deliveries are made again."""

    replayed: int


@router.get("", response_model=WebhookList)
async def list_webhooks(runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None) -> Response:
    """All of the firm; secrets are not shown."""
    page, next_cursor = cut_ordered(await runway.subscriptions.list(), limit=limit, cursor=cursor)
    return answer(WebhookList(items=tuple(page), has_more=next_cursor is not None, next_cursor=next_cursor))


@router.post("", response_model=WebhookSecret)
async def add_webhook(runway: RunwayOfApp, *, webhook: NewWebhook, actor: ApiActor) -> Response:
    """Tell an address of events from now on. The answer has the secret that proves them, this once."""
    companies = webhook.companies
    added, secret = await runway.subscriptions.add(
        webhook.url,
        event_types=webhook.event_types,
        companies=None if companies is None else [CompanyId(require_id(one, "company")) for one in companies],
        note=webhook.note,
        actor=actor,
    )
    return answer(WebhookSecret(webhook=added, secret=secret.get_secret_value()))


@router.get("/{subscription_id}", response_model=Subscription)
async def read_webhook(runway: RunwayOfApp, *, subscription_id: str) -> Response:
    """One of the firm."""
    return answer(await runway.subscriptions.get(require_id(subscription_id, "webhook")))


@router.post("/{subscription_id}/pause", response_model=Subscription)
async def pause_webhook(runway: RunwayOfApp, *, subscription_id: str, actor: ApiActor) -> Response:
    """Deliver nothing until it is resumed; what happens meanwhile waits."""
    return answer(await runway.subscriptions.pause(require_id(subscription_id, "webhook"), actor=actor))


@router.post("/{subscription_id}/resume", response_model=Subscription)
async def resume_webhook(runway: RunwayOfApp, *, subscription_id: str, actor: ApiActor) -> Response:
    """Deliver again, what waits first; also after it was switched off."""
    return answer(await runway.subscriptions.resume(require_id(subscription_id, "webhook"), actor=actor))


@router.post("/{subscription_id}/rotate", response_model=WebhookSecret)
async def rotate_webhook(
    runway: RunwayOfApp, *, subscription_id: str, rotation: WebhookRotation, actor: ApiActor
) -> Response:
    """Sign with a new secret, and with the old one too for a while. The answer has the new one, this once."""
    turned, secret = await runway.subscriptions.rotate(
        require_id(subscription_id, "webhook"), grace=timedelta(hours=rotation.grace_hours), actor=actor
    )
    return answer(WebhookSecret(webhook=turned, secret=secret.get_secret_value()))


@router.post("/{subscription_id}/remove", response_model=Removed)
async def remove_webhook(runway: RunwayOfApp, *, subscription_id: str, actor: ApiActor) -> Response:
    """Tell it nothing more, and forget its secret and its deliveries."""
    await runway.subscriptions.remove(require_id(subscription_id, "webhook"), actor=actor)
    return answer(Removed(subscription_id=subscription_id))


@router.post("/{subscription_id}/test", response_model=WebhookDelivery)
async def test_webhook(runway: RunwayOfApp, *, subscription_id: str, actor: ApiActor) -> Response:
    """Deliver a `webhook.test` at once, and answer with what became of it."""
    return answer(await runway.subscriptions.test(require_id(subscription_id, "webhook"), actor=actor))


@router.get("/{subscription_id}/deliveries", response_model=DeliveryList)
async def list_deliveries(
    runway: RunwayOfApp,
    *,
    subscription_id: str,
    state: Annotated[DeliveryState | None, Query(description="Only those that stand so.")] = None,
    event_type: Annotated[EventType | None, Query(description="Only of this event.")] = None,
    company_id: Annotated[str | None, Query(max_length=128, description="Only about this company.")] = None,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """What was and is to be delivered, the last events first; kept for thirty days."""
    wanted = DeliveryFilter(state=state, event_type=event_type, company_id=_read_company(company_id))
    found = await runway.subscriptions.deliveries(
        require_id(subscription_id, "webhook"), wanted, after=_read_place(cursor), limit=limit + 1
    )
    page, has_more = found[:limit], len(found) > limit
    last = page[-1] if has_more else None
    next_cursor = None if last is None else write_cursor((to_microseconds(last.occurred_at), last.event_id))
    return answer(DeliveryList(items=tuple(page), has_more=has_more, next_cursor=next_cursor))


@router.post("/{subscription_id}/replay", response_model=Replayed)
async def replay_deliveries(
    runway: RunwayOfApp, *, subscription_id: str, which: ReplayRequest, actor: ApiActor
) -> Response:
    """Deliver again, under the same ids, what was delivered or had all its attempts."""
    given = which.model_dump(exclude={"event_ids"}, exclude_none=True)
    wanted = DeliveryFilter(
        state=which.state, event_type=which.event_type, company_id=_read_company(which.company_id), since=which.since
    )
    replayed = await runway.subscriptions.replay(
        require_id(subscription_id, "webhook"), wanted if given else None, event_ids=which.event_ids, actor=actor
    )
    return answer(Replayed(replayed=replayed))


def _read_company(company_id: str | None) -> CompanyId | None:
    return None if company_id is None else CompanyId(require_id(company_id, "company"))


def _read_place(cursor: str | None) -> tuple[datetime, str] | None:
    match None if cursor is None else read_cursor(cursor):
        case None:
            return None
        case (int(moment), str(event_id)) if 0 <= moment <= _LAST:
            return from_microseconds(moment), event_id
        case _:
            raise InvalidRequest("the cursor is of another list: start again without it")
