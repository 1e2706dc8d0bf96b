"""`runway serve`, `runway worker` and `runway scheduler`: the app, and the engine that keeps companies fresh."""

import asyncio
import socket
from typing import Annotated

import typer
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.sessions import SessionRules

from runway_app_http.brokers import add_beat, announce_beat, open_broker, open_work
from runway_app_http.call_rates import CallRate
from runway_app_http.cli.failures import say_note
from runway_app_http.cli.session import Session, command
from runway_app_http.container import make_engine, make_mailer, open_runway
from runway_app_http.daily_digest import daily_beats
from runway_app_http.gate import GateRules
from runway_app_http.serving import Stopped, address_of, bind_address, run_until_stopped, serve_app
from runway_app_http.settings import LOOPBACK, AppSettings
from runway_app_http.web_making import make_app, make_sign_in_service

app = typer.Typer()

Host = Annotated[str | None, typer.Option("--host", help="Where to listen; this machine alone by default.")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="8000 by default; 0 takes a free one.")]


async def serve_runway(runway: Runway, settings: AppSettings, listener: socket.socket, *, has_engine: bool) -> None:
    """Serve an open `Runway` until cancelled, and keep it fresh meanwhile."""
    engine = make_engine(runway, settings, more_beats=daily_beats(runway, settings)) if has_engine else None
    host = listener.getsockname()[0]
    hosts = settings.served_hosts(host)
    await runway.webhooks.name_accounts()
    app = make_app(
        runway,
        engine,
        allowed_hosts=hosts,
        mailer=make_mailer(settings),
        webhook_secrets=settings.webhook_secrets,
        gate_rules=GateRules(
            per_key=CallRate(per_minute=settings.calls_per_minute),
            per_address=CallRate(per_minute=4 * settings.calls_per_minute),
            serves_without_people=host in LOOPBACK,
        ),
        sign_in_service=make_sign_in_service(settings),
        session_rules=SessionRules(
            idle_seconds=settings.session_idle_minutes * 60, longest_seconds=settings.session_hours * 3600
        ),
    )
    await serve_app(app, listener, trusted_proxies=settings.trusted_proxies)


@command(app, "serve", example="runway serve --port 8000", default_level="info")
def serve(
    session: Session,
    *,
    host: Host = None,
    port: Port = None,
    engine: Annotated[bool, typer.Option("--engine/--no-engine", help="Keep companies fresh meanwhile.")] = True,
) -> None:
    """Serve the JSON API and the pages until Ctrl-C, pulling every company on its turn."""
    settings = session.settings
    listener = bind_address(settings.host if host is None else host, settings.port if port is None else port)

    async def work() -> None:
        async with open_runway(settings) as runway:
            address = address_of(listener)
            if listener.getsockname()[0] not in LOOPBACK and not await runway.people.exist():
                raise InvalidRequest(
                    f"nobody signs in, since the firm has no people, and {address} can be reached by others: first "
                    "make an owner, `runway people add you@firm.example --owner`"
                )
            session.show({"serving": address, "engine": engine}, lambda: f"serving {address} until Ctrl-C")
            await serve_runway(runway, settings, listener, has_engine=engine)

    try:
        run_until_stopped(work())
    except Stopped:
        say_note("stopped")
    finally:
        listener.close()


@command(app, "scheduler", example="runway scheduler --once", default_level="info")
def schedule(
    session: Session,
    *,
    once: Annotated[bool, typer.Option("--once", help="Pull what is due now, and end.")] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Enqueue what is due and leave it to `runway worker`.")
    ] = False,
) -> None:
    """Pull every company on its turn until Ctrl-C, without serving anything."""
    minutes = session.settings.tick_minutes
    _run_engine(session, f"pulling each company every {minutes} minutes", once=once, works=not plan_only, plans=True)


@command(app, "worker", example="runway worker", default_level="info")
def work_off(
    session: Session,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=64, help="With a broker: how many processes work.")
    ] = 1,
) -> None:
    """Do the jobs that schedulers, webhooks and people enqueued, until Ctrl-C. Any number may run on PostgreSQL.

    With RUNWAY_BROKER_URL it waits for word from `runway scheduler`; without, it looks into the job table each second.
    """
    broker = None if once else open_broker(session.settings)
    if broker is None:
        _run_engine(session, "working", once=once, works=True, plans=False)
        return
    say_note(f"working in {processes} processes whenever word comes, until Ctrl-C")
    settings = session.settings
    broker.run_worker(lambda: open_work(settings), processes=processes)


def _run_engine(session: Session, doing: str, *, once: bool, works: bool, plans: bool) -> None:
    settings = session.settings
    counts = {"pulls": 0, "failures": 0}

    async def work() -> None:
        async with open_runway(settings) as runway:
            more = daily_beats(runway, settings) if plans and not once else ()
            engine = make_engine(runway, settings, works=works, plans=plans, more_beats=more)
            broker = open_broker(settings) if plans else None
            if broker is not None:
                add_beat(engine, announce_beat(runway, broker))
            try:
                if once:
                    await engine.run_due()
                    return
                await engine.start()
                say_note(f"{doing} until Ctrl-C")
                await asyncio.Event().wait()
            finally:
                await engine.stop()
                counts.update(pulls=engine.counts.pulls, failures=engine.counts.failures)

    try:
        run_until_stopped(work())
    except Stopped:
        say_note("stopped")
    session.show(counts, lambda: f"{counts['pulls']} pulls, {counts['failures']} failures")
