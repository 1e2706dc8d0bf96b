"""Cookies of people who sign in. Over https their names begin with `__Host-`: no other host can set them."""

import base64
import hashlib

from runway_core.domain.people import TokenPurpose
from starlette.requests import Request
from starlette.responses import Response

_NAMES = {TokenPurpose.SESSION: "runway_session", TokenPurpose.SECOND_FACTOR: "runway_factor"}


def _name(request: Request, purpose: TokenPurpose) -> str:
    prefix = "__Host-" if request.url.scheme == "https" else ""
    return prefix + _NAMES[purpose]


def read_session(request: Request) -> str:
    """The secret of the session that a browser shows; empty when it shows none."""
    return request.cookies.get(_name(request, TokenPurpose.SESSION), "")[:200]


def read_waiting(request: Request) -> str:
    """The secret of a browser that waits for its second factor."""
    return request.cookies.get(_name(request, TokenPurpose.SECOND_FACTOR), "")[:200]


def give(request: Request, answer: Response, purpose: TokenPurpose, secret: str) -> None:
    """Put a secret into a browser, out of reach for scripts and other sites, until it closes."""
    is_secure = request.url.scheme == "https"
    answer.set_cookie(_name(request, purpose), secret, httponly=True, samesite="lax", secure=is_secure, path="/")


def take_back(request: Request, answer: Response, purpose: TokenPurpose) -> None:
    """Take a secret out of a browser."""
    is_secure = request.url.scheme == "https"
    answer.delete_cookie(_name(request, purpose), httponly=True, samesite="lax", secure=is_secure, path="/")


def form_token_of(session: str) -> str:
    """The token that forms of a session carry: it follows from the session's secret and does not give it away."""
    digest = hashlib.sha256(f"form {session}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _flow_name(request: Request) -> str:
    return ("__Host-" if request.url.scheme == "https" else "") + "runway_away"


def read_flow(request: Request) -> str:
    """What a browser kept while it was away at the sign-in service."""
    return request.cookies.get(_flow_name(request), "")[:4000]


def keep_flow(request: Request, answer: Response, text: str) -> None:
    """Let a browser keep that for ten minutes; empty takes it back."""
    is_secure = request.url.scheme == "https"
    answer.set_cookie(
        _flow_name(request), text, max_age=600 if text else 0, httponly=True, samesite="lax", secure=is_secure, path="/"
    )
