"""Where settings come from: flags, then `RUNWAY_*` environment, then `runway.toml`; and what each may be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from runway_core.errors import InvalidRequest
from runway_core.services.companies import explain_invalid

from runway_app_http.logs import LogFormat, LogLevel

SETTINGS_FILE = Path("runway.toml")


class AppSettings(BaseSettings):
    """Everything that can be set: `RUNWAY_DATABASE_URL` in the environment is `database_url` in `runway.toml`."""

    model_config = SettingsConfigDict(env_prefix="RUNWAY_", toml_file=SETTINGS_FILE, extra="ignore", frozen=True)

    database_url: str = "sqlite:///runway.db"
    secret_key: SecretStr | None = None  # under which secrets are kept; SQLite makes a key file without it
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    allowed_hosts: tuple[str, ...] = ()
    tick_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    companies_at_once: Annotated[int, Field(ge=1, le=64)] = 16
    log_level: LogLevel | None = None  # each command has a default of its own
    log_format: LogFormat = "console"
    actor: str | None = None  # who acts, in the log; the user of the machine without it

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(flags: Mapping[str, Any] | None = None) -> AppSettings:
    """Read the settings; flags that are `None` were not given.

    Raises:
        InvalidRequest: a setting that cannot be, or a `runway.toml` that cannot be read; one line that names it.
    """
    try:
        return AppSettings(**{name: value for name, value in (flags or {}).items() if value is not None})
    except ValidationError as error:
        raise InvalidRequest(f"settings: {explain_invalid(error)}") from error
    except ValueError as error:
        raise InvalidRequest(f"{SETTINGS_FILE} cannot be read: {error}") from error
