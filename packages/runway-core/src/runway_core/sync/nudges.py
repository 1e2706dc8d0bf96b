"""From what rails sent to what is to be pulled: decide, touch nothing."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from runway_core.domain.jobs import Lane, NewJob
from runway_core.domain.webhooks import InboxDelivery, Listener, RailAccount
from runway_core.sync.schedule import PULLABLE, make_pull

SETTLE = timedelta(seconds=2)
"""A pull waits so long after the first news: what comes in a burst is then read at once, by one pull."""


def plan_nudges(deliveries: Iterable[InboxDelivery], listeners: Iterable[Listener]) -> list[NewJob]:
    """One pull for each connection of which a delivery speaks, however many events there are.

    What the events say is not looked at: the rail is read again by its change feed, which brings whatever happened in
    whatever order, and nothing where the news was an echo of our own write. Connections that wait for a person, and
    accounts that nobody connected, ask for nothing. The jobs do not depend on the order of what is given.
    """
    heard: dict[RailAccount, list[InboxDelivery]] = defaultdict(list)
    for delivery in deliveries:
        for account in delivery.accounts:
            heard[account].append(delivery)
    jobs = []
    for listener in sorted(listeners, key=lambda one: (one.company_id, one.connection_id)):
        news = sorted(heard.get(listener.account, ()), key=lambda delivery: (delivery.received_at, delivery.key))
        if not news or listener.state not in PULLABLE:
            continue
        jobs.append(
            make_pull(
                listener,
                lane=Lane.WEBHOOK,
                run_at=news[0].received_at + SETTLE,
                cause_id=news[-1].key.delivery_id,
                correlation_id=news[0].key.delivery_id,
            )
        )
    return jobs
