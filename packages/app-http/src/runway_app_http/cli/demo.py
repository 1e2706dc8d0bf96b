"""`runway demo`: the main job, whole, against the sandbox."""

import time
from typing import Annotated

import typer
from rich.console import Group
from runway_core.experiences.portfolio import PortfolioView

from runway_app_http.cli.failures import DONE, INTERRUPTED, say_note
from runway_app_http.cli.layouts import lay_out_portfolio
from runway_app_http.cli.progress import show_progress
from runway_app_http.cli.sandbox import ALL_RAILS, Chaos, Rails, Seed, check_chaos, split_rails
from runway_app_http.cli.serve import serve_runway
from runway_app_http.cli.session import Session, command, stdout_console
from runway_app_http.cli.sync import describe_outcome, say_trouble
from runway_app_http.cli.tables import fields_table
from runway_app_http.container import make_store, open_runway
from runway_app_http.demo import Demo, DemoPlan, DemoTotals, choose_database, run_sandbox
from runway_app_http.serving import Stopped, address_of, bind_address, run_until_stopped

app = typer.Typer()


@command(app, "demo", example="runway demo --clients 20 --no-serve")
def demo(
    session: Session,
    *,
    clients: Annotated[int, typer.Option("--clients", min=1, max=1000, help="How many companies.")] = 100,
    seed: Seed = 7,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the app afterwards, until Ctrl-C.")] = True,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="8000 by default; 0: a free one.")
    ] = None,
    rails: Rails = ALL_RAILS,
    chaos: Chaos = "none",
    bills_per_client: Annotated[
        int, typer.Option("--bills-per-client", min=0, help="How large their books are.")
    ] = 120,
) -> int:
    """Start the sandbox, connect a portfolio, pull it, print it, and serve the app until Ctrl-C.

    The database is a new one that is removed afterwards, unless --database-url names one.
    """
    began = time.monotonic()
    check_chaos(chaos)
    flags = dict(session.flags)
    given_url = flags["database_url"]
    listener = None
    if serve:
        listener = bind_address(session.settings.host, session.settings.port if port is None else port)
    plan = DemoPlan(clients, seed=seed, bills_per_client=bills_per_client, rails=split_rails(rails), chaos=chaos)
    has_shown = False

    async def work(url: str) -> int:
        nonlocal has_shown
        settings = session.settings.model_copy(update={"database_url": url})
        if given_url is not None:
            await make_store(settings).upgrade()
        async with open_runway(settings) as runway:
            run = Demo(runway, sandbox, began=began, plan=plan)
            totals, view, reports = await run.show_main_job(lambda companies: show_progress(companies=companies))
            address = None if listener is None else address_of(listener)
            document = {"totals": totals, "serving": address, "portfolio": view}
            session.show(document, lambda: _lay_out(totals, view))
            has_shown = True
            code = say_trouble(describe_outcome(reports))
            if listener is None:
                return code
            say_note(f"serving {address} until Ctrl-C; every company is pulled each {settings.tick_minutes} minutes")
            hearing = settings.model_copy(update=run.ready_line().webhook_settings())
            await run.ask_for_webhooks(address_of(listener))
            await serve_runway(runway, hearing, listener, has_engine=True)
            return code

    try:
        with choose_database(given_url) as url, run_sandbox(plan) as sandbox:
            return run_until_stopped(work(url))
    except (Stopped, KeyboardInterrupt):
        say_note("stopped")
        return DONE if has_shown else INTERRUPTED
    finally:
        if listener is not None:
            listener.close()


def _lay_out(totals: DemoTotals, view: PortfolioView) -> Group:
    peak = f"{totals.peak_memory_mib_app} MiB app"
    if totals.peak_memory_mib_sandbox is not None:
        both = totals.peak_memory_mib_app + totals.peak_memory_mib_sandbox
        peak += f" + {totals.peak_memory_mib_sandbox} MiB sandbox = {both} MiB"
    fields = {
        "Companies": f"{totals.companies:,}" + (f", {totals.failed} failed" if totals.failed else ""),
        "Records": f"{totals.records:,} mirrored, {totals.quarantined:,} quarantined, {totals.log_entries:,} logged",
        "Findings": f"{totals.findings_open:,} open, {totals.findings_critical:,} critical",
        "Calls": f"{totals.calls:,}",
        "Time": f"{_seconds(totals.total_ms)}: sandbox {_seconds(totals.sandbox_ms)}, first load "
        f"{_seconds(totals.first_load_ms)} ({totals.records_per_second:,} records/s), settings "
        f"{_seconds(totals.settle_ms)}",
        "Peak memory": peak,
    }
    return Group(lay_out_portfolio(view, width=stdout_console().width), fields_table("Demo", fields))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000 // 100} s"
