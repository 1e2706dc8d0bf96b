"""Sending requests: one pooled client for all connections of a vendor, with time limits and a cap on what comes back.

What comes out is an `Answer`, whatever its status, or `NoAnswer`; nothing of httpx passes. Meaning is the rail's part:
it turns answers into records or into the error family.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import tenacity
from runway_core.errors import RailThrottled, RailUnavailable

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """How long to wait, how much to take, how many connections to hold."""

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    largest_answer_bytes: int = 64 * 1024 * 1024
    connections: int = 100
    idle_connections: int = 12  # each call looks at every idle one


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor answered, read to its end."""

    status: int
    headers: Mapping[str, str]  # looked up without regard to case
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after_seconds(self) -> int | None:
        """What `Retry-After` asks for in seconds; a date there is not read."""
        stated = self.headers.get("retry-after", "").strip()
        return int(stated) if stated.isdecimal() and len(stated) < 8 else None


class NoAnswer(Exception):
    """No whole answer came. `may_have_arrived` is false only when the request surely never left."""

    def __init__(self, message: str, *, may_have_arrived: bool) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class HttpTransport:
    """One pooled client. It connects at its first request, and again after `aclose`."""

    def __init__(
        self, limits: TransportLimits | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._limits = limits or TransportLimits()
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        read_seconds: float | None = None,
        connect_seconds: float | None = None,
    ) -> Answer:
        """Send one request, once, and read its whole answer.

        Raises:
            NoAnswer: nothing came, not all of it came, or more came than is taken.
        """
        client = self._open_client()
        limits = self._limits
        timeout = httpx.Timeout(read_seconds or limits.read_seconds, connect=connect_seconds or limits.connect_seconds)
        request = client.build_request(method, url, params=params, headers=headers, content=content, timeout=timeout)
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NoAnswer(f"{_host(url)} could not be reached", may_have_arrived=False) from error
        except httpx.TimeoutException as error:
            raise NoAnswer(f"{_host(url)} gave no answer in time", may_have_arrived=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"{_host(url)} broke off ({type(error).__name__})", may_have_arrived=True) from error
        try:
            body = await self._read_body(response, url)
        except httpx.HTTPError as error:
            raise NoAnswer(
                f"{_host(url)} broke off in the middle of its answer ({type(error).__name__})", may_have_arrived=True
            ) from error
        finally:
            await response.aclose()
        return Answer(status=response.status_code, headers=response.headers, body=body)

    async def aclose(self) -> None:
        """Let go of all connections. Repeating is harmless."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open_client(self) -> httpx.AsyncClient:
        if self._client is None:
            connections = self._limits.connections
            self._client = httpx.AsyncClient(
                transport=self._transport,
                limits=httpx.Limits(
                    max_connections=connections, max_keepalive_connections=self._limits.idle_connections
                ),
                follow_redirects=False,  # a token must not follow a redirect to another host
                trust_env=True,
            )
        return self._client

    async def _read_body(self, response: httpx.Response, url: str) -> bytes:
        largest = self._limits.largest_answer_bytes
        parts: list[bytes] = []
        taken = 0
        async for part in response.aiter_bytes():
            taken += len(part)
            if taken > largest:
                raise NoAnswer(f"{_host(url)} answered with more than {largest} bytes", may_have_arrived=True)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _host(url: str) -> str:
    return httpx.URL(url).host or "the vendor"


LIVE_ATTEMPTS = 3
LIVE_PAUSE_SECONDS = 2.0
"""A person who waits is answered within seconds, by the labelled mirror if need be."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """How repeated reads wait; tests let the time pass at once."""

    attempts: int = 4
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = field(default=random.random)


async def repeat_while_unavailable(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int = 4,
    first_pause_seconds: float = 0.5,
    longest_pause_seconds: float = 20.0,
    sleep: Sleep = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """Make a call that is safe to repeat, again while the rail is unavailable, with growing pauses and full jitter.

    A pause that the vendor asks for is kept when it is no longer than `longest_pause_seconds`; a longer one, and a
    throttled call without one, is the caller's to schedule: the error passes at once.
    """

    def is_worth_repeating(error: BaseException) -> bool:
        if not isinstance(error, RailUnavailable):
            return False
        asked = error.retry_after_seconds
        if asked is None:
            return not isinstance(error, RailThrottled)
        return asked <= longest_pause_seconds

    def pause_before(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after_seconds if isinstance(error, RailUnavailable) else None
        ceiling = min(longest_pause_seconds, first_pause_seconds * 2 ** (state.attempt_number - 1))
        return jitter() * ceiling if asked is None else asked + jitter()

    async def once() -> T:
        return await call()

    retrying = tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(attempts),
        retry=tenacity.retry_if_exception(is_worth_repeating),
        wait=pause_before,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(once)


async def repeat_read(call: Callable[[], Awaitable[T]], *, pauses: Pauses, is_live: bool) -> T:
    """Make a call that only reads, again while the rail is unavailable; a person who waits is not kept for long."""
    if not is_live:
        return await repeat_while_unavailable(call, attempts=pauses.attempts, sleep=pauses.sleep, jitter=pauses.jitter)
    return await repeat_while_unavailable(
        call,
        attempts=min(pauses.attempts, LIVE_ATTEMPTS),
        longest_pause_seconds=LIVE_PAUSE_SECONDS,
        sleep=pauses.sleep,
        jitter=pauses.jitter,
    )
