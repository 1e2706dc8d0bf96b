"""`runway sandbox serve`: the vendors' servers alone, over made-up companies."""

from typing import Annotated

import typer
from runway_core.errors import InvalidRequest
from runway_sandbox.chaos import PROFILES, name_profiles
from runway_sandbox.serve import SandboxStartError, run_sandbox
from runway_sandbox.settings import KNOWN_RAILS, SandboxSettings, ThrottleLimits

from runway_app_http.cli.session import Session, command, group

app = group("sandbox", "The vendors' servers, played on this machine.")

Chaos = Annotated[str, typer.Option("--chaos", help=f"Trouble to play: {name_profiles()}.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed makes the same companies.")]
Rails = Annotated[str, typer.Option("--rails", help="Which rails, with commas between.")]
ALL_RAILS = ",".join(KNOWN_RAILS)


@command(app, "serve", example="runway sandbox serve --clients 5 --port 8700 > ready.json")
def serve_sandbox(
    session: Session,
    *,
    rails: Rails = ALL_RAILS,
    clients: Annotated[int, typer.Option("--clients", min=1, help="How many companies.")] = 3,
    bills_per_client: Annotated[
        int, typer.Option("--bills-per-client", min=0, help="How large their books are.")
    ] = 200,
    seed: Seed = 7,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    chaos: Chaos = "none",
    throttle: Annotated[bool, typer.Option("--throttle/--no-throttle", help="Limit calls as the vendor does.")] = True,
) -> None:
    """Serve until Ctrl-C. When ready, prints one JSON line that says how each company is reached."""
    _ = session.settings  # wrong settings are told before anything starts
    check_chaos(chaos)
    wanted = SandboxSettings(
        clients=clients,
        bills_per_client=bills_per_client,
        seed=seed,
        host=host,
        port=port,
        chaos=chaos,
        rails=split_rails(rails),
        throttle=ThrottleLimits(enabled=throttle),
    )
    try:
        run_sandbox(wanted)
    except SandboxStartError as error:
        raise InvalidRequest(str(error)) from error


def split_rails(rails: str) -> tuple[str, ...]:
    """The names of a list of rails, as they were given."""
    return tuple(part.strip() for part in rails.split(",") if part.strip())


def check_chaos(profile: str) -> None:
    """Refuse a profile that is not there.

    Raises:
        InvalidRequest: no such profile.
    """
    if profile not in PROFILES:
        raise InvalidRequest(f"no chaos profile {profile!r}: there are {name_profiles()}")
