"""How a business lets a partner's app in: the address of Ramp's consent page, and what to keep when they come back.

Ramp sends the browser back with `code` and `state`; which business it was tells the first call. A code lives ten
minutes and works once. Only an admin or the owner of the business can say yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr
from runway_core.errors import RailAccessLost
from runway_rail_kit import GrantRefused, HttpTransport, OAuthClient

from runway_rail_ramp.faults import RAIL, TITLE, is_dead_grant, is_wrong_grant
from runway_rail_ramp.settings import RampSettings


@dataclass(frozen=True, slots=True)
class Consent:
    """What a connection is made of once a person has agreed: for `connections.add`."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, SecretStr]


def build_consent_url(settings: RampSettings, *, client_id: str, redirect_uri: str, state: str) -> str:
    """The address to send the person's browser to. `state` comes back unchanged and must be checked then."""
    asked = {
        "client_id": client_id,
        "scope": " ".join(settings.scopes),
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
    }
    return f"{settings.authorize_url}?{urlencode(asked)}"


async def complete_consent(
    http: HttpTransport,
    settings: RampSettings,
    *,
    code: SecretStr,
    redirect_uri: str,
    client_id: SecretStr,
    client_secret: SecretStr,
) -> Consent:
    """Exchange the code that came back. Never repeat this.

    Raises:
        RailAccessLost: the code is used, too old or another's: begin again.
        RailMisconfigured: the app's own keys are wrong.
        RailUnavailable: no answer: begin again.
    """
    client = OAuthClient(
        http,
        token_url=f"{settings.api_url}/token",
        rail=RAIL,
        title=TITLE,
        request_id_header="x-trace-id",
        is_dead=is_dead_grant,
        is_wrong=is_wrong_grant,
    )
    try:
        grant = await client.exchange_code(
            code, redirect_uri=redirect_uri, client_id=client_id, client_secret=client_secret
        )
    except GrantRefused as error:
        raise RailAccessLost(
            f"{TITLE} does not take this authorisation any more: begin connecting the company again", rail=RAIL
        ) from error
    assert grant.refresh_token is not None  # only an app that signs in for itself gets none
    return Consent(
        settings=settings.model_dump(mode="json", exclude_defaults=True),
        secrets={
            "client_id": client_id,
            "client_secret": client_secret,
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
        },
    )
