"""Events, written as deliveries in the transaction that makes them true: all that a subscriber is told, or nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from runway_core.domain.identity import FirmId
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.people import firm_chain
from runway_core.domain.subscriptions import (
    Announcement,
    Subscription,
    SubscriptionState,
    WebhookDelivery,
    plan_deliveries,
)
from sqlalchemy import Connection, select

from runway_store_sql.bulk import insert_rows, json_text
from runway_store_sql.rows import encode_moment
from runway_store_sql.subscription_tables import webhook_deliveries, webhook_subscriptions


def delivery_row(delivery: WebhookDelivery) -> tuple[object, ...]:
    """A delivery as a row, in the order of the table's columns."""
    return (
        delivery.company_id or firm_chain(delivery.firm_id),
        delivery.subscription_id,
        delivery.event_id,
        delivery.firm_id,
        delivery.event_type.value,
        to_microseconds(delivery.occurred_at),
        json_text(delivery.data),
        delivery.state.value,
        delivery.attempts,
        encode_moment(delivery.next_attempt_at),
        encode_moment(delivery.last_attempt_at),
        delivery.last_status,
        delivery.last_error,
    )


def announce(
    connection: Connection, firm_id: FirmId, find_news: Callable[[], Sequence[Announcement]], *, at: datetime
) -> None:
    """Write what is to be delivered of the news; a firm without subscriptions costs one look."""
    query = select(webhook_subscriptions.c.document).where(
        webhook_subscriptions.c.firm_id == firm_id, webhook_subscriptions.c.state != SubscriptionState.OFF.value
    )
    listening = [Subscription.model_validate_json(document) for document in connection.scalars(query)]
    if not listening:
        return
    news = {f"evt_{uuid4().hex}": said for said in find_news()}
    rows = [delivery_row(one) for one in plan_deliveries(listening, news, at=at)]
    insert_rows(connection, webhook_deliveries, rows)
