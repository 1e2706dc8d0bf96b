"""The program behind `runway`: every group of commands, and what becomes of their errors."""

import sys
from collections.abc import Sequence

import structlog
import typer
from runway_core.errors import RunwayError

from runway_app_http.cli import (
    anchor,
    call_backs,
    companies,
    connect,
    database,
    deadletters,
    decide,
    demo,
    experiences,
    firm_policy,
    fix,
    health,
    keys,
    log,
    people,
    plan,
    policy,
    quarantine,
    questions,
    rails,
    sandbox,
    scenarios,
    serve,
    sync,
    work,
)
from runway_app_http.cli.failures import (
    DONE,
    INTERRUPTED,
    OWN_FAULT,
    WRONG_USE,
    choose_exit_code,
    say_error,
)
from runway_app_http.collector import tune_allocator, tune_collector

app = typer.Typer(
    name="runway",
    help="Cash answers for advisors who look after many small companies, from those companies' own books.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (demo, sync, experiences, work, decide, fix, scenarios, health, log, anchor, connect, rails, serve):
    app.add_typer(part.app)
for part in (
    companies,
    people,
    keys,
    questions,
    plan,
    policy,
    firm_policy,
    call_backs,
    database,
    sandbox,
    quarantine,
    deadletters,
):
    app.add_typer(part.app)
for group_app in (keys.secrets_app, log.group_app, scenarios.group_app):
    app.add_typer(group_app)
app.add_typer(deadletters.chains)

_log = structlog.get_logger(__name__)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 found, 2 wrong use, 3 rail trouble, 4 store trouble."""
    tune_collector()
    tune_allocator()
    try:
        code = app(arguments, prog_name="runway", standalone_mode=False)
    except RunwayError as error:
        say_error(str(error), error.code)
        return choose_exit_code(error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except typer.TyperException as error:
        return _say_usage(error)
    except Exception as error:  # the program's edge: whatever it is, one line and a place to look
        _log.debug("command_failed", exc_info=True)
        say_error(
            f"failed with {type(error).__name__}, a fault of ours: repeat it with --log-level debug and report it"
        )
        return OWN_FAULT
    return code if isinstance(code, int) else DONE


def _say_usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    path = "runway" if context is None else context.command_path
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if message.startswith("Usage:"):  # a group without a command: its help is the answer
        sys.stderr.write(f"{message}\n")
    elif message:
        say_error(f"{message.rstrip('.')}; `{path} --help` shows how it is used")
    return int(getattr(error, "exit_code", WRONG_USE))
