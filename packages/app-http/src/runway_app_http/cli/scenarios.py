"""`runway what-if` and `runway scenarios`: what figures would be if some things were different."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.company import Company
from runway_core.domain.decisions import Figures
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.scenarios import Scenario
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading
from runway_core.experiences.wording import say_days
from runway_core.runway import Runway

from runway_app_http.api.scenarios import ScenarioList, WhatIfAnswer
from runway_app_http.cli.companies import CompanyName, read_amount
from runway_app_http.cli.log import read_record_key
from runway_app_http.cli.plan import Version, read_day
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import new_table
from runway_app_http.ui.figures import NONE_YET, say_money

app = typer.Typer()
group_app = group("scenarios", "What-ifs that are kept by name.")

Pay = Annotated[list[str] | None, typer.Option("--pay", metavar="BILL:DAY", help="A bill is paid on another day.")]
Expect = Annotated[
    list[str] | None, typer.Option("--expect", metavar="INVOICE:DAY", help="An invoice is paid on another day.")
]
Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="KIND:ID", help="A document takes no part, such as bill:145.")
]
Add = Annotated[
    list[str] | None,
    typer.Option("--add", metavar="DAY:AMOUNT[:LABEL]", help="Cash moves; a leading minus when it leaves."),
]
Cash = Annotated[str | None, typer.Option("--cash", metavar="AMOUNT", help="Opening cash differs by this much.")]
ScenarioId = Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario's id or name, as `list` shows it.")]


def read_amendments(
    *,
    pay: Sequence[str] | None = None,
    expect: Sequence[str] | None = None,
    without: Sequence[str] | None = None,
    add: Sequence[str] | None = None,
    cash: str | None = None,
) -> list[Amendment]:
    """Read what would be different from the options of a command.

    Raises:
        InvalidRequest: a text of another form.
    """
    amendments = [_move(text, AmendmentAction.PAY_ON, RecordKind.BILL) for text in pay or ()]
    amendments += [_move(text, AmendmentAction.EXPECT_ON, RecordKind.INVOICE) for text in expect or ()]
    amendments += [Amendment(action=AmendmentAction.REMOVE, record=read_record_key(text)) for text in without or ()]
    amendments += [_read_added(text) for text in add or ()]
    if cash is not None:
        amendments.append(Amendment(action=AmendmentAction.ADJUST_CASH, amount=_read_signed(cash)))
    return amendments


def _move(text: str, action: AmendmentAction, kind: RecordKind) -> Amendment:
    external_id, colon, day = text.rpartition(":")
    if not colon or not external_id:
        raise InvalidRequest(f"{text!r} is not ID:DAY, such as 145:2026-04-08")
    return Amendment(action=action, record=RecordKey(kind, external_id), on=read_day(day))


def _read_added(text: str) -> Amendment:
    day, _, rest = text.partition(":")
    amount, _, label = rest.partition(":")
    if not amount:
        raise InvalidRequest(f"{text!r} is not DAY:AMOUNT[:LABEL], such as 2026-03-20:-5000:roof")
    return Amendment(action=AmendmentAction.ADD, on=read_day(day), amount=_read_signed(amount), label=label)


def _read_signed(text: str) -> Decimal:
    amount = read_amount(text.removeprefix("-"))
    return -amount if text.startswith("-") else amount


@command(app, "what-if", example="runway what-if acme --pay 145:2026-04-08 --without bill:188")
def ask_what_if(
    session: Session,
    *,
    company: CompanyName,
    pay: Pay = None,
    expect: Expect = None,
    without: Without = None,
    add: Add = None,
    cash: Cash = None,
) -> None:
    """Show runway, breach day and 28-day low before and after. Books are never changed by a question."""
    amendments = read_amendments(pay=pay, expect=expect, without=without, add=add, cash=cash)

    async def ask(runway: Runway) -> WhatIfAnswer:
        found = await runway.companies.find(company)
        return WhatIfAnswer.of(await runway.scenarios.ask(found.company_id, amendments))

    shown = session.run(ask)
    session.show(shown, lambda: _lay_out_figures(shown))


def _lay_out_figures(shown: WhatIfAnswer) -> Table:
    name = "What if" if shown.scenario is None else shown.scenario.name
    table = new_table(f"{name}: {shown.company.name}", caption=f"as of {shown.as_of}")
    for title in ("", "as it is", "as it would be"):
        table.add_column(title, overflow="fold")
    pairs = zip(_say_figures(shown.before), _say_figures(shown.after), strict=True)
    for (title, before), (_, after) in pairs:
        table.add_row(title, before, after)
    return table


def _say_figures(figures: Figures) -> list[tuple[str, str]]:
    breach = figures.buffer_breach_on
    return [
        ("runway", say_days(figures.runway_days)),
        ("buffer breached", NONE_YET if breach is None else breach.isoformat()),
        ("28-day low", say_money(figures.low_28_days)),
        ("on", figures.low_28_days_on.isoformat()),
    ]


@command(group_app, "list", example="runway scenarios list acme")
def list_scenarios(session: Session, company: CompanyName) -> None:
    """List the kept scenarios of a company, by name."""

    async def ask(runway: Runway) -> ScenarioList:
        found = await runway.companies.find(company)
        return ScenarioList(
            company=CompanyHeading.of(found),
            items=tuple(await runway.scenarios.list(found.company_id)),
            has_more=False,
            next_cursor=None,
        )

    listed = session.run(ask)
    session.show(listed, lambda: _lay_out(listed))


def _lay_out(listed: ScenarioList) -> Table:
    caption = None if listed.items else "none: keep one with `runway scenarios keep`"
    table = new_table(f"Scenarios of {listed.company.name}", caption=caption)
    for title in ("Name", "Id", "Parts", "Version", "By", "Note"):
        table.add_column(title, overflow="fold")
    for kept in listed.items:
        table.add_row(
            kept.name, kept.paper_id, f"{len(kept.amendments)}", f"{kept.version}", kept.changed_by, kept.note
        )
    return table


@command(group_app, "keep", example='runway scenarios keep acme "B4 in April" --pay B4:2026-04-08')
def keep_scenario(
    session: Session,
    *,
    company: CompanyName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The same name replaces what was kept.")],
    pay: Pay = None,
    expect: Expect = None,
    without: Without = None,
    add: Add = None,
    cash: Cash = None,
    note: Annotated[str, typer.Option("--note", help="Anything to remember.")] = "",
    version: Version = None,
) -> None:
    """Keep a what-if by name, and show its figures."""
    amendments = read_amendments(pay=pay, expect=expect, without=without, add=add, cash=cash)

    async def act(runway: Runway) -> WhatIfAnswer:
        found = await runway.companies.find(company)
        kept = await runway.scenarios.keep(
            found.company_id, name, amendments, actor=session.actor, note=note, version=version
        )
        return WhatIfAnswer.of(await runway.scenarios.ask(found.company_id, amendments), kept)

    shown = session.run(act)
    session.show(shown, lambda: _lay_out_figures(shown))


@command(group_app, "show", example='runway scenarios show acme "B4 in April"')
def show_scenario(session: Session, company: CompanyName, scenario: ScenarioId) -> None:
    """Show a kept scenario with its figures from today's books."""

    async def ask(runway: Runway) -> WhatIfAnswer:
        found = await runway.companies.find(company)
        kept = await _find(runway, found, scenario)
        kept, figures = await runway.scenarios.show(found.company_id, kept.paper_id)
        return WhatIfAnswer.of(figures, kept)

    shown = session.run(ask)
    session.show(shown, lambda: _lay_out_figures(shown))


@command(group_app, "drop", example='runway scenarios drop acme "B4 in April"')
def drop_scenario(session: Session, company: CompanyName, scenario: ScenarioId, version: Version = None) -> None:
    """Drop a kept scenario."""

    async def act(runway: Runway) -> tuple[Scenario, str]:
        found = await runway.companies.find(company)
        kept = await _find(runway, found, scenario)
        dropped = await runway.scenarios.drop(found.company_id, kept.paper_id, actor=session.actor, version=version)
        return dropped, found.home_currency

    dropped, currency = session.run(act)
    session.show(dropped, lambda: f"dropped {dropped.name}", currency=currency)


async def _find(runway: Runway, company: Company, wanted: str) -> Scenario:
    for kept in await runway.scenarios.list(company.company_id):
        if wanted == kept.paper_id or wanted.casefold() == kept.name.casefold():
            return kept
    return await runway.scenarios.get(company.company_id, wanted)
