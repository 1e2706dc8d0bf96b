"""`runway policy`: the rules under which a company's money goes out."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from runway_core.domain.policy import Policy
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading
from runway_core.runway import Runway
from runway_core.services.policies import SETTINGS

from runway_app_http.api.history import HistoryEntry
from runway_app_http.api.policy import PolicyHistory
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.plan import Version
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.following import follow_change
from runway_app_http.plain import to_plain
from runway_app_http.ui.figures import NONE_YET, say_moment

app = group("policy", "The rules under which a company's money goes out.")


@command(app, "show", example="runway policy show acme")
def show_policy(session: Session, company: CompanyName) -> None:
    """Show the policy that holds; version 0 is the default, where nothing was set."""

    async def ask(runway: Runway) -> tuple[Policy, CompanyHeading]:
        found = await runway.companies.find(company)
        return await runway.policies.read(found.company_id), CompanyHeading.of(found)

    policy, heading = session.run(ask)
    _show(session, policy, heading)


@command(app, "set", example='runway policy set acme payroll_cover_days=21 payment_weekdays="[1,3]"')
def set_policy(
    session: Session,
    *,
    company: CompanyName,
    settings: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="Settings as `show` has them; lists as JSON.")
    ],
    version: Version = None,
) -> None:
    """Change settings and leave the others: a new version, to which decisions from now on are held."""
    changes = dict(read_setting(text) for text in settings)

    async def act(runway: Runway) -> tuple[Policy, CompanyHeading]:
        found = await runway.companies.find(company)
        policy = await runway.policies.change(found.company_id, changes, actor=session.actor, version=version)
        await follow_change(runway, found.company_id)
        return policy, CompanyHeading.of(found)

    policy, heading = session.run(act)
    _show(session, policy, heading)


def read_setting(text: str) -> tuple[str, Any]:
    """Read `name=value`; the value is JSON, or text where it is no JSON.

    Raises:
        InvalidRequest: there is no name.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise InvalidRequest(f"{text!r} is not NAME=VALUE, such as payroll_cover_days=21")
    try:
        return name.strip(), json.loads(value, parse_float=str)
    except ValueError:
        return name.strip(), value


def _show(session: Session, policy: Policy, company: CompanyHeading) -> None:
    def lay_out() -> Table:
        plain = to_plain(policy, currency=company.home_currency)
        assert isinstance(plain, dict)
        fields = {"version": f"{policy.version}"}
        fields |= {name: _say_setting(plain[name]) for name in SETTINGS}
        return fields_table(f"Policy of {company.name}", fields)

    session.show(policy, lay_out, currency=company.home_currency)


def _say_setting(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@command(app, "history", example="runway policy history acme")
def show_policy_history(session: Session, company: CompanyName) -> None:
    """Show who changed which setting, when, from what to what."""

    async def ask(runway: Runway) -> PolicyHistory:
        found = await runway.companies.find(company)
        entries = await runway.policies.history(found.company_id)
        return PolicyHistory(
            company=CompanyHeading.of(found),
            items=tuple(HistoryEntry.of(entry) for entry in entries),
            has_more=False,
            next_cursor=None,
        )

    history = session.run(ask)
    session.show(history, lambda: _lay_out_history(history))


def _lay_out_history(history: PolicyHistory) -> Table:
    caption = None if history.items else "the default holds: nothing was set yet"
    table = new_table(f"Policy of {history.company.name}", caption=caption)
    for title in ("Version", "When", "By", "Changed"):
        table.add_column(title, overflow="fold")
    for entry in history.items:
        changed = "; ".join(f"{name}: {json.dumps(pair)}" for name, pair in entry.changed.items())
        table.add_row(entry.revision, say_moment(entry.seen_at), entry.actor, changed or NONE_YET)
    return table
