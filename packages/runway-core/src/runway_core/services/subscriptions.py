"""Webhooks out: addresses of a firm that are told of events. Only owners of a firm who see all of it manage them."""

import base64
import secrets as random_source
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr, ValidationError

from runway_core.domain.alerts import AlertKind, Condition, Severity
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import Need
from runway_core.domain.record import encode_plain
from runway_core.domain.subscriptions import (
    LOG_KIND,
    Attempt,
    DeliveryFilter,
    DeliveryState,
    EventType,
    SigningSecret,
    Subscription,
    SubscriptionState,
    WebhookDelivery,
)
from runway_core.errors import InvalidRequest, NotFound, NotSupported
from runway_core.ports.subscriptions import Announcer, SubscriptionStore
from runway_core.services.companies import explain_invalid
from runway_core.services.house_papers import HouseDesk
from runway_core.services.papers import clean_text
from runway_core.services.scope import Scope

MOST_SUBSCRIPTIONS = 20
"""So many a firm may have: each event costs a delivery for every one that wants it."""

SECRET_BYTES = 32
USUAL_GRACE = timedelta(hours=24)
LONGEST_GRACE = timedelta(days=7)
MOST_SECRETS = 5
"""So many signatures a delivery carries at most."""


class SubscriptionService:
    """Adds, shows, pauses, resumes and removes subscriptions, changes their secrets, tests and replays."""

    def __init__(self, scope: Scope, announcer: Announcer | None) -> None:
        self._scope = scope
        self._announcer = announcer
        self._house = HouseDesk(scope)

    @property
    def _store(self) -> SubscriptionStore:
        return self._scope.store.subscriptions

    async def list(self) -> Sequence[Subscription]:
        """All of the firm, the oldest first.

        Raises:
            NotAllowed: the caller is no owner who sees all of the firm.
        """
        self._house.demand_whole_firm(Need.ADMIN)
        return await self._store.subscriptions(self._scope.firm_id)

    async def get(self, subscription_id: str) -> Subscription:
        """One of the firm.

        Raises:
            NotAllowed: the caller is no owner who sees all of the firm.
            NotFound: the firm has no such subscription.
        """
        for held in await self.list():
            if held.subscription_id == subscription_id:
                return held
        raise NotFound(
            f"no webhook {subscription_id[:60]!r} in this firm: `runway webhooks list` shows those there are"
        )

    async def add(
        self,
        url: str,
        *,
        actor: str,
        event_types: Sequence[EventType] | None = None,
        companies: Sequence[CompanyId] | None = None,
        note: str = "",
    ) -> tuple[Subscription, SecretStr]:
        """Tell an address of events from now on; returns the secret that proves them, which is not shown again.

        Args:
            url: where to.
            actor: who asks, where nobody is signed in.
            event_types: which events; all, later ones too, when absent.
            companies: about which companies; all of the firm, and the firm as a whole, when absent.
            note: what it is for.

        Raises:
            NotAllowed: the caller is no owner who sees all of the firm.
            InvalidRequest: an address that may not be told or is told already, a test as an event, or too many.
            NotFound: a company that the firm does not have.
            NotSupported: nothing here carries events outside.
        """
        held = await self.list()
        address = self._demand_announcer().check_address(url)
        if any(one.url == address for one in held):
            raise InvalidRequest("this address is told already: remove that webhook first, or pause it")
        if len(held) >= MOST_SUBSCRIPTIONS:
            raise InvalidRequest(f"a firm has {MOST_SUBSCRIPTIONS} webhooks at most: remove one first")
        await self._demand_companies(companies or ())
        values = {
            "subscription_id": f"wh_{self._scope.new_id()}",
            "firm_id": self._scope.firm_id,
            "url": address,
            "note": clean_text(note, "the note"),
            "event_types": None if event_types is None else _demand_types(event_types),
            "companies": None if companies is None else tuple(dict.fromkeys(companies)),
            "created_at": self._scope.clock.now(),
            "created_by": self._scope.name_actor(actor),
        }
        try:
            subscription = Subscription.model_validate(values)
        except ValidationError as error:
            raise InvalidRequest(explain_invalid(error)) from error
        secret = make_secret()
        draft = self._draft("webhook_added", subscription, actor=actor)
        stored = await self._store.save(subscription, [draft], secrets=[SigningSecret(secret=secret)])
        return stored, secret

    async def _demand_companies(self, companies: Sequence[CompanyId]) -> None:
        known = {company.company_id for company in await self._scope.companies()} if companies else set()
        for company_id in companies:
            if company_id not in known:
                raise NotFound(f"no company {company_id!r} in this firm")

    async def pause(self, subscription_id: str, *, actor: str) -> Subscription:
        """Deliver nothing until it is resumed; what happens meanwhile waits. Repeating is harmless.

        Raises:
            NotAllowed, NotFound: as `get`.
            InvalidRequest: it is off: there is nothing to pause.
        """
        held = await self.get(subscription_id)
        if held.state is SubscriptionState.OFF:
            raise InvalidRequest(f"the webhook is off: {held.reason}")
        return await self._turn(held, SubscriptionState.PAUSED, "webhook_paused", actor=actor)

    async def resume(self, subscription_id: str, *, actor: str) -> Subscription:
        """Deliver again, what waits first, also after it was switched off. Repeating is harmless.

        Raises:
            NotAllowed, NotFound: as `get`.
        """
        held = await self.get(subscription_id)
        return await self._turn(held, SubscriptionState.ACTIVE, "webhook_resumed", actor=actor)

    async def _turn(self, held: Subscription, state: SubscriptionState, what: str, *, actor: str) -> Subscription:
        if held.state is state:
            return held
        turned = held.model_copy(update={"state": state, "reason": None, "failing_since": None})
        return await self._store.save(turned, [self._draft(what, turned, actor=actor)])

    async def rotate(
        self, subscription_id: str, *, actor: str, grace: timedelta = USUAL_GRACE
    ) -> tuple[Subscription, SecretStr]:
        """Sign with a new secret from now on, and with the old one too until `grace` is over; returns the new one.

        Raises:
            NotAllowed, NotFound: as `get`.
            InvalidRequest: a grace of less than nothing or more than a week.
            StaleRevision: it was changed meanwhile.
        """
        if not timedelta(0) <= grace <= LONGEST_GRACE:
            raise InvalidRequest("the old secret signs for 0 to 168 hours more")
        held = await self.get(subscription_id)
        now = self._scope.clock.now()
        secret, end = make_secret(), now + grace
        kept = [
            one.model_copy(update={"until": end if one.until is None else min(one.until, end)})
            for one in await self._store.secrets(self._scope.firm_id, subscription_id)
        ]
        fresh = [SigningSecret(secret=secret), *(one for one in kept if one.is_good(now))][:MOST_SECRETS]
        draft = self._draft("webhook_rotated", held, actor=actor)
        return await self._store.save(held, [draft], secrets=fresh), secret

    async def remove(self, subscription_id: str, *, actor: str) -> None:
        """Tell it nothing more, and forget its secret and its deliveries.

        Raises:
            NotAllowed, NotFound: as `get`.
        """
        held = await self.get(subscription_id)
        await self._store.remove(
            self._scope.firm_id, subscription_id, [self._draft("webhook_removed", held, actor=actor)]
        )

    async def test(self, subscription_id: str, *, actor: str) -> WebhookDelivery:
        """Deliver a `webhook.test` at once, whatever the state, and say what became of it. It is not tried again.

        Raises:
            NotAllowed, NotFound: as `get`.
            NotSupported: nothing here carries events outside.
        """
        held, announcer = await self.get(subscription_id), self._demand_announcer()
        now = self._scope.clock.now()
        delivery = WebhookDelivery(
            subscription_id=subscription_id,
            event_id=f"evt_{random_source.token_hex(16)}",
            firm_id=held.firm_id,
            event_type=EventType.TEST,
            company_id=None,
            occurred_at=now,
        )
        secrets = await self._store.secrets(held.firm_id, subscription_id)
        good = [secret for secret in secrets if secret.is_good(now)]
        attempt = await announcer.announce(held.url, delivery, secrets=good, now=now)
        tried = _end_test(delivery, attempt, now)
        await self._store.add_delivery(tried, [self._draft("webhook_tested", held, actor=actor)])
        return tried

    async def deliveries(
        self,
        subscription_id: str,
        wanted: DeliveryFilter | None = None,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[WebhookDelivery]:
        """What was and is to be delivered, the last events first; `after` is moment and id of the last one shown.

        Raises:
            NotAllowed, NotFound: as `get`.
        """
        held = await self.get(subscription_id)
        found = wanted or DeliveryFilter()
        return await self._store.deliveries(held.firm_id, subscription_id, found, after=after, limit=limit)

    async def replay(
        self,
        subscription_id: str,
        wanted: DeliveryFilter | None = None,
        *,
        event_ids: Sequence[str] | None = None,
        actor: str,
    ) -> int:
        """Deliver again, under the same ids, what was delivered or had all its attempts; returns how many that are.

        Args:
            subscription_id: to whom.
            wanted: which deliveries.
            event_ids: some of them by id.
            actor: who asks, where nobody is signed in.

        Raises:
            NotAllowed, NotFound: as `get`.
            InvalidRequest: neither ids nor a filter.
        """
        if wanted is None and not event_ids:
            raise InvalidRequest("say which: events by id, or a state, a type, a company or a day")
        held = await self.get(subscription_id)
        return await self._store.replay(
            held.firm_id,
            subscription_id,
            wanted or DeliveryFilter(),
            [self._draft("webhook_replayed", held, actor=actor)],
            event_ids=event_ids,
            at=self._scope.clock.now(),
        )

    async def conditions(self) -> Sequence[Condition]:
        """What someone should know: which subscriptions were switched off, until they are resumed or removed."""
        return [
            Condition(
                f"webhook:{one.subscription_id}",
                AlertKind.WEBHOOK_OFF,
                Severity.TICKET,
                f"the webhook {one.subscription_id} was switched off: {one.reason}",
            )
            for one in await self._store.subscriptions(self._scope.firm_id)
            if one.state is SubscriptionState.OFF
        ]

    def _demand_announcer(self) -> Announcer:
        if self._announcer is None:
            raise NotSupported("nothing here carries events outside: open `Runway` with an `announcer`")
        return self._announcer

    def _draft(self, what: str, subscription: Subscription, *, actor: str) -> LogDraft:
        """An entry about a subscription: of its address only the host, since the path may hold a password."""
        content = {
            "host": "/".join(subscription.url.split("/", 3)[:3]),
            "event_types": subscription.event_types,
            "companies": subscription.companies,
            "state": subscription.state,
        }
        return LogDraft(
            seen_at=self._scope.clock.now(),
            rail="",
            kind=LOG_KIND,
            external_id=subscription.subscription_id,
            what=what,
            attribution=self._scope.by_owner(actor),
            content=encode_plain(content),
        )


def make_secret() -> SecretStr:
    """A new secret to sign with, as Standard Webhooks writes them."""
    return SecretStr("whsec_" + base64.b64encode(random_source.token_bytes(SECRET_BYTES)).decode())


def _demand_types(event_types: Sequence[EventType]) -> tuple[EventType, ...]:
    if not event_types or EventType.TEST in event_types:
        raise InvalidRequest(f"name events to tell, or none for all; {EventType.TEST.value!r} comes when asked for")
    return tuple(dict.fromkeys(event_types))


def _end_test(delivery: WebhookDelivery, attempt: Attempt, at: datetime) -> WebhookDelivery:
    return delivery.model_copy(
        update={
            "state": DeliveryState.DELIVERED if attempt.is_accepted else DeliveryState.FAILED,
            "attempts": 1,
            "last_attempt_at": at,
            "last_status": attempt.status,
            "last_error": attempt.error,
        }
    )
