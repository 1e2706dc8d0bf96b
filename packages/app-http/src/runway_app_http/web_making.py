"""The web app made from the settings, apart from the container: a command that serves nothing need not load it."""

from collections.abc import Collection

from fastapi import FastAPI
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.sessions import SessionRules
from runway_core.sync.engine import SyncEngine

from runway_app_http.gate import GateRules
from runway_app_http.mailer import Mailer
from runway_app_http.settings import AppSettings
from runway_app_http.sign_in_service import BACK, OidcSettings, SignInService
from runway_app_http.web import create_app
from runway_app_http.webhooks import WebhookSecrets


def make_sign_in_service(settings: AppSettings) -> SignInService | None:
    """The firm's sign-in service; `None` where none is set.

    Raises:
        InvalidRequest: it is set in part, or without https.
    """
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client_id is None or settings.oidc_client_secret is None or settings.public_url is None:
        raise InvalidRequest(
            "RUNWAY_OIDC_ISSUER is set: RUNWAY_OIDC_CLIENT_ID, RUNWAY_OIDC_CLIENT_SECRET and RUNWAY_PUBLIC_URL are "
            "wanted as well"
        )
    return SignInService(
        OidcSettings(
            name=settings.oidc_name,
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            redirect_uri=settings.public_url.rstrip("/") + BACK,
        )
    )


def make_app(
    runway: Runway,
    engine: SyncEngine | None,
    *,
    allowed_hosts: Collection[str],
    mailer: Mailer | None = None,
    webhook_secrets: WebhookSecrets | None = None,
    gate_rules: GateRules | None = None,
    session_rules: SessionRules | None = None,
    sign_in_service: SignInService | None = None,
) -> FastAPI:
    """The web app over an open `Runway`, with the engine running beside it when there is one."""
    hooks = ([engine.start], [engine.stop]) if engine is not None else ([], [])
    return create_app(
        runway,
        manages_runway=False,
        on_startup=hooks[0],
        on_shutdown=hooks[1],
        allowed_hosts=allowed_hosts,
        mailer=mailer,
        webhook_secrets=webhook_secrets,
        gate_rules=gate_rules,
        session_rules=session_rules,
        sign_in_service=sign_in_service,
    )
