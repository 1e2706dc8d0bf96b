"""What a person may set. Every open question of facts/qbo.md section 11 is a switch here, not a guess in the code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

KNOWN_RAILS = ("qbo", "plaid", "ramp", "stripe")


@dataclass(frozen=True, slots=True)
class ThrottleLimits:
    """The vendor's limits per company (facts/qbo.md 7.1); `enabled=False` lifts them all."""

    enabled: bool = True
    calls_per_minute: int = 500
    calls_per_second: int = 10
    at_once: int = 10
    batches_per_minute: int = 40
    retry_after_seconds: int | None = None  # the vendor sends none


@dataclass(frozen=True, slots=True)
class OAuthRules:
    """How tokens live and die (facts/qbo.md 1.2, 1.3)."""

    access_lifetime_s: int = 3600
    refresh_lifetime_s: int = 8_640_000
    hard_lifetime_s: int = 157_680_000
    rotation_after_s: int = 86_400  # the value of the refresh token changes about once a day
    old_refresh_grace_s: int = 0
    code_lifetime_s: int = 600
    refresh_takes_s: float = 0.02  # real seconds a refresh takes, so that two can meet
    double_refresh: Literal["poison", "refuse", "allow"] = "poison"
    describe_invalid_grant: bool = False  # which of the two recorded `invalid_grant` bodies to send


@dataclass(frozen=True, slots=True)
class WireRules:
    """What the vendor's documents leave open."""

    id_order: Literal["number", "text"] = "number"
    default_order: Literal["newest_first", "oldest_first"] = "newest_first"
    bare_numbers: bool = True  # `Balance > 5` without quotes is accepted
    total_count: bool = True  # on first pages of the kinds where it was recorded
    cdc_cap: int = 1000
    cdc_cap_shared: bool = True  # over all kinds asked, else per kind
    cdc_horizon_days: int = 30
    cdc_reports_balance_moves: bool = True  # of accounts whose balance alone moved
    batch_items: int = 30
    unique_doc_numbers: bool = False
    accept_decides_form: bool = True  # XML unless JSON is asked for


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """How events are sent (facts/qbo.md 5)."""

    verifier_token: str = "sandbox-verifier-token"  # noqa: S105  (made up, and public on purpose)
    form: Literal["legacy", "cloudevents"] = "cloudevents"
    answer_within_s: float = 3.0
    keep_at_most: int = 10_000


@dataclass(frozen=True, slots=True)
class PlaidKeys:
    """The app's keys at the vendor that reads bank accounts."""

    client_id: str = "5f0sandboxclientid000000"
    secret: str = "sandbox-plaid-secret"  # noqa: S105  (made up, and public on purpose)


@dataclass(frozen=True, slots=True)
class RampRules:
    """The vendor that pays bills: its keys, and what facts/ramp.md leaves open."""

    webhook_secret: str = "ramp_sec_sandbox_webhooks"  # noqa: S105  (made up, and public on purpose)
    signature_header: str = "X-Ramp-Webhook-Signature"
    token_lifetime_s: int = 864_000
    code_lifetime_s: int = 600
    tells_scope: bool = False  # seen live: the reply bears no scope
    accounting: Literal["direct", "api", "none"] = "direct"
    calls_per_window: int = 200
    window_s: float = 10.0


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """The platform's keys at the vendor that takes card payments."""

    secret_key: str = "sk_test_sandboxPlatform0000"  # noqa: S105  (made up, and public on purpose)
    webhook_secret: str = "whsec_sandboxWebhook0000"  # noqa: S105  (made up, and public on purpose)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """One sandbox: how many companies of what size, where it listens, and how it behaves."""

    clients: int = 3
    bills_per_client: int = 200
    seed: int = 7
    host: str = "127.0.0.1"
    port: int = 0  # 0 takes a free one
    chaos: str = "none"
    rails: tuple[str, ...] = KNOWN_RAILS
    start_at: datetime | None = None
    client_id: str = "ABsandboxclientid"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  (made up, and public on purpose)
    throttle: ThrottleLimits = field(default_factory=ThrottleLimits)
    oauth: OAuthRules = field(default_factory=OAuthRules)
    wire: WireRules = field(default_factory=WireRules)
    webhooks: WebhookRules = field(default_factory=WebhookRules)
    plaid: PlaidKeys = field(default_factory=PlaidKeys)
    stripe: StripeKeys = field(default_factory=StripeKeys)
    ramp: RampRules = field(default_factory=RampRules)
