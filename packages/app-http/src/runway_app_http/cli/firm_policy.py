"""`runway firm-policy`: the rules that hold for every company of the firm, as far as it set nothing itself."""

from typing import Annotated

import typer
from runway_core.domain.policy import Policy
from runway_core.runway import Runway

from runway_app_http.api.history import HistoryEntry
from runway_app_http.api.policy import PolicyHistory
from runway_app_http.cli.plan import Version
from runway_app_http.cli.policy import lay_out_history, lay_out_policy, read_setting
from runway_app_http.cli.session import Session, command, group

app = group("firm-policy", "The rules for every company of the firm, as far as it set nothing itself.")

_TITLE = "Policy of the firm"


@command(app, "show", example="runway firm-policy show")
def show_policy(session: Session) -> None:
    """Show the firm's policy; version 0 is the default, where nothing was set."""

    async def ask(runway: Runway) -> Policy:
        return await runway.policies.read_firm()

    _show(session, session.run(ask))


@command(app, "set", example="runway firm-policy set payroll_cover_days=21")
def set_policy(
    session: Session,
    *,
    settings: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="Settings as `show` has them; lists as JSON.")
    ],
    version: Version = None,
) -> None:
    """Change settings and leave the others: they hold for every company that did not set the same itself."""
    changes = dict(read_setting(text) for text in settings)

    async def act(runway: Runway) -> Policy:
        return await runway.policies.change_firm(changes, actor=session.actor, version=version)

    _show(session, session.run(act))


@command(app, "reset", example="runway firm-policy reset payroll_cover_days")
def reset_policy(
    session: Session,
    *,
    settings: Annotated[list[str], typer.Argument(metavar="NAME...", help="Settings that the firm set.")],
    version: Version = None,
) -> None:
    """Let settings be the default again."""

    async def act(runway: Runway) -> Policy:
        return await runway.policies.change_firm({}, reset=settings, actor=session.actor, version=version)

    _show(session, session.run(act))


@command(app, "revert", example="runway firm-policy revert 2")
def revert_policy(
    session: Session,
    *,
    to: Annotated[int, typer.Argument(metavar="VERSION", min=0, help="As `history` lists it; 0 is the default.")],
    version: Version = None,
) -> None:
    """Let the settings of an earlier version hold again: a new version."""

    async def act(runway: Runway) -> Policy:
        return await runway.policies.revert_firm(to, actor=session.actor, version=version)

    _show(session, session.run(act))


@command(app, "history", example="runway firm-policy history")
def show_history(session: Session) -> None:
    """Show who changed which setting, when, from what to what."""

    async def ask(runway: Runway) -> PolicyHistory:
        entries = await runway.policies.firm_history()
        items = tuple(HistoryEntry.of(entry) for entry in entries)
        return PolicyHistory(company=None, items=items, has_more=False, next_cursor=None)

    history = session.run(ask)
    session.show(history, lambda: lay_out_history(history, _TITLE))


def _show(session: Session, policy: Policy) -> None:
    session.show(policy, lambda: lay_out_policy(policy, _TITLE, None))
