"""What a person must supply to connect a company to this rail."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class SampleSettings(BaseModel):
    """Where the files lie. `folder` holds all five of them, each in UTF-8 with a header row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    company_name: str | None = None
    page_size: int = Field(default=500, ge=1, le=10_000)  # records a page


class SampleSecrets(BaseModel):
    """Files need no secrets; a rail that does declares each as `SecretStr`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
