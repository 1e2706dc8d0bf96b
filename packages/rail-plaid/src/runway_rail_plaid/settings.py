"""What a person must supply to read a company's bank through Plaid: settings that are no secret, and secrets."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

PRODUCTION_URL = "https://production.plaid.com"
SANDBOX_URL = "https://sandbox.plaid.com"
_ADDRESSES = {"production": PRODUCTION_URL, "sandbox": SANDBOX_URL}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class PlaidSettings(BaseModel):
    """One login at one bank (Plaid calls it an Item). With `base_url` the environment is `custom`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: Annotated[str, Field(min_length=1, description="The Item that Plaid made when the person signed in")]
    environment: Literal["production", "sandbox", "custom"] = "production"
    base_url: str = ""
    ledger_accounts: Mapping[str, str] = Field(default_factory=dict)
    """Plaid's account ids to account ids of the ledger, where number and name do not tell."""
    page_size: Annotated[int, Field(ge=1, le=500)] = 500  # large pages meet fewer changes while they are read
    calls_per_minute: Annotated[int, Field(ge=1)] = (
        45  # Plaid allows 50 an Item; of the scarcer calls a pull makes one each
    )
    item_check_minutes: Annotated[int, Field(ge=1)] = 60  # how often the age of the bank's data is asked for
    connect_seconds: Annotated[float, Field(gt=0)] = 5.0
    read_seconds: Annotated[float, Field(gt=0)] = 30.0
    live_read_seconds: Annotated[float, Field(gt=0)] = 70.0  # a live balance comes from the bank itself

    @model_validator(mode="before")
    @classmethod
    def _fill_address(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        environment = filled.setdefault("environment", "custom" if filled.get("base_url") else "production")
        own = _ADDRESSES.get(environment)
        if own is not None:
            if filled.get("base_url") not in {None, "", own}:
                raise ValueError(f"base_url is set, so environment must be 'custom' or left out, not {environment!r}")
            filled["base_url"] = own
        return filled

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                f"base_url {self.base_url!r} is not a web address: enter it whole, such as {SANDBOX_URL!r}"
            )
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"base_url {self.base_url!r} would send keys in the clear: use https")
        return self


class PlaidSecrets(BaseModel):
    """The keys of the app at Plaid and the access token of one Item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: SecretStr
    secret: SecretStr
    access_token: SecretStr

    @field_validator("client_id", "secret", "access_token")
    @classmethod
    def _check_present(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip():
            raise ValueError("must not be empty: keys are at dashboard.plaid.com, the token comes from Plaid Link")
        return value
