"""What a person must supply to read a company's Stripe account: settings that are no secret, and a key."""

import datetime as dt
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

LIVE_URL = "https://api.stripe.com"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class StripeSettings(BaseModel):
    """One account. Test and live data share one address, the key decides; with `base_url` it is another (`custom`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: Annotated[str, Field(pattern=r"^acct_[A-Za-z0-9_]+$", description="The account, such as acct_1Pga…")]
    through_platform: bool = False
    """Whether the key is a platform's, which reads connected accounts (`Stripe-Account`), and not the account's own."""
    environment: Literal["stripe", "custom"] = "stripe"
    base_url: str = ""
    read_from: dt.date | None = None  # nothing older is read; `None`: all there is
    reads_invoices: bool = True  # off where the key has no permission for invoices: charges then tell no number
    page_size: Annotated[int, Field(ge=1, le=100)] = 100
    calls_per_second: Annotated[int, Field(ge=1)] = 20  # Stripe allows 25 for any one endpoint
    calls_at_once: Annotated[int, Field(ge=1)] = 4
    feed_minutes: Annotated[int, Field(ge=1)] = 60  # how often movements are asked for though no event told of any
    sweep_hours: Annotated[int, Field(ge=1)] = 24
    sweep_days: Annotated[int, Field(ge=1, le=365)] = (
        35  # how far back a sweep reads again what events may have left out
    )
    connect_seconds: Annotated[float, Field(gt=0)] = 5.0
    read_seconds: Annotated[float, Field(gt=0)] = 30.0

    @model_validator(mode="before")
    @classmethod
    def _fill_address(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        environment = filled.setdefault("environment", "custom" if filled.get("base_url") else "stripe")
        if environment == "stripe":
            if filled.get("base_url") not in {None, "", LIVE_URL}:
                raise ValueError("base_url is set, so environment must be 'custom' or left out, not 'stripe'")
            filled["base_url"] = LIVE_URL
        return filled

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"base_url {self.base_url!r} is not a web address: enter it whole, such as {LIVE_URL!r}")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"base_url {self.base_url!r} would send the key in the clear: use https")
        return self


class StripeSecrets(BaseModel):
    """A key that may read: a restricted key of the account, or a platform's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret_key: SecretStr

    @field_validator("secret_key")
    @classmethod
    def _check_kind(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("sk_", "rk_")):
            raise ValueError(
                "must be a secret or a restricted key (sk_… or rk_…): dashboard.stripe.com/apikeys has them"
            )
        return value
