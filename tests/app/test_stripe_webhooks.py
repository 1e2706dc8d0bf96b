"""A card processor's event comes in by the app's door, and its account is read again."""

import hashlib
import hmac

import httpx
import msgspec
from pydantic import SecretStr
from runway_app_http.settings import AppSettings
from runway_app_http.web import create_app
from runway_core.domain.identity import RecordKind
from runway_core.runway import Runway
from runway_rail_stripe import StripeRailFactory
from runway_testkit.clock import FixedClock
from runway_testkit.memory_store import MemoryStore
from runway_testkit.sample import READ_AT

SECRET = "whsec_today"


def sign(body: bytes, secret: str) -> dict[str, str]:
    at = int(READ_AT.timestamp())
    code = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={code}"}


async def test_a_signed_event_is_kept_for_its_account_and_a_forged_or_replayed_one_leaves_no_trace() -> None:
    settings = AppSettings(
        stripe_webhook_secret=SecretStr(SECRET), stripe_webhook_secret_previous=SecretStr("whsec_old")
    )
    thing = {"id": "ch_1", "object": "charge"}
    event = {"id": "evt_1", "type": "charge.succeeded", "created": 1, "account": "acct_1", "data": {"object": thing}}
    body = msgspec.json.encode(event)
    async with Runway.open(store=MemoryStore(), rails=[StripeRailFactory()], clock=FixedClock(READ_AT)) as runway:
        company = await runway.companies.add("Sample", home_currency="USD", time_zone="UTC")
        await runway.connections.add(
            company.company_id, rail="stripe", settings={"account_id": "acct_1"}, secrets={"secret_key": "rk_test_1"}
        )
        app = create_app(runway, manages_runway=False, webhook_secrets=settings.webhook_secrets)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://runway.test") as client:
            forged = await client.post("/webhooks/stripe", content=body, headers=sign(body, "whsec_other"))
            nothing = list(await runway.scope.store.inbox.unread())
            taken = [
                await client.post("/webhooks/stripe", content=body, headers=sign(body, secret))
                for secret in (SECRET, "whsec_old")
            ]
        (kept,) = await runway.scope.store.inbox.unread()

    assert (forged.status_code, nothing) == (401, [])
    assert [answer.status_code for answer in taken] == [200, 200]
    assert kept.key.delivery_id == "evt_1"  # the same event twice is one delivery
    assert [(one.account, one.kind, one.external_id) for one in kept.events] == [("acct_1", RecordKind.CHARGE, "ch_1")]
