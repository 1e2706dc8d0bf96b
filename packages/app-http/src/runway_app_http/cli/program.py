"""The program behind `runway`: every group of commands, and what becomes of their errors."""

import sys
from collections.abc import Sequence

import structlog
import typer
from runway_core.errors import RunwayError
from typer.main import get_install_completion_arguments

from runway_app_http.cli.failures import (
    DONE,
    INTERRUPTED,
    OWN_FAULT,
    WRONG_USE,
    choose_exit_code,
    say_error,
)
from runway_app_http.cli.on_demand import CommandsOnDemand, GroupOnDemand
from runway_app_http.collector import tune_allocator

PLACES = {
    "demo": "demo:app",
    "sync": "sync:app",
    "portfolio": "experiences:app",
    "digest": "experiences:app",
    "tray": "experiences:app",
    "console": "experiences:app",
    "outlook": "experiences:app",
    "reconcile": "reconcile:app",
    "conflicts": "reconcile:conflicts",
    "work": "work:app",
    "decide": "decide:app",
    "decide-batch": "decide:app",
    "approve": "decide:app",
    "release": "decide:app",
    "submit": "submit:app",
    "withdraw": "decide:app",
    "remind": "decide:app",
    "fix": "fix:app",
    "fixes": "fix:app",
    "what-if": "scenarios:app",
    "health": "health:app",
    "history": "log:app",
    "custody": "log:app",
    "connect": "connect:app",
    "rails": "rails:app",
    "doctor": "rails:app",
    "serve": "serve:app",
    "scheduler": "serve:app",
    "worker": "serve:app",
    "companies": "companies:app",
    "erase": "erase:app",
    "people": "people:app",
    "keys": "keys:app",
    "webhooks": "webhooks:app",
    "digests": "digests:app",
    "questions": "questions:app",
    "plan": "plan:app",
    "policy": "policy:app",
    "views": "views:app",
    "firm-policy": "firm_policy:app",
    "call-backs": "call_backs:app",
    "db": "database:app",
    "sandbox": "sandbox:app",
    "quarantine": "quarantine:app",
    "deadletters": "deadletters:app",
    "secrets": "keys:secrets_app",
    "log": "archive:group_app",
    "scenarios": "scenarios:group_app",
    "chain": "deadletters:chains",
}
"""Where each command and group is, in the order of the help; only the one that is called is loaded."""

app = GroupOnDemand(
    name="runway",
    help="Cash answers for advisors who look after many small companies, from those companies' own books.",
    no_args_is_help=True,
    rich_markup_mode=None,
    params=[*get_install_completion_arguments()],
    commands=CommandsOnDemand("runway_app_http.cli", PLACES),
)

_log = structlog.get_logger(__name__)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 found, 2 wrong use, 3 rail trouble, 4 store trouble."""
    tune_allocator()
    try:
        code = app.main(arguments, prog_name="runway", standalone_mode=False)
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
