"""What the pages of people share: their frame, where to go on, and the words of what was done."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from runway_core.errors import SignInNeeded
from runway_core.runway import Runway
from runway_core.services.sessions import SignedIn
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.door import Door
from runway_app_http.gate import visitor_of
from runway_app_http.ui.forms import keep_token, token_of, what_was_said
from runway_app_http.ui.rendering import render

_OWN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~%?=&,:+-]{0,500}")

SAID = {
    "added": "Added.", "changed": "Changed.", "disabled": "Disabled, and signed out everywhere.",
    "enabled": "Enabled.", "ended": "Signed out everywhere.", "factorless": "The second factor is gone.",
    "password": "Your password is changed; all other sessions are over.", "others": "All other sessions are over.",
    "keyless": "The key counts no more.", "factor": "The second factor is set.",
    "paused": "Paused: what happens waits.", "resumed": "It is delivered to again.", "removed": "Removed.",
    "taken": "The receiver took the test.", "untaken": "The receiver did not take the test: it is in the list below.",
    "replayed": "What is to come again is on its way.",
}  # fmt: skip


def door_of(request: Request) -> Door:
    """What lets people in."""
    door: Door = request.app.state.door
    return door


def signed_in_of(request: Request) -> SignedIn:
    """Who is signed in, in a browser.

    Raises:
        SignInNeeded: nobody is, or a program asks with a key: accounts and people are looked after by people.
    """
    signed_in = visitor_of(request).signed_in
    if signed_in is None:
        raise SignInNeeded("this is done by a person in a browser: sign in")
    return signed_in


def proved(request: Request, runway: Runway) -> str:
    """Who acts, after a fresh proof.

    Raises:
        SignInNeeded: nobody is signed in, in a browser.
        ProofNeeded: the last proof is too old.
    """
    signed_in = signed_in_of(request)
    runway.sessions.demand_proof(signed_in.token)
    return signed_in.person.person_id


def own_path(text: str) -> str:
    """Where to go on: a path of this app as it was sent along, or the portfolio. Never another site."""
    return text if _OWN_PATH.fullmatch(text) else "/"


def with_next(address: str, following: str) -> str:
    """An address that remembers where its reader was going."""
    return address if following == "/" else f"{address}?{urlencode({'next': following})}"


def page(request: Request, template: str, *, status: int = 200, values: Mapping[str, Any]) -> Response:
    """Lay out a page of people, with the token of its forms."""
    token = token_of(request)
    said = what_was_said(request)
    told = SAID.get(said.act, "") if said else ""
    answer = render(template, status=status, form_token=token, told=told, **values)
    answer.headers["Referrer-Policy"] = "no-referrer"  # an address here may carry the secret of a link
    return keep_token(request, answer, token)
