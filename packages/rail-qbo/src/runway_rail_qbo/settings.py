"""What a person must supply to connect a QuickBooks company: settings that are no secret, and secrets."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

PRODUCTION_URL = "https://quickbooks.api.intuit.com"
SANDBOX_URL = "https://sandbox-quickbooks.api.intuit.com"
AUTHORIZE_URL = "https://appcenter.intuit.com/connect/oauth2"
TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
REVOKE_URL = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
PRODUCTION_DISCOVERY_URL = "https://developer.api.intuit.com/.well-known/openid_configuration/"
SANDBOX_DISCOVERY_URL = "https://developer.api.intuit.com/.well-known/openid_sandbox_configuration/"

SCOPE = "com.intuit.quickbooks.accounting"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class QboSettings(BaseModel):
    """One company at QuickBooks. With `base_url` the environment is `custom`, such as a local sandbox server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    realm_id: Annotated[str, Field(description="The company id that Intuit shows and sends back as `realmId`")]
    environment: Literal["production", "sandbox", "custom"] = "production"
    base_url: str = ""  # what stands before /v3; set by the environment unless it is custom
    discovery_url: str = ""
    authorize_url: str = AUTHORIZE_URL
    token_url: str = ""
    revoke_url: str = REVOKE_URL
    minor_version: Annotated[int, Field(ge=75)] = 75  # lower ones are ignored since 2025-08-01
    page_size: Annotated[int, Field(ge=2, le=1000)] = 1000
    calls_per_minute: Annotated[int, Field(ge=1)] = 450  # Intuit allows 500 a company
    calls_per_second: Annotated[int, Field(ge=1)] = 9  # Intuit allows 10 a company and app
    calls_at_once: Annotated[int, Field(ge=1, le=10)] = 5  # one of them is kept for people
    connect_seconds: Annotated[float, Field(gt=0)] = 5.0
    read_seconds: Annotated[float, Field(gt=0, le=120)] = 30.0  # Intuit cuts off after 120 s
    overlap_seconds: Annotated[int, Field(ge=0, le=3600)] = 180  # how far each pull reaches back before the last
    horizon_days: Annotated[int, Field(ge=1, le=30)] = 29  # older than this, everything is read again
    company_info_hours: Annotated[int, Field(ge=1)] = 24  # how often the company's own record is read again

    @model_validator(mode="before")
    @classmethod
    def _fill_addresses(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        environment = filled.setdefault("environment", "custom" if filled.get("base_url") else "production")
        if environment in {"production", "sandbox"}:
            is_production = environment == "production"
            own = PRODUCTION_URL if is_production else SANDBOX_URL
            if filled.get("base_url") not in {None, "", own}:
                raise ValueError(f"base_url is set, so environment must be 'custom' or left out, not {environment!r}")
            filled["base_url"] = own
            filled.setdefault("token_url", TOKEN_URL)
            filled.setdefault("discovery_url", PRODUCTION_DISCOVERY_URL if is_production else SANDBOX_DISCOVERY_URL)
        return filled

    @field_validator("realm_id")
    @classmethod
    def _check_realm(cls, value: str) -> str:
        if not re.fullmatch(r"[0-9]{1,24}", value):
            raise ValueError(
                "realm_id must be the company id in digits, such as 9341457021722202: QuickBooks shows it under "
                "Settings, Additional info, and sends it back as `realmId` when the company is connected"
            )
        return value

    @field_validator("base_url", "discovery_url", "authorize_url", "token_url", "revoke_url")
    @classmethod
    def _check_address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{value!r} is not a web address: enter it whole, such as {PRODUCTION_URL!r}")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"{value!r} would send tokens in the clear: use https")
        return value.rstrip("/") if not value.endswith("configuration/") else value

    @model_validator(mode="after")
    def _check_custom(self) -> Self:
        if not self.base_url or not self.token_url:
            raise ValueError(
                "environment 'custom' needs token_url and base_url, which is what stands before /v3 (http://127.0.0.1:8700)"
            )
        return self

    @property
    def company_url(self) -> str:
        """The address under which everything of this company is."""
        return f"{self.base_url}/v3/company/{self.realm_id}"


class QboSecrets(BaseModel):
    """The keys of the app at Intuit and the tokens of one connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: SecretStr
    client_secret: SecretStr
    refresh_token: SecretStr
    access_token: SecretStr | None = None

    @field_validator("client_id", "client_secret", "refresh_token")
    @classmethod
    def _check_present(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip():
            raise ValueError("must not be empty: copy it from the app's Keys page at developer.intuit.com")
        return value
