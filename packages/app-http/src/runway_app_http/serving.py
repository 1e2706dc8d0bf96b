"""Serving until someone says stop: an address taken before any work, and one way to end."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Coroutine, Generator, Sequence
from types import FrameType
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from runway_core.errors import InvalidRequest

from runway_app_http.loops import run_async

Result = TypeVar("Result")
STOP_SECONDS = 5
"""How long requests and pulls may take to end once a stop was asked for."""


class Stopped(Exception):
    """A person or the system asked this process to end."""


def bind_address(host: str, port: int) -> socket.socket:
    """Take an address without serving on it yet: callers wait until then.

    Raises:
        InvalidRequest: the port is in use or may not be taken, or the host is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming TCP lets asyncio switch Nagle off on what it accepts; without it every small answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(0)  # an address that is bound alone is not yet ours: another may listen on it first
    except OSError as error:
        listener.close()
        raise InvalidRequest(
            f"cannot serve on {host}:{port}: {error.strerror or error}; choose another --port, or 0 for a free one"
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """The address of what is served there, for people: `http://127.0.0.1:8000`."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    """A server that leaves signals to `run_until_stopped`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def serve_app(
    app: FastAPI, listener: socket.socket, *, trusted_proxies: Sequence[str] = ("127.0.0.1", "::1")
) -> None:
    """Serve until cancelled; requests that are being answered may end first.

    Who asks, and whether over https, is what the nearest of `trusted_proxies` says in `X-Forwarded-For` and
    `X-Forwarded-Proto`; from anybody else these headers mean nothing.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=STOP_SECONDS,
        ws="none",
        proxy_headers=True,
        forwarded_allow_ips=list(trusted_proxies),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


def run_until_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work` in an event loop; Ctrl-C or a termination signal cancels it, so that all it opened is closed.

    A second signal ends the process at once: what it was doing is found again by whoever works next.

    Raises:
        Stopped: it was cancelled so.
    """
    return run_async(_until_stopped(work))


async def _until_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    was_asked = False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal was_asked
        if was_asked:
            os._exit(128 + number)
        was_asked = True
        loop.call_soon_threadsafe(task.cancel)

    held = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return await task
    except asyncio.CancelledError:
        if was_asked:
            raise Stopped from None
        raise
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
