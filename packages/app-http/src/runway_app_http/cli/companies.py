"""`runway companies`: who is looked after, and what the firm has set for them."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.table import Table
from runway_core.domain.company import Company, EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.money import to_amount
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway

from runway_app_http.api.companies import CompanyAnswer, CompanySummary, ConnectionSummary
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import NONE_YET, say_amount

app = group("companies", "Who is looked after, and what is set for them.")

CompanyName = Annotated[str, typer.Argument(metavar="COMPANY", help="An id, or a name or its beginning.")]
Owner = Annotated[str | None, typer.Option("--owner", help="Who of the firm looks after it; empty removes.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated; one empty tag removes all.")]
Buffer = Annotated[str | None, typer.Option("--buffer", help="Cash kept untouched, home currency.", metavar="AMOUNT")]


@command(app, "list", example="runway companies list")
def list_companies(session: Session) -> None:
    """List the companies of the firm, by name."""

    async def ask(runway: Runway) -> list[CompanyAnswer]:
        connections: dict[str, list[ConnectionSummary]] = {}
        for connection in await runway.connections.list():
            connections.setdefault(connection.company_id, []).append(ConnectionSummary.of(connection))
        return [
            describe_company(company, connections.get(company.company_id, ()))
            for company in await runway.companies.list()
        ]

    companies = session.run(ask)
    session.show({"items": companies}, lambda: _lay_out(companies))


def describe_company(company: Company, connections: Any = ()) -> CompanyAnswer:
    """A company as the API shows it."""
    summary = CompanySummary.of(company)
    return CompanyAnswer(
        **{name: getattr(summary, name) for name in CompanySummary.model_fields},
        settings=company.settings,
        connections=tuple(connections),
    )


def _lay_out(companies: list[CompanyAnswer]) -> Table:
    table = new_table("Companies", caption=None if companies else "none yet: add one with `runway companies add`")
    for title in ("Company", "Id", "Currency", "Time zone", "Owner", "Tags", "Rails"):
        table.add_column(title, overflow="fold")
    for company in companies:
        rails = ", ".join(f"{c.rail} ({c.state.value})" for c in company.connections)
        tags = ", ".join(company.tags)
        table.add_row(
            company.name,
            company.company_id,
            company.home_currency,
            company.time_zone,
            company.owner or NONE_YET,
            tags or NONE_YET,
            rails or "not connected",
        )
    return table


@command(app, "add", example='runway companies add "Acme Hardware" --currency USD --time-zone America/Chicago')
def add_company(
    session: Session,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    currency: Annotated[str, typer.Option("--currency", help="Home currency, ISO 4217.")] = "USD",
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Where its days begin; IANA name.")
    ] = "America/New_York",
    owner: Owner = None,
    tag: Tags = None,
    buffer: Buffer = None,
) -> None:
    """Add a company. Connect it afterwards with `runway connect`."""

    async def act(runway: Runway) -> Company:
        amount = None if buffer is None else read_amount(buffer)
        company = await runway.companies.add(
            name, home_currency=currency, time_zone=time_zone, owner=owner, tags=_tags(tag) or (), actor=session.actor
        )
        if amount is None:
            return company
        return await runway.companies.change_settings(company.company_id, {"buffer": amount}, actor=session.actor)

    _show_one(session, session.run(act), "added")


@command(app, "set", example='runway companies set acme --buffer 10000 --series "payroll:biweekly:2026-03-20:18400.00"')
def set_company(
    session: Session,
    *,
    company: CompanyName,
    name: Annotated[str | None, typer.Option("--name", help="Rename it.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Where its days begin; IANA name.")] = None,
    owner: Owner = None,
    tag: Tags = None,
    buffer: Buffer = None,
    reserves: Annotated[str | None, typer.Option("--reserves", help="Set aside for tax.", metavar="AMOUNT")] = None,
    red_below_days: Annotated[int | None, typer.Option("--red-below-days", help="Runway that counts as red.")] = None,
    amber_below_days: Annotated[int | None, typer.Option("--amber-below-days", help="… as amber.")] = None,
    exclude_account: Annotated[
        list[str] | None, typer.Option("--exclude-account", help="Id of an account that is not its own cash.")
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            metavar="KIND:RHYTHM:FIRST_DAY:AMOUNT",
            help="Money that comes round, such as payroll; replaces the series of that kind. `KIND:none` removes it.",
        ),
    ] = None,
) -> None:
    """Change what is set for a company, leaving the rest. The position follows at once."""
    changes: dict[str, Any] = {
        "buffer": None if buffer is None else read_amount(buffer),
        "reserves": None if reserves is None else read_amount(reserves),
        "red_below_days": red_below_days,
        "amber_below_days": amber_below_days,
        "excluded_account_ids": None if exclude_account is None else tuple(part for part in exclude_account if part),
    }
    given = {key: value for key, value in changes.items() if value is not None}

    async def act(runway: Runway) -> Company:
        found = await runway.companies.find(company)
        if series:
            given["series"] = merge_series(found, series)
        if (name, time_zone, owner, tag) != (None, None, None, None):
            found = await runway.companies.change_details(
                found.company_id, name=name, time_zone=time_zone, owner=owner, tags=_tags(tag), actor=session.actor
            )
        if given:
            found = await runway.companies.change_settings(found.company_id, given, actor=session.actor)
        if await runway.positions.current(found.company_id) is not None:
            await runway.recompute(found.company_id)
        return found

    _show_one(session, session.run(act), "changed")


def _tags(given: list[str] | None) -> list[str] | None:
    return None if given is None else [tag.strip() for tag in given if tag.strip()]


def read_amount(text: str) -> Decimal:
    """Read an amount as people type it: `10000`, `10,000.50`.

    Raises:
        InvalidRequest: it is no amount, or negative.
    """
    try:
        amount = to_amount(Decimal(text.replace(",", "")))
    except InvalidOperation as error:
        raise InvalidRequest(f"{text!r} is no amount: write it like 10000 or 10000.50") from error
    if amount < 0:
        raise InvalidRequest(f"{text!r} is negative: give a positive amount")
    return amount


def merge_series(company: Company, given: list[str]) -> tuple[EnteredSeries, ...]:
    """The company's entered series after `KIND:RHYTHM:FIRST_DAY:AMOUNT` or `KIND:none`, one of a kind.

    Raises:
        InvalidRequest: a text of another form.
    """
    kept = {entered.series_id: entered for entered in company.settings.series}
    for text in given:
        parts = text.split(":")
        try:
            kind = SeriesKind(parts[0])
            kept = {key: entered for key, entered in kept.items() if entered.series_kind is not kind}
            if parts[1:] == ["none"]:
                continue
            rhythm, first_day, amount = parts[1:]
            entered = EnteredSeries(
                series_id=kind.value,
                name=kind.value.replace("_", " ").capitalize(),
                series_kind=kind,
                rhythm=Rhythm(rhythm),
                first_day=date.fromisoformat(first_day),
                amount=read_amount(amount),
                currency=company.home_currency,
            )
        except ValueError as error:
            kinds, rhythms = ", ".join(SeriesKind), ", ".join(Rhythm)
            raise InvalidRequest(
                f"--series {text!r} is not KIND:RHYTHM:FIRST_DAY:AMOUNT, such as payroll:biweekly:2026-03-20:18400 "
                f"(kinds: {kinds}; rhythms: {rhythms})"
            ) from error
        kept[entered.series_id] = entered
    return tuple(kept.values())


def _show_one(session: Session, company: Company, done: str) -> None:
    def lay_out() -> Table:
        settings, currency = company.settings, company.home_currency
        series = ", ".join(
            f"{s.name} {s.rhythm.value} from {s.first_day} {say_amount(s.amount, s.currency)}" for s in settings.series
        )
        return fields_table(
            f"{company.name}: {done}",
            {
                "Id": company.company_id,
                "Currency": currency,
                "Time zone": company.time_zone,
                "Owner": company.owner or NONE_YET,
                "Tags": ", ".join(company.tags) or NONE_YET,
                "Buffer": say_amount(settings.buffer, currency),
                "Reserves": say_amount(settings.reserves, currency),
                "Red, amber below": f"{settings.red_below_days}, {settings.amber_below_days} days",
                "Series": series or NONE_YET,
            },
        )

    session.show(describe_company(company), lay_out)
