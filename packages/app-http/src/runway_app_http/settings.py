"""Where settings come from: flags, then `RUNWAY_*` environment, then `runway.toml`; and what each may be."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from runway_core.errors import InvalidRequest
from runway_core.services.companies import explain_invalid

from runway_app_http.logs import LogFormat, LogLevel

PREFIX = "RUNWAY_"
SETTINGS_FILE = Path("runway.toml")
FILE_VARIABLE = "RUNWAY_CONFIG"
"""Names another settings file; that one must be there."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def settings_file() -> Path:
    """The settings file of the working folder, or the one that `RUNWAY_CONFIG` names."""
    return Path(os.environ.get(FILE_VARIABLE) or SETTINGS_FILE)


class AppSettings(BaseSettings):
    """Everything that can be set: `RUNWAY_DATABASE_URL` in the environment is `database_url` in `runway.toml`.

    Secrets have no flag: they come from the environment or the file.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    database_url: str = "sqlite:///runway.db"
    secret_key: SecretStr | None = None  # under which secrets are kept; SQLite makes a key file without it
    secret_key_file: Path | None = None  # a file that holds that key instead
    secret_key_command: str | None = None  # a command that prints that key instead; run without a shell
    other_secret_keys: tuple[SecretStr, ...] = ()  # open what was kept with them, and seal nothing new
    log_key: SecretStr | None = None  # signs anchors and archives; without it, keys are made and sealed in the database
    log_key_before: SecretStr | None = None  # the key before `log_key`, to endorse it when keys are changed
    anchor_folder: Path | None = None  # where anchors are written to; beside a SQLite file without it
    log_archive_folder: Path | None = None  # where archived months of the log are, and are read from when they are out
    anchor_bucket: str | None = None  # anchors are written there too: s3://bucket/folder
    log_archive_bucket: str | None = None  # archived months are copied there, and fetched when the folder has them not
    bucket_endpoint: str | None = None  # of an S3-compatible store that is not Amazon's: https://…
    bucket_region: str | None = None
    bucket_key_id: SecretStr | None = None  # without them the machine's own key is used
    bucket_key_secret: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000  # 0 takes a free one
    allowed_hosts: tuple[str, ...] = ()  # names the app answers to; those of this machine when it serves it alone
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")  # addresses, networks: they say who asks (X-Forwarded-For)
    public_url: str | None = None  # where people reach the app: https://runway.firm.example
    session_idle_minutes: Annotated[int, Field(ge=5, le=24 * 60)] = 60  # a session unused for so long is over
    session_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 12  # and after so long in any case
    oidc_issuer: str | None = None  # the firm's sign-in service (OpenID Connect)
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "your firm"  # what the button calls it: "Sign in with …"
    calls_per_minute: Annotated[int, Field(ge=10, le=100_000)] = 600  # of one key; of one network address four times
    api_key: SecretStr | None = None  # commands act as the person of this key, within its rights
    tick_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    tick_minutes_by_rail: dict[str, Annotated[int, Field(ge=1, le=1440)]] = Field(default_factory=dict)  # {"plaid": 60}
    heard_percent: Annotated[int, Field(ge=100, le=400)] = 133  # of these, where a rail tells of every change
    companies_at_once: Annotated[int, Field(ge=1, le=64)] = 16
    broker_url: SecretStr | None = None  # redis://host:6379/0: schedulers tell workers through it what is due
    log_level: LogLevel | None = None  # each command has a default of its own
    log_format: LogFormat = "console"
    actor: str | None = None  # who acts, in the log; the user of the machine without it
    smtp_url: SecretStr | None = None  # smtp://user:password@host:587, or smtps://…:465; digests are sent through it
    mail_from: str | None = None  # the sender of digests: "Ada Firm <ada@firm.example>"
    digest_to: tuple[str, ...] = ()  # who gets the firm's digest each morning; nobody without it
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 7  # from which hour on, where most companies are
    quotas: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)  # {"qbo": 1000000}: calls a month
    quota_live_percent: Annotated[int, Field(ge=0, le=50)] = 5  # of a quota, kept for people
    fresh_minutes: Annotated[int, Field(ge=1, le=1440)] = 15  # what is promised: data no older than this …
    fresh_percent: Annotated[int, Field(ge=50, le=99)] = 95  # … for so many in a hundred connections
    late_minutes: Annotated[int, Field(ge=1)] = 60  # data older than this failed to come
    critical_minutes: Annotated[int, Field(ge=0)] = 15  # how old may be: what moves cash,
    standard_minutes: Annotated[int, Field(ge=0)] = 60  # names and terms,
    history_minutes: Annotated[int, Field(ge=0)] = 1440  # and what hardly ever changes
    alert_webhook_url: SecretStr | None = None  # where alerts are sent to; https
    alert_webhook_secret: SecretStr | None = None  # they are signed with it
    alert_allow_private: bool = False  # whether that may lie in a private network
    webhooks_allow_private: bool = False  # whether events may be told to http and private networks; for development
    alert_mail_to: tuple[str, ...] = ()  # who gets them by mail
    qbo_client_id: str | None = None
    qbo_client_secret: SecretStr | None = None
    qbo_refresh_token: SecretStr | None = None
    qbo_environment: Literal["production", "sandbox"] = "production"
    qbo_webhook_verifier: SecretStr | None = None  # the vendor signs webhooks with it
    qbo_webhook_verifier_previous: SecretStr | None = None  # the one before, while it is still signed with
    ramp_webhook_secrets: tuple[SecretStr, ...] = ()  # of the subscriptions: each business has one of its own
    plaid_webhook_keys: SecretStr | None = None  # client_id:secret of the app, with which keys of webhooks are fetched
    stripe_webhook_secret: SecretStr | None = None  # whsec_…, or acct_…:whsec_… for an account's own address
    stripe_webhook_secret_previous: SecretStr | None = None  # the one before, while it is still signed with

    @property
    def served_address(self) -> str:
        """Where people reach the app, for links that commands print."""
        return self.public_url or f"http://{'localhost' if self.host in LOOPBACK else self.host}:{self.port}"

    @property
    def anchor_folders(self) -> tuple[Path, ...]:
        """The folders to which anchors of the log are written; none for a server's database unless one is set."""
        if self.anchor_folder is not None:
            return (self.anchor_folder,)
        file = self.database_url.partition("sqlite:///")[2].partition("?")[0]
        return (Path(f"{file}.anchors"),) if file else ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    @property
    def webhook_secrets(self) -> dict[str, list[SecretStr]]:
        """By rail, what proves that its vendor sent something: the secret in use and, for a while, the one before."""
        secrets = (self.qbo_webhook_verifier, self.qbo_webhook_verifier_previous)
        stripe_secrets = (self.stripe_webhook_secret, self.stripe_webhook_secret_previous)
        return {
            "qbo": [secret for secret in secrets if secret is not None],
            "plaid": [self.plaid_webhook_keys] if self.plaid_webhook_keys is not None else [],
            "ramp": list(self.ramp_webhook_secrets),
            "stripe": [secret for secret in stripe_secrets if secret is not None],
        }

    def served_hosts(self, host: str) -> frozenset[str]:
        """The host names that the web app answers to when it listens on `host`; empty is any."""
        if self.allowed_hosts:
            return frozenset(self.allowed_hosts)
        return LOOPBACK if host in LOOPBACK else frozenset()


def load_settings(flags: Mapping[str, Any] | None = None) -> AppSettings:
    """Read the settings; flags that are `None` were not given.

    Raises:
        InvalidRequest: a value that cannot be, a name that is no setting, or a file that cannot be read.
    """
    file = settings_file()
    if os.environ.get(FILE_VARIABLE) and not file.is_file():
        raise InvalidRequest(f"{FILE_VARIABLE} names {str(file)!r}, which is not there: write it or unset the variable")
    try:
        return AppSettings(**{name: value for name, value in (flags or {}).items() if value is not None})
    except ValidationError as error:
        raise InvalidRequest(f"wrong settings: {_explain(error)}") from error
    except SettingsError as error:
        raise InvalidRequest(f"wrong settings: {error}; lists are written as JSON") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the settings file {str(file)!r} is not TOML ({error}): mend or remove it") from error
    except OSError as error:
        raise InvalidRequest(f"the settings file {str(file)!r} cannot be read: {error.strerror}") from error


def _explain(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(AppSettings.model_fields))
        return f"{name!r} is no setting (known: {known}); correct it in {settings_file()}"
    variable = f"{PREFIX}{name.upper()}"
    return explain_invalid(error) + (f" (set by {variable})" if os.environ.get(variable) else "")
