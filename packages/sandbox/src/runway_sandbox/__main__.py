"""`python -m runway_sandbox`: serve the sandbox until it is stopped."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from runway_sandbox.chaos import PROFILES, name_profiles
from runway_sandbox.serve import SandboxStartError, run_sandbox
from runway_sandbox.settings import KNOWN_RAILS, OAuthRules, SandboxSettings, ThrottleLimits, WireRules


def read_arguments(arguments: Sequence[str] | None = None) -> tuple[SandboxSettings, bool]:
    """Read the command line into settings, and whether to stop when standard input closes."""
    parser = argparse.ArgumentParser(prog="runway_sandbox", description=__doc__)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--bills-per-client", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--chaos", default="none", choices=list(PROFILES), metavar="PROFILE", help=name_profiles())
    parser.add_argument("--rails", default=",".join(KNOWN_RAILS), help="comma-separated")
    parser.add_argument("--start-at", default=None, help="instant the clock starts at, ISO 8601")
    parser.add_argument("--no-throttle", action="store_true", help="lift the limits on calls")
    parser.add_argument("--id-order", choices=("number", "text"), default="number")
    parser.add_argument("--cdc-hides-balance-moves", action="store_true")
    parser.add_argument("--cdc-cap-per-kind", action="store_true")
    parser.add_argument("--old-refresh-grace-s", type=int, default=0)
    parser.add_argument("--stop-with-stdin", action="store_true", help=argparse.SUPPRESS)
    read = parser.parse_args(arguments)
    try:
        start_at = datetime.fromisoformat(read.start_at) if read.start_at else None
    except ValueError:
        parser.error(f"--start-at: not an instant: {read.start_at!r}")
    if start_at is not None and start_at.tzinfo is None:
        start_at = start_at.replace(tzinfo=UTC)
    settings = SandboxSettings(
        clients=read.clients,
        bills_per_client=read.bills_per_client,
        seed=read.seed,
        host=read.host,
        port=read.port,
        chaos=read.chaos,
        rails=tuple(rail.strip() for rail in read.rails.split(",") if rail.strip()),
        start_at=start_at,
        throttle=ThrottleLimits(enabled=not read.no_throttle),
        oauth=OAuthRules(old_refresh_grace_s=read.old_refresh_grace_s),
        wire=WireRules(
            id_order=read.id_order,
            cdc_cap_shared=not read.cdc_cap_per_kind,
            cdc_reports_balance_moves=not read.cdc_hides_balance_moves,
        ),
    )
    return settings, read.stop_with_stdin


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; 2 when the sandbox cannot start, after one line that says why."""
    settings, stop_with_stdin = read_arguments(arguments)
    try:
        run_sandbox(settings, stop_with_stdin=stop_with_stdin)
    except SandboxStartError as error:
        sys.stderr.write(f"runway_sandbox: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
