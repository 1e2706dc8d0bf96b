"""Starts the sandbox: in this process, or as a process of its own that says when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

import msgspec
import uvicorn

from runway_sandbox.app import CONTROL_PATH, PLAID_PATH, RAIL_PATH, RAMP_PATH, STRIPE_PATH, build_app
from runway_sandbox.plaid.desk import PlaidDesk
from runway_sandbox.ramp.desk import AUTHORIZE_PATH as RAMP_AUTHORIZE_PATH
from runway_sandbox.ramp.desk import TOKEN_PATH as RAMP_TOKEN_PATH
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.ramp.records import made_id
from runway_sandbox.service import LedgerService
from runway_sandbox.settings import KNOWN_RAILS, SandboxSettings
from runway_sandbox.signin import AUTHORIZE_PATH, DISCOVERY_PATH, REVOKE_PATH, TOKEN_PATH
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.world import World


class SandboxStartError(Exception):
    """The sandbox cannot start; the text is one line that says why."""


def build_ready_line(
    world: World, *, plaid: PlaidDesk, ramp: RampDesk, stripe: StripeDesk, base_url: str
) -> dict[str, Any]:
    """Build the ready line of design.md section 6, with fresh tokens for every company."""
    settings = world.settings
    rail_url = base_url + RAIL_PATH
    now = world.clock.epoch()
    companies = []
    for desk in world.desks:
        connection = world.tokens.connect(desk.realm_id, now=now)
        companies.append(
            {
                "realm_id": desk.realm_id,
                "name": desk.name,
                "access_token": next(iter(connection.access_tokens)),
                "refresh_token": connection.refresh_token,
                # Beyond the contract: what a person would know of the company and no call tells.
                "home_currency": desk.identity.home_currency,
                "time_zone": desk.identity.time_zone,
            }
        )
    rails = {
        "qbo": {
            "base_url": rail_url,
            "discovery_url": rail_url + DISCOVERY_PATH,
            "authorize_url": rail_url + AUTHORIZE_PATH,
            "token_url": rail_url + TOKEN_PATH,
            "revoke_url": rail_url + REVOKE_PATH,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "webhook_verifier_token": settings.webhooks.verifier_token,
            "companies": companies,
        },
        "plaid": {
            "base_url": base_url + PLAID_PATH,
            "client_id": settings.plaid.client_id,
            "secret": settings.plaid.secret,
            "companies": [
                {"name": desk.name, "access_token": login.item.access_token, "item_id": login.item.item_id}
                for desk in world.desks
                for login in [plaid.login_of(desk)]
            ],
        },
        "ramp": _describe_ramp(world, ramp, base_url=base_url + RAMP_PATH),
        "stripe": _describe_stripe(world, stripe, base_url=base_url + STRIPE_PATH),
    }
    served = {name: rail for name, rail in rails.items() if name in settings.rails}
    return {"ready": True, "control_url": base_url + CONTROL_PATH, **served}


def _describe_stripe(world: World, stripe: StripeDesk, *, base_url: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "secret_key": world.settings.stripe.secret_key,
        "webhook_secret": world.settings.stripe.webhook_secret,
        "companies": [
            {
                "name": desk.name,
                "account_id": account.account_id,
                # Beyond the contract: a key of the company's own, and whether there is something to read.
                "restricted_key": account.key,
                "takes_cards": world.takes_cards(desk),
            }
            for desk in world.desks
            for account in [stripe.account_of(desk)]
        ],
    }


def _describe_ramp(world: World, ramp: RampDesk, *, base_url: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "authorize_url": base_url + RAMP_AUTHORIZE_PATH,
        "token_url": base_url + RAMP_TOKEN_PATH,
        "client_id": ramp.partner.client_id,
        "client_secret": ramp.partner.client_secret,
        "webhook_secret": world.settings.ramp.webhook_secret,
        "companies": [
            {
                "name": desk.name,
                "client_id": ramp.apps[desk.realm_id].client_id,
                "client_secret": ramp.apps[desk.realm_id].client_secret,
                "business_id": made_id("business", desk.realm_id),
            }
            for desk in world.desks
        ],
    }


def check_settings(settings: SandboxSettings) -> None:
    """Refuse settings that cannot be served.

    Raises:
        SandboxStartError: no companies, a negative number of bills, or a rail that is not there.
    """
    if settings.clients < 1:
        raise SandboxStartError(f"--clients must be at least 1, not {settings.clients}")
    if settings.bills_per_client < 0:
        raise SandboxStartError(f"--bills-per-client must not be negative, not {settings.bills_per_client}")
    unknown = [rail for rail in settings.rails if rail not in KNOWN_RAILS]
    if unknown or not settings.rails:
        raise SandboxStartError(f"--rails {','.join(settings.rails)}: served are {', '.join(KNOWN_RAILS)}")


def listen(settings: SandboxSettings) -> socket.socket:
    """Take the address.

    Raises:
        SandboxStartError: the port is in use or may not be taken.
    """
    # Naming TCP lets asyncio switch Nagle off on what it accepts; without it every small answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SandboxStartError(
            f"cannot listen on {settings.host}:{settings.port}: {reason}; choose another --port, or 0 for a free one"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """A server that tells its ready line once it accepts calls."""

    def __init__(self, config: uvicorn.Config, on_ready: Any) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets=sockets)
        self._on_ready()


def build_server(world: World, listener: socket.socket, *, on_ready: Any) -> uvicorn.Server:
    """Build the server over a world on an address that is already taken; `on_ready` gets the ready line."""
    host, port = listener.getsockname()[:2]
    service, plaid = LedgerService(world), PlaidDesk(world)
    ramp, stripe = RampDesk(world, service), StripeDesk(world, service)
    app = build_app(world, service, plaid=plaid, ramp=ramp, stripe=stripe)
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="on", timeout_graceful_shutdown=2)
    base_url = f"http://{host}:{port}"
    return _Server(
        config, lambda: on_ready(build_ready_line(world, plaid=plaid, ramp=ramp, stripe=stripe, base_url=base_url))
    )


def run_sandbox(settings: SandboxSettings, *, stop_with_stdin: bool = False) -> None:
    """Serve until stopped, printing the ready line as the only line on standard output.

    `stop_with_stdin` ends the sandbox when its standard input closes, so that it never outlives its starter.

    Raises:
        SandboxStartError: settings that cannot be served, or the port is in use.
    """
    check_settings(settings)
    listener = listen(settings)
    try:
        world = World(settings)
    except ValueError as error:
        listener.close()
        raise SandboxStartError(str(error)) from error
    server = build_server(world, listener, on_ready=_print_line)
    if stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(sockets=[listener]))


def _print_line(ready: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


@dataclass(slots=True)
class SandboxProcess:
    """A sandbox that runs as a process of its own."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @property
    def control_url(self) -> str:
        """Tell where the control endpoints are."""
        return str(self.ready["control_url"])

    def stop(self, *, patience_s: float = 5.0) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def start_sandbox_process(arguments: Sequence[str] = (), *, patience_s: float = 30.0) -> SandboxProcess:
    """Start `python -m runway_sandbox` with more arguments and wait for its ready line.

    Raises:
        SandboxStartError: it ended, or said nothing in time; the text is its own last line.
    """
    process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
        [sys.executable, "-m", "runway_sandbox", "--stop-with-stdin", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        text=True,
        env={"MALLOC_ARENA_MAX": "1", **os.environ},  # glibc: threads that build books share what they free
    )
    lines: Queue[str] = Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda stream: lines.put(stream.readline()), args=(process.stdout,), daemon=True).start()
    try:
        line = lines.get(timeout=patience_s)
    except Empty:
        line = ""
    if not line:
        process.kill()
        code = process.wait()
        raise SandboxStartError(f"the sandbox did not become ready (exit code {code}); see its message above")
    return SandboxProcess(process, msgspec.json.decode(line))


@contextlib.contextmanager
def start_sandbox(
    *,
    clients: int = 3,
    bills_per_client: int = 200,
    seed: int = 7,
    port: int = 0,
    chaos: str = "none",
    rails: str = "qbo",
    more_arguments: Sequence[str] = (),
) -> Iterator[SandboxProcess]:
    """Run a sandbox process for the length of a `with` block.

    Raises:
        SandboxStartError: it did not become ready.
    """
    arguments = [
        *("--clients", str(clients), "--bills-per-client", str(bills_per_client), "--seed", str(seed)),
        *("--port", str(port), "--chaos", chaos, "--rails", rails),
        *more_arguments,
    ]
    running = start_sandbox_process(arguments)
    try:
        yield running
    finally:
        running.stop()
