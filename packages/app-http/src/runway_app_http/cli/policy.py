"""`runway policy`: the rules under which a company's money goes out."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.table import Table
from runway_core.domain.identity import CompanyId
from runway_core.domain.policy import POLICY_SETTINGS, Policy, find_own
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading
from runway_core.runway import Runway

from runway_app_http.api.history import HistoryEntry
from runway_app_http.api.policy import PolicyHistory, PolicySurveyAnswer
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

    _change(
        session,
        company,
        lambda runway, company_id: runway.policies.change(company_id, changes, actor=session.actor, version=version),
    )


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


Change = Callable[[Runway, CompanyId], Awaitable[Policy]]


def _change(session: Session, company: str, change: Change) -> None:
    """Make a change of a company's policy, let its figures follow, and show what holds."""

    async def act(runway: Runway) -> tuple[Policy, CompanyHeading]:
        found = await runway.companies.find(company)
        policy = await change(runway, found.company_id)
        await follow_change(runway, found.company_id)
        return policy, CompanyHeading.of(found)

    policy, heading = session.run(act)
    _show(session, policy, heading)


def _show(session: Session, policy: Policy, company: CompanyHeading) -> None:
    title = f"Policy of {company.name}"
    session.show(policy, lambda: lay_out_policy(policy, title, company.home_currency), currency=company.home_currency)


def lay_out_policy(policy: Policy, title: str, currency: str | None) -> Table:
    """Every setting, and which of them were set here."""
    plain = to_plain(policy, currency=currency)
    assert isinstance(plain, dict)
    fields = {"version": f"{policy.version}"}
    if policy.firm_version:
        fields["version of the firm's"] = f"{policy.firm_version}"
    fields["set here"] = ", ".join(find_own(policy)) or NONE_YET
    fields |= {name: _say_setting(plain[name]) for name in POLICY_SETTINGS}
    return fields_table(title, fields)


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
    session.show(history, lambda: lay_out_history(history, f"Policy of {history.company and history.company.name}"))


@command(app, "follow", example="runway policy follow acme payroll_cover_days")
def follow_firm(
    session: Session,
    *,
    company: CompanyName,
    settings: Annotated[list[str], typer.Argument(metavar="NAME...", help="Settings that the company set itself.")],
    version: Version = None,
) -> None:
    """Give settings back to the firm's policy: what the firm says holds for this company too."""
    _change(
        session,
        company,
        lambda runway, company_id: runway.policies.change(
            company_id, {}, follow_firm=settings, actor=session.actor, version=version
        ),
    )


@command(app, "revert", example="runway policy revert acme 2")
def revert_policy(
    session: Session,
    *,
    company: CompanyName,
    to: Annotated[int, typer.Argument(metavar="VERSION", min=0, help="As `history` lists it; 0 sets nothing here.")],
    version: Version = None,
) -> None:
    """Let the settings of an earlier version hold again: a new version."""
    _change(
        session,
        company,
        lambda runway, company_id: runway.policies.revert(company_id, to, actor=session.actor, version=version),
    )


@command(app, "rules", example="runway policy rules acme --with payroll_cover_days=21")
def show_rules(
    session: Session,
    *,
    company: CompanyName,
    settings: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="As if this were set; may be given again.")
    ] = None,
) -> None:
    """Show what each rule says of the bills that are ready today; nothing is kept."""
    changes = dict(read_setting(text) for text in settings or ())

    async def ask(runway: Runway) -> PolicySurveyAnswer:
        found = await runway.companies.find(company)
        return PolicySurveyAnswer.of(await runway.policies.survey(found.company_id, changes))

    survey = session.run(ask)
    session.show(survey, lambda: _lay_out_rules(survey))


def _lay_out_rules(survey: PolicySurveyAnswer) -> Table:
    table = new_table(f"Rules of {survey.company.name} on {survey.ready_bills} ready bills")
    for title in ("Rule", "Says", "For example"):
        table.add_column(title, overflow="fold")
    for line in survey.rules:
        counts = ", ".join(f"{ruling.value.replace('_', ' ')} {count}" for ruling, count in line.counts.items())
        reason = line.reasons[0].reason if line.reasons else NONE_YET
        table.add_row(line.rule.value, (counts or NONE_YET) if line.is_on else "off", reason)
    return table


def lay_out_history(history: PolicyHistory, title: str) -> Table:
    """Who changed which setting, when, from what to what."""
    caption = None if history.items else "nothing was set yet"
    table = new_table(title, caption=caption)
    for heading in ("Version", "When", "By", "Changed"):
        table.add_column(heading, overflow="fold")
    for entry in history.items:
        changed = "; ".join(f"{name}: {json.dumps(pair)}" for name, pair in entry.changed.items())
        table.add_row(entry.revision, say_moment(entry.seen_at), entry.actor, changed or NONE_YET)
    return table
