"""Forms that change something: guarded against other sites, answered by a redirect, confirmed by a sentence."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runway_app_http.cookies import form_token_of, read_session

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_SAID = re.compile(r"[a-z]{1,20}(\.[A-Za-z0-9]{1,64})?")
_SAID_COOKIE = "runway_said"
_SAID_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Said:
    """What was done by the form before: an act, and what it was done to."""

    act: str
    subject: str = ""


def _token_cookie(request: Request) -> str:
    """The `__Host-` prefix keeps other hosts of the domain from setting it; browsers allow it on https only."""
    return "__Host-runway_form" if request.url.scheme == "https" else "runway_form"


def token_of(request: Request) -> str:
    """The token that this reader's forms carry: the one in the cookie, or a new one."""
    held = _held_token(request)
    return held if _TOKEN.fullmatch(held) else secrets.token_urlsafe(32)


def _held_token(request: Request) -> str:
    """What the forms of this reader must carry: of a session, what follows from it; else what the cookie says."""
    session = read_session(request)
    return form_token_of(session) if session else request.cookies.get(_token_cookie(request), "")


def keep_token(request: Request, page: Response, token: str) -> Response:
    """Send the token along with a page whose forms carry it, and forget the sentence that the page has shown."""
    is_secure = request.url.scheme == "https"
    if not read_session(request) and request.cookies.get(_token_cookie(request)) != token:
        page.set_cookie(_token_cookie(request), token, httponly=True, samesite="lax", secure=is_secure)
    if _SAID_COOKIE in request.cookies:
        page.delete_cookie(_SAID_COOKIE, httponly=True, samesite="lax", secure=is_secure)
    return page


async def read_form(request: Request) -> Mapping[str, str]:
    """Read a posted form that one of our own pages carried; of a name that is there twice, the last value.

    Raises:
        HTTPException: 403 `form-expired`, the token is missing or is not this reader's.
    """
    return {name: values[-1] for name, values in (await read_boxes(request, at_most=20)).items()}


async def read_boxes(request: Request, *, at_most: int) -> Mapping[str, Sequence[str]]:
    """The same with every value of a name, for pages with boxes to tick; `at_most` fields in all.

    Raises:
        HTTPException: 403 `form-expired`, the token is missing or is not this reader's.
    """
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=0, max_fields=at_most) as form:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields.setdefault(name, []).append(value)
    held = _held_token(request)
    sent = fields.pop(TOKEN_FIELD, [""])[-1]
    if not _TOKEN.fullmatch(held) or not secrets.compare_digest(held.encode(), sent.encode()):
        raise HTTPException(403, "form-expired")
    return fields


def go_and_say(request: Request, address: str, said: Said) -> Response:
    """Send the reader on after a form, with a sentence to be shown once."""
    answer = RedirectResponse(address, status_code=303)
    words = f"{said.act}.{said.subject}" if said.subject else said.act
    is_secure = request.url.scheme == "https"
    answer.set_cookie(_SAID_COOKIE, words, max_age=_SAID_SECONDS, httponly=True, samesite="lax", secure=is_secure)
    return answer


def what_was_said(request: Request) -> Said | None:
    """What the form before did, if this page follows one."""
    words = request.cookies.get(_SAID_COOKIE, "")
    if not _SAID.fullmatch(words):
        return None
    act, _, subject = words.partition(".")
    return Said(act, subject)
