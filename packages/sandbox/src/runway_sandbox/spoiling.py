"""What a hostile vendor, or a machine in front of it, makes of good answers: bodies, types, rows and pages.

Nothing here hides what is true: a row comes twice or at another place in its page, a page comes again in place of the
one that follows it, a body is cut off or is none. Whoever asks once more gets the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runway_sandbox.chaos import Chaos

T = TypeVar("T")

NONSENSE = (b"", b"null", b"[]", b"{}", b'{"status":"ok"}', b"\x1f\x8b\x08\x00\xff\xfe", b'{"data":"none","time":0}')
"""Bodies of successes that say nothing."""

WRONG_TYPES = ("text/html; charset=utf-8", "text/plain", "application/octet-stream")


class CutOff(Response):
    """Begins an answer and never ends it: the connection closes, and the client cannot know what was done."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI)
        """Send the head of an answer and nothing more."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})


class Spoiler:
    """Spoils answers by the shares of the chaos profile in force."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._pages: dict[str, Any] = {}

    def body(self, body: bytes, content_type: str, *, purpose: str) -> tuple[bytes, str]:
        """Spoil the body or the type of a success, in one way at most."""
        if self._chaos.happens("malformed", purpose):
            return self._chaos.draw(f"{purpose}:nonsense").choice(NONSENSE), content_type
        if self._chaos.happens("truncated", purpose) and len(body) > 1:
            return body[: self._chaos.draw(f"{purpose}:cut").randrange(1, len(body))], content_type
        if self._chaos.happens("wrong_type", purpose):
            return body, self._chaos.draw(f"{purpose}:type").choice(WRONG_TYPES)
        return body, content_type

    def rows(self, rows: Sequence[T], *, purpose: str) -> list[T]:
        """Let some rows of a page come twice, and in another order."""
        shown = list(rows)
        if shown and self._chaos.happens("rows_doubled", purpose):
            draw = self._chaos.draw(f"{purpose}:doubled")
            shown += draw.sample(shown, draw.randrange(1, len(shown) + 1))
        if self._chaos.happens("rows_shuffled", purpose):
            self._chaos.draw(f"{purpose}:order").shuffle(shown)
        return shown

    def page(self, place: str, page: T, *, follows: bool, purpose: str) -> T:
        """Answer the page before once more in place of one that `follows` it in the list at `place`."""
        before: T | None = self._pages.get(place)
        if follows and before is not None and self._chaos.happens("page_again", purpose):
            return before
        if self._chaos.profile.page_again:
            self._pages[place] = page
        else:
            self._pages.clear()
        return page
