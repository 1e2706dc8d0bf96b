"""How a person connects a company: the address of Intuit's consent page, and what to keep when they come back.

Intuit sends the browser back with `code`, `state` and `realmId`; the realm comes only there, in no token. A code works
once and for minutes. Sending it twice spoils the tokens it gave (Intuit in oauth-jsclient #173): never repeat it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr
from runway_core.errors import RailAccessLost
from runway_rail_kit import GrantRefused, HttpTransport, OAuthClient

from runway_rail_qbo.faults import RAIL, TITLE
from runway_rail_qbo.settings import SCOPE, QboSettings


@dataclass(frozen=True, slots=True)
class Consent:
    """What a connection is made of once a person has agreed: for `connections.add`."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, SecretStr]


def build_consent_url(settings: QboSettings, *, client_id: str, redirect_uri: str, state: str) -> str:
    """The address to send the person's browser to. `state` comes back unchanged and must be checked then."""
    asked = {
        "client_id": client_id,
        "scope": SCOPE,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
    }
    return f"{settings.authorize_url}?{urlencode(asked)}"


async def complete_consent(
    http: HttpTransport,
    settings: QboSettings,
    *,
    code: SecretStr,
    redirect_uri: str,
    client_id: SecretStr,
    client_secret: SecretStr,
) -> Consent:
    """Exchange the code that came back; `settings` carry the realm that came with it. Never repeat this.

    Raises:
        RailAccessLost: the code is used, too old or another's: begin again.
        RailMisconfigured: the app's own keys are wrong.
        RailUnavailable: no answer: begin again.
    """
    client = OAuthClient(http, token_url=settings.token_url, rail=RAIL, title=TITLE, request_id_header="intuit_tid")
    try:
        grant = await client.exchange_code(
            code, redirect_uri=redirect_uri, client_id=client_id, client_secret=client_secret
        )
    except GrantRefused as error:
        raise RailAccessLost(
            f"{TITLE} does not take this authorisation any more: begin connecting the company again",
            rail=RAIL,
            provider_code="invalid_grant",
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
