"""What a person must supply to read a company's Ramp: settings that are no secret, and secrets."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

PRODUCTION_URL = "https://api.ramp.com"
DEMO_URL = "https://demo-api.ramp.com"
_ADDRESSES = {"production": PRODUCTION_URL, "demo": DEMO_URL}
_CONSENT = {"production": "https://app.ramp.com/v1/authorize", "demo": "https://demo.ramp.com/v1/authorize"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

SCOPES = (
    "bills:read",
    "bills:write",
    "business:read",
    "entities:read",
    "transactions:read",
    "vendors:read",
)
"""What the rail asks for: reading, and drafts of bills. None of Ramp's scopes lets an app approve or pay."""


class RampSettings(BaseModel):
    """One business at Ramp. With `base_url` the environment is `custom`, such as a local sandbox server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Literal["production", "demo", "custom"] = "production"
    base_url: str = ""  # what stands before /developer/v1
    authorize_url: str = ""
    business_id: str = ""  # which business webhooks speak of; Ramp shows it as `id` at /developer/v1/business
    scopes: tuple[str, ...] = SCOPES
    page_size: Annotated[int, Field(ge=2, le=100)] = 100
    calls_per_ten_seconds: Annotated[int, Field(ge=1)] = 150  # Ramp allows 200 an address, for all companies together
    calls_at_once: Annotated[int, Field(ge=1, le=20)] = 5
    look_minutes: Annotated[int, Field(ge=1)] = 60  # how often what tells of no change is looked through
    whole_hours: Annotated[int, Field(ge=1)] = 24  # how often all bills and vendors are read again
    paid_days: Annotated[int, Field(ge=1)] = 3  # how far back each pull asks for what was paid
    archived_days: Annotated[int, Field(ge=1)] = 180  # of bills made since then it is asked whether they were archived
    purchase_days: Annotated[int, Field(ge=1)] = 540  # how far back the first load reads purchases
    overlap_seconds: Annotated[int, Field(ge=0, le=3600)] = 600  # how far each pull reaches back before the last
    connect_seconds: Annotated[float, Field(gt=0)] = 5.0
    read_seconds: Annotated[float, Field(gt=0)] = 65.0  # Ramp gives up after 60 s, with 504

    @model_validator(mode="before")
    @classmethod
    def _fill_addresses(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        environment = filled.setdefault("environment", "custom" if filled.get("base_url") else "production")
        own = _ADDRESSES.get(environment)
        if own is not None:
            if filled.get("base_url") not in {None, "", own}:
                raise ValueError(f"base_url is set, so environment must be 'custom' or left out, not {environment!r}")
            filled["base_url"] = own
            filled.setdefault("authorize_url", _CONSENT[environment])
        return filled

    @model_validator(mode="after")
    def _check_addresses(self) -> Self:
        for url in (self.base_url, self.authorize_url):
            parts = urlsplit(url)
            if not url and url is self.authorize_url:
                continue
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError(f"{url!r} is not a web address: enter it whole, such as {DEMO_URL!r}")
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
                raise ValueError(f"{url!r} would send keys in the clear: use https")
        return self

    @property
    def api_url(self) -> str:
        """The address under which everything is."""
        return f"{self.base_url.rstrip('/')}/developer/v1"


class RampSecrets(BaseModel):
    """The keys of an app at Ramp: the company's own, or a partner's with the tokens that its owner's consent gave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: SecretStr
    client_secret: SecretStr
    refresh_token: SecretStr | None = None  # only of a partner's app
    access_token: SecretStr | None = None

    @field_validator("client_id", "client_secret")
    @classmethod
    def _check_present(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip():
            raise ValueError("must not be empty: an admin finds it in Ramp under Company, Developer API")
        return value
