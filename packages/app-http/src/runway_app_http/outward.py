"""The one door to addresses that people gave, which are not to be trusted.

Https only, every address that the name leads to must be a public one, and the connection goes to the address that was
looked at, whatever the name says a moment later. No proxies, no redirects, no cookies, and only so much of an answer.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import httpx
from runway_core.errors import InvalidRequest, RailRefused, RailUnavailable

LARGEST_ANSWER_BYTES = 64 * 1024
LONGEST_ADDRESS = 2000

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses that a host's name leads to."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver.

    Raises:
        OSError: the name leads nowhere.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def read_address(url: str, *, named: str, allow_private: bool) -> httpx.URL:
    """Read an address that a person gave; `named` is what messages call it.

    Raises:
        InvalidRequest: it is none, or not https without a user.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidRequest(f"{named} is no web address") from error
    allowed = {"https", "http"} if allow_private else {"https"}
    if parsed.scheme not in allowed or not parsed.host or parsed.userinfo or len(url) > LONGEST_ADDRESS:
        raise InvalidRequest(f"{named} must be an https address without a user, such as https://ops.example/hook")
    return parsed


@dataclass(frozen=True, slots=True)
class OutwardAnswer:
    """What the other side said: its status, and after how many seconds it wants to be asked again, as it wrote it."""

    status: int
    retry_after: str | None = None


class OutwardDoor:
    """Posts to addresses that people gave.

    Args:
        named: what messages call the other side.
        setting: the setting that allows private addresses, for messages.
        rail: what errors name.
        allow_private: whether plain http and addresses of private networks may be used; for a receiver beside the app.
        seconds: how long one post may take in all.
        resolve: asks where a name leads.
        transport: carries requests; a connection of its own for each post when absent.
    """

    def __init__(
        self,
        named: str,
        *,
        setting: str,
        rail: str,
        allow_private: bool,
        seconds: float,
        resolve: Resolve = resolve_host,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._named = named
        self._setting = setting
        self._rail = rail
        self._allow_private = allow_private
        self._seconds = seconds
        self._resolve = resolve
        self._transport = transport

    async def post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> OutwardAnswer:
        """Post a JSON body once.

        Raises:
            RailRefused: the address is not public.
            RailUnavailable: no answer came in time.
        """
        try:
            async with asyncio.timeout(self._seconds):  # of the post as a whole: a slow drip never times out
                return await self._post(url, body, headers)
        except TimeoutError as error:
            raise RailUnavailable(f"{self._named} at {url.host} was too slow", rail=self._rail) from error

    async def _post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> OutwardAnswer:
        address = await self._find_address(url.host, url.port or (443 if url.scheme == "https" else 80))
        # The connection goes to the address that was looked at; the certificate is still asked for the name.
        request = httpx.Request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={
                "host": url.netloc.decode(),
                "user-agent": "Runway",  # some servers refuse what does not say what it is
                "content-type": "application/json",
                **headers,
            },
            extensions={"sni_hostname": url.host, "timeout": httpx.Timeout(self._seconds).as_dict()},
        )
        transport = self._transport or httpx.AsyncHTTPTransport(verify=_trust(), retries=0)
        try:
            return await _send(transport, request)
        except (httpx.HTTPError, OSError) as error:
            raise RailUnavailable(f"{self._named} at {url.host} gave no answer", rail=self._rail) from error
        finally:
            if self._transport is None:
                await transport.aclose()

    async def _find_address(self, host: str, port: int) -> str:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise RailUnavailable(f"{self._named} at {host} was not found", rail=self._rail) from error
        if not found:
            raise RailUnavailable(f"{self._named} at {host} was not found", rail=self._rail)
        if not self._allow_private and not all(is_public(address) for address in found):
            raise RailRefused(
                f"{self._named} at {host} lies in a private network; {self._setting} allows it", rail=self._rail
            )
        return found[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the internet's own, also where it stands within another."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if found.teredo is not None:
            return False
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return found.is_global and not found.is_multicast


@cache
def _trust() -> ssl.SSLContext:
    """Whose certificates are believed; made once, because reading them takes longer than a post."""
    return httpx.create_ssl_context()


async def _send(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> OutwardAnswer:
    response = await transport.handle_async_request(request)
    try:
        taken = 0
        async for part in response.stream:  # type: ignore[union-attr]  # an async transport answers with an async stream
            taken += len(part)
            if taken > LARGEST_ANSWER_BYTES:
                break
    finally:
        await response.aclose()
    return OutwardAnswer(response.status_code, response.headers.get("retry-after"))
