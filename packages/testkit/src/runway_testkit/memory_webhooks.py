"""Webhooks of the made-up vendor: signed, and read by the rule that every rail's reader keeps."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.webhooks import Delivery, RailEvent
from runway_core.errors import WebhookRefused

SIGNATURE = "memory-signature"


def write_webhook(account: str, *keys: RecordKey | tuple[str, str], name: str | None = None) -> bytes:
    """A delivery that says of each key that it was edited."""
    events = [{"kind": str(kind), "id": external_id} for kind, external_id in keys]
    return json.dumps({"account": account, "name": name, "events": events}).encode()


def sign_webhook(body: bytes, secret: str) -> dict[str, str]:
    """The headers with which a delivery comes."""
    return {SIGNATURE: hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


class MemoryWebhookReader:
    """The `WebhookReader` of the books in memory; an account is the name of the books."""

    @property
    def announces(self) -> frozenset[RecordKind]:
        """Every kind."""
        return frozenset(RECORD_CLASSES)

    def account_of(self, settings: Mapping[str, Any]) -> str | None:
        """The name of the books."""
        return settings.get("books")

    async def read(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[SecretStr], now: datetime
    ) -> Delivery:
        """Prove a delivery and read it; see the port."""
        signature = headers.get(SIGNATURE, "")
        if not any(sign_webhook(body, s.get_secret_value())[SIGNATURE] == signature for s in secrets):
            raise WebhookRefused("not signed by the books in memory")
        try:
            told = json.loads(body)
            events = [
                RailEvent(
                    account=told["account"],
                    kind=RecordKind(event["kind"]) if event["kind"] in set(RecordKind) else None,
                    external_id=event["id"],
                    operation="update",
                    at=now,
                )
                for event in told["events"]
            ]
        except (ValueError, KeyError, TypeError):
            return Delivery(events=(), problem="the body is not a delivery")
        return Delivery(events=tuple(events), delivery_id=told.get("name"))
