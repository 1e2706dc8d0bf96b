"""How Ramp is spoken to: signed in, within the budget that all companies share, refusals turned into the error family.

The only file of this rail that meets the network. Reads are repeated while Ramp does not answer; a write is sent once.
Ramp answers a token that opens nothing with 404, as if an object were missing. So a 404 is followed by a call that
every good token can make, and only when that succeeds is the object missing.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from runway_core.errors import OutcomeUnknown, RailThrottled, RailUnavailable, RecordGone
from runway_rail_kit import UNREADABLE, AccessTokens, Answer, CallBudget, HttpTransport, NoAnswer, Pauses, repeat_read

from runway_rail_ramp import wire
from runway_rail_ramp.faults import RAIL, TITLE, access_lost, is_missing, is_sign_in_refused, to_error
from runway_rail_ramp.settings import RampSettings

T = TypeVar("T")
_PROOF = "business"


class RampTransport:
    """Calls of one business. `calls` counts what Ramp counts, but for those that fetch tokens."""

    def __init__(
        self,
        settings: RampSettings,
        *,
        http: HttpTransport,
        tokens: AccessTokens,
        budget: CallBudget,
        pauses: Pauses | None = None,
        is_live: bool = False,
    ) -> None:
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._budget = budget
        self._pauses = pauses or Pauses()
        self._is_live = is_live
        self.calls = 0

    async def page(self, path: str, params: Mapping[str, str]) -> wire.Page:
        """The first page of a list."""
        return await self._read(
            f"{self._settings.api_url}/{path}", {**params, "page_size": str(self._page_size)}, wire.Page
        )

    async def page_at(self, url: str) -> wire.Page:
        """The page at the address that another page named.

        Raises:
            RailUnavailable: it is on another host: a token must not follow it there.
        """
        if _origin(url) != _origin(self._settings.base_url):
            raise RailUnavailable(f"{TITLE} named a next page on another host; try again later", rail=RAIL)
        return await self._read(url, {}, wire.Page)

    async def record(self, path: str) -> bytes:
        """One record, raw.

        Raises:
            RecordGone: there is none, and the token is good.
            RailUnavailable: the answer is not of that record.
        """
        url = f"{self._settings.api_url}/{path}"
        return await self._repeat(lambda: self._read_one(url, named=path.rpartition("/")[2]))

    async def business(self) -> wire.Business:
        """The business itself: the cheapest call that proves the access."""
        return await self._read(f"{self._settings.api_url}/{_PROOF}", {}, wire.Business)

    async def write(self, path: str, body: object) -> bytes:
        """Send one write, once, and return what Ramp then shows.

        Raises:
            OutcomeUnknown: no answer came, or one that does not say whether it was done.
        """
        content = msgspec.json.encode(body, enc_hook=wire.to_plain)
        answer = await self._ask("POST", f"{self._settings.api_url}/{path}", {}, content=content)
        return answer.body

    @property
    def _page_size(self) -> int:
        return self._settings.page_size

    async def _read(self, url: str, params: Mapping[str, str], expected: type[T]) -> T:
        async def once() -> T:
            return _understand(await self._ask("GET", url, params), expected, url)

        return await self._repeat(once)

    async def _read_one(self, url: str, *, named: str) -> bytes:
        answer = await self._ask("GET", url, {}, can_be_missing=True)
        if _understand(answer, wire.Named, url).id != named:
            raise RailUnavailable(f"{TITLE} answered {_path(url)} with another record; try again later", rail=RAIL)
        return answer.body

    async def _repeat(self, call: Callable[[], Awaitable[T]]) -> T:
        return await repeat_read(call, pauses=self._pauses, is_live=self._is_live)

    async def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str],
        *,
        content: bytes | None = None,
        can_be_missing: bool = False,
    ) -> Answer:
        is_write = content is not None
        token = await self._tokens.current()
        answer = await self._send(method, url, params, token=token, content=content)
        if is_sign_in_refused(answer) or (is_missing(answer) and not await self._opens(token)):
            token = await self._tokens.renew(token)
            answer = await self._send(method, url, params, token=token, content=content)
            if is_sign_in_refused(answer) or (is_missing(answer) and not await self._opens(token)):
                raise access_lost(_path(url))
        if 200 <= answer.status < 300 and answer.content_type == "application/json":
            await self._tokens.confirm()
            return answer
        if is_missing(answer) and can_be_missing:
            raise RecordGone(f"{TITLE} has no {_path(url)} any more", rail=RAIL)
        error = to_error(answer, doing=_path(url), is_write=is_write)
        if isinstance(error, RailThrottled):
            await self._budget.note_refusal(error.retry_after_seconds)
        raise error

    async def _opens(self, token: str) -> bool:
        """Whether a token opens the business: what a 404 leaves open."""
        answer = await self._send("GET", f"{self._settings.api_url}/{_PROOF}", {}, token=token, content=None)
        if 200 <= answer.status < 300 or answer.status == 403:  # a token without that scope is a good one
            return True
        if is_missing(answer) or is_sign_in_refused(answer):
            return False
        raise to_error(answer, doing=_PROOF, is_write=False)

    async def _send(
        self, method: str, url: str, params: Mapping[str, str], *, token: str, content: bytes | None
    ) -> Answer:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        async with self._budget.spend_one(is_live=self._is_live):
            self.calls += 1
            try:
                return await self._http.send(
                    method,
                    url,
                    params=params or None,
                    headers=headers,
                    content=content,
                    read_seconds=self._settings.read_seconds,
                    connect_seconds=self._settings.connect_seconds,
                )
            except NoAnswer as error:
                if content is not None and error.may_have_arrived:
                    raise OutcomeUnknown(
                        f"{TITLE} gave no answer to a write ({_path(url)}): read back what became of it", rail=RAIL
                    ) from error
                raise RailUnavailable(
                    f"{TITLE} gave no answer ({_path(url)}; {error}); try again later", rail=RAIL
                ) from error


def _understand(answer: Answer, expected: type[T], url: str) -> T:
    try:
        return msgspec.json.decode(answer.body, type=expected)
    except UNREADABLE as error:
        raise RailUnavailable(
            f"{TITLE} answered {_path(url)} with no sense ({error}); try again later", rail=RAIL
        ) from error


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _path(url: str) -> str:
    return urlsplit(url).path.partition("/developer/v1/")[2] or url


def decode(raw: bytes, expected: type[T]) -> T:
    """Read an answer to a write.

    Raises:
        OutcomeUnknown: it makes no sense.
    """
    try:
        return msgspec.json.decode(raw, type=expected)
    except UNREADABLE as error:
        raise OutcomeUnknown(
            f"{TITLE} answered a write with no sense ({error}): read back what became of it", rail=RAIL
        ) from error
