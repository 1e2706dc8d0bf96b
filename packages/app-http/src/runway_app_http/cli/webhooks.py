"""`runway webhooks`: addresses of the firm's own that are told of events."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from runway_core.domain.identity import CompanyId
from runway_core.domain.subscriptions import DeliveryFilter, DeliveryState, EventType, Subscription, WebhookDelivery
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway

from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import NONE_YET, say_moment

app = group("webhooks", "Addresses of the firm's own that are told of events.")

Name = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, as `runway webhooks list` shows it.")]
State = Annotated[DeliveryState | None, typer.Option("--state", help="Only deliveries that stand so.")]
Event = Annotated[EventType | None, typer.Option("--event", help="Only of this event.")]
Company = Annotated[str | None, typer.Option("--company", help="Only about this company (id or name).")]


def _lay_out(webhooks: Sequence[Subscription]) -> RenderableType:
    table = new_table("Webhooks", caption=None if webhooks else "none: `runway webhooks add` makes one")
    for column in ("Id", "Address", "Events", "Companies", "State"):
        table.add_column(column, overflow="fold")
    for one in webhooks:
        table.add_row(one.subscription_id, one.url, _say_events(one), _say_companies(one), _say_state(one))
    return table


def _say_events(one: Subscription) -> str:
    return "all" if one.event_types is None else ", ".join(kind.value for kind in one.event_types)


def _say_companies(one: Subscription) -> str:
    return "all" if one.companies is None else ", ".join(one.companies) or "none"


def _say_state(one: Subscription) -> str:
    if one.reason is not None:
        return f"{one.state.value}: {one.reason}"
    return one.state.value if one.failing_since is None else f"failing since {say_moment(one.failing_since)}"


def _lay_out_one(one: Subscription) -> RenderableType:
    fields = {
        "Address": one.url,
        "Events": _say_events(one),
        "Companies": _say_companies(one),
        "State": _say_state(one),
        "Note": one.note or NONE_YET,
        "Added": f"{say_moment(one.created_at)} by {one.created_by}",
    }
    return fields_table(one.subscription_id, fields)


def _show_one(session: Session, work: Callable[[Runway], Awaitable[Subscription]]) -> None:
    shown = session.run(work)
    session.show(shown, lambda: _lay_out_one(shown))


def _show_secret(session: Session, webhook: Subscription, secret: str) -> None:
    document = {"webhook": webhook, "secret": secret}
    said = Text("The secret that proves what comes from here; it is not shown again:")
    session.show(document, lambda: Group(_lay_out_one(webhook), said, Text(secret)))


@command(app, "list", example="runway webhooks list")
def list_webhooks(session: Session) -> None:
    """Show all webhooks of the firm. Secrets are not shown."""

    async def work(runway: Runway) -> Sequence[Subscription]:
        return await runway.subscriptions.list()

    found = session.run(work)
    session.show({"items": found}, lambda: _lay_out(found))


@command(app, "show", example="runway webhooks show wh_3f6c1d20")
def show(session: Session, webhook: Name) -> None:
    """Show one webhook: where to, which events, and how it stands."""
    _show_one(session, lambda runway: runway.subscriptions.get(webhook))


@command(app, "add", example="runway webhooks add https://hooks.firm.example/runway --event finding.opened")
def add(
    session: Session,
    url: Annotated[str, typer.Argument(help="An https address that leads to a public network.")],
    *,
    event: Annotated[
        list[EventType] | None, typer.Option("--event", help="An event; more by repeating it. All without it.")
    ] = None,
    company: Annotated[
        list[str] | None, typer.Option("--company", help="Only this company (id or name); repeat for more.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What it is for.")] = "",
) -> None:
    """Tell an address of events from now on, and print the secret that proves them, once."""

    async def work(runway: Runway) -> tuple[Subscription, str]:
        added, secret = await runway.subscriptions.add(
            url,
            event_types=event or None,
            companies=[await _find_company(runway, one) for one in company] if company else None,
            note=note,
            actor=session.actor,
        )
        return added, secret.get_secret_value()

    _show_secret(session, *session.run(work))


async def _find_company(runway: Runway, name: str) -> CompanyId:
    return (await runway.companies.find(name)).company_id


@command(app, "pause", example="runway webhooks pause wh_3f6c1d20")
def pause(session: Session, webhook: Name) -> None:
    """Deliver nothing until it is resumed; what happens meanwhile waits."""
    _show_one(session, lambda runway: runway.subscriptions.pause(webhook, actor=session.actor))


@command(app, "resume", example="runway webhooks resume wh_3f6c1d20")
def resume(session: Session, webhook: Name) -> None:
    """Deliver again, what waits first; also after it was switched off."""
    _show_one(session, lambda runway: runway.subscriptions.resume(webhook, actor=session.actor))


@command(app, "rotate", example="runway webhooks rotate wh_3f6c1d20 --grace-hours 48")
def rotate(
    session: Session,
    webhook: Name,
    grace_hours: Annotated[
        int, typer.Option("--grace-hours", min=0, max=168, help="So long the old secret signs too.")
    ] = 24,
) -> None:
    """Sign with a new secret, and with the old one too for a while; print the new one, once."""

    async def work(runway: Runway) -> tuple[Subscription, str]:
        turned, secret = await runway.subscriptions.rotate(
            webhook, grace=timedelta(hours=grace_hours), actor=session.actor
        )
        return turned, secret.get_secret_value()

    _show_secret(session, *session.run(work))


@command(app, "remove", example="runway webhooks remove wh_3f6c1d20")
def remove(session: Session, webhook: Name) -> None:
    """Tell it nothing more, and forget its secret and its deliveries."""

    async def work(runway: Runway) -> None:
        await runway.subscriptions.remove(webhook, actor=session.actor)

    session.run(work)
    session.show({"subscription_id": webhook, "removed": True}, lambda: f"{webhook} is removed")


@command(app, "test", example="runway webhooks test wh_3f6c1d20")
def test(session: Session, webhook: Name) -> int:
    """Deliver a `webhook.test` at once, and say what became of it; exits with 3 when it was not taken."""

    async def work(runway: Runway) -> WebhookDelivery:
        return await runway.subscriptions.test(webhook, actor=session.actor)

    tried = session.run(work)
    session.show(tried, lambda: f"{tried.event_id}: {_say_outcome(tried)}")
    return 0 if tried.state is DeliveryState.DELIVERED else 3


def _say_outcome(one: WebhookDelivery) -> str:
    if one.state is DeliveryState.DELIVERED:
        return f"delivered, the receiver answered {one.last_status}"
    return one.last_error or one.state.value


@command(app, "deliveries", example="runway webhooks deliveries wh_3f6c1d20 --state failed")
def list_deliveries(
    session: Session,
    webhook: Name,
    *,
    state: State = None,
    event: Event = None,
    company: Company = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """Show what was and is to be delivered, the last events first. Kept for thirty days."""

    async def work(runway: Runway) -> Sequence[WebhookDelivery]:
        found = None if company is None else await _find_company(runway, company)
        wanted = DeliveryFilter(state=state, event_type=event, company_id=found)
        return await runway.subscriptions.deliveries(webhook, wanted, limit=limit)

    found = session.run(work)
    session.show({"items": found}, lambda: _lay_out_deliveries(found))


def _lay_out_deliveries(found: Sequence[WebhookDelivery]) -> Table:
    table = new_table("Deliveries", caption=None if found else "none")
    for column in ("Event", "Type", "Company", "Happened", "State", "Attempts", "Answer", "Next attempt"):
        table.add_column(column, overflow="fold")
    for one in found:
        said = one.last_error or (NONE_YET if one.last_status is None else str(one.last_status))
        again = NONE_YET if one.next_attempt_at is None else say_moment(one.next_attempt_at)
        cells = (one.company_id or NONE_YET, say_moment(one.occurred_at), one.state.value, str(one.attempts))
        table.add_row(one.event_id, one.event_type.value, *cells, said, again)
    return table


@command(app, "replay", example="runway webhooks replay wh_3f6c1d20 --state failed")
def replay(
    session: Session,
    webhook: Name,
    events: Annotated[list[str] | None, typer.Argument(metavar="[EVENT…]", help="Which ones, by id.")] = None,
    *,
    state: State = None,
    event: Event = None,
    company: Company = None,
    since: Annotated[str | None, typer.Option("--since", metavar="DAY", help="Of this day (UTC) and later.")] = None,
) -> None:
    """Deliver again, under the same ids, what was delivered or had all its attempts."""
    given: dict[str, Any] = {"state": state, "event_type": event, "since": _read_day(since)}

    async def work(runway: Runway) -> int:
        given["company_id"] = None if company is None else await _find_company(runway, company)
        wanted = DeliveryFilter(**given) if any(value is not None for value in given.values()) else None
        return await runway.subscriptions.replay(webhook, wanted, event_ids=events or None, actor=session.actor)

    again = session.run(work)
    session.show({"replayed": again}, lambda: f"{again} deliveries are made again")


def _read_day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        raise InvalidRequest("--since wants a day, such as 2026-03-31") from error
