"""`runway decide`, `approve`, `release`, `withdraw`, `remind`: decisions of people. None moves money."""

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table
from runway_core.domain.collections import CollectionNote, CollectionOutcome
from runway_core.domain.decisions import DecisionOutcome
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest
from runway_core.experiences.wording import say_days
from runway_core.runway import Runway
from runway_core.services.decision_batches import BillChoice

from runway_app_http.api.collections import NewCollectionNote, write_note
from runway_app_http.api.decisions import (
    BatchAnswer,
    DecidedBatchAnswer,
    DecisionAnswer,
    NewDecision,
    PartBody,
    decide_bill,
    find_decision,
)
from runway_app_http.cli.companies import CompanyName, read_amount
from runway_app_http.cli.plan import Version, read_day
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.following import follow_change
from runway_app_http.ui.figures import NONE_YET, say_amount, say_money

app = typer.Typer()

DecisionName = Annotated[
    str, typer.Argument(metavar="DECISION", help="A decision's id, or the id of the bill it is about.")
]
By = Annotated[str | None, typer.Option("--by", help="Who does it; you when absent. Taken on trust.")]


@command(app, "decide", example='runway decide acme B2 --outcome delay --pay 2026-03-13:3200 --reason "they agreed"')
def decide(
    session: Session,
    *,
    company: CompanyName,
    bill: Annotated[str, typer.Argument(metavar="BILL", help="A bill's id, as `console` shows it with --json.")],
    outcome: Annotated[DecisionOutcome, typer.Option("--outcome", help="What is decided.")] = DecisionOutcome.PAY,
    pay: Annotated[
        list[str] | None,
        typer.Option("--pay", metavar="DAY:AMOUNT", help="A payment; again for a split. As proposed when absent."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Needed to delay and to escalate.")] = "",
    to: Annotated[str | None, typer.Option("--to", help="Who decides instead, to escalate.")] = None,
    by: By = None,
    version: Version = None,
) -> None:
    """Decide about a ready bill: pay, delay, split or escalate. Nothing is paid by it."""
    decision = NewDecision(
        bill_id=bill,
        outcome=outcome,
        payments=[_read_part(text) for text in pay or ()],
        reason=reason,
        escalated_to=to,
        by=by,
    )

    async def act(runway: Runway) -> DecisionAnswer:
        company_id = (await runway.companies.find(company)).company_id
        decided = await decide_bill(runway, company_id, decision, actor=session.actor, version=version)
        return DecisionAnswer.of(decided)

    _show(session, session.run(act))


def _read_part(text: str) -> PartBody:
    day, colon, amount = text.partition(":")
    if not colon:
        raise InvalidRequest(f"{text!r} is no payment: write it like 2026-03-13:3200")
    return PartBody(on=read_day(day), amount=read_amount(amount))


@command(app, "decide-batch", example="runway decide-batch acme B2 B5:2026-03-31 --check")
def decide_batch(
    session: Session,
    *,
    company: CompanyName,
    bills: Annotated[
        list[str], typer.Argument(metavar="BILL[:DAY[:AMOUNT]]...", help="Ready bills; as proposed without a day.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Needed where one arrives after its due day.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Judge them as a whole and decide nothing.")] = False,
    by: By = None,
) -> None:
    """Decide about many ready bills, judged as a whole; each is reported on its own."""
    choices = [_read_choice(text) for text in bills]
    if check:

        async def ask(runway: Runway) -> tuple[BatchAnswer, str]:
            found = await runway.companies.find(company)
            checked = await runway.decision_batches.check(found.company_id, choices)
            return BatchAnswer.of(checked), found.home_currency

        judged, currency = session.run(ask)
        session.show(judged, lambda: _lay_out_check(judged), currency=currency)
        return

    async def act(runway: Runway) -> tuple[DecidedBatchAnswer, str]:
        found = await runway.companies.find(company)
        batch = await runway.decision_batches.decide(
            found.company_id, choices, actor=by or session.actor, reason=reason
        )
        await follow_change(runway, found.company_id)
        return DecidedBatchAnswer.of(batch), found.home_currency

    decided, currency = session.run(act)
    session.show(decided, lambda: _lay_out_batch(decided), currency=currency)


def _read_choice(text: str) -> BillChoice:
    bill_id, _, rest = text.partition(":")
    day, _, amount = rest.partition(":")
    if not bill_id:
        raise InvalidRequest(f"{text!r} is not BILL[:DAY[:AMOUNT]], such as B2:2026-03-13:3200")
    return BillChoice(bill_id, on=read_day(day) if day else None, amount=read_amount(amount) if amount else None)


def _lay_out_check(judged: BatchAnswer) -> Table:
    caption = f"28-day low {say_money(judged.before.low_28_days)} before, {say_money(judged.after.low_28_days)} after"
    table = new_table(f"Together: {judged.ruling.value.replace('_', ' ')}", caption=caption)
    for heading in ("Bill", "Arrives on", "Rules", "Why"):
        table.add_column(heading, overflow="fold")
    for payment in judged.payments:
        why = "; ".join(result.reason for result in payment.results if result.ruling is payment.ruling)
        ruling = payment.ruling.value.replace("_", " ")
        table.add_row(payment.bill_id, payment.on.isoformat(), ruling, NONE_YET if ruling == "allow" else why)
    return table


def _lay_out_batch(batch: DecidedBatchAnswer) -> Table:
    caption = f"28-day low {say_money(batch.before.low_28_days)} before, {say_money(batch.after.low_28_days)} after"
    table = new_table("What became of each", caption=caption)
    for heading in ("Bill", "Outcome", "Decision"):
        table.add_column(heading, overflow="fold")
    for one in batch.outcomes:
        if one.decision is None:
            table.add_row(one.bill_id, f"not decided: {one.error}", NONE_YET)
        else:
            day = one.decision.payments[0].on.isoformat()
            table.add_row(one.bill_id, f"{one.decision.outcome.value} {day}", one.decision.paper_id)
    return table


@command(app, "approve", example="runway approve acme B2 --role controller")
def approve(
    session: Session,
    *,
    company: CompanyName,
    decision: DecisionName,
    role: Annotated[Role, typer.Option("--role", help="In which role.")],
    note: Annotated[str, typer.Option("--note", help="Anything to remember.")] = "",
    by: By = None,
    version: Version = None,
) -> None:
    """Say yes to a decision; with the last yes that the rules want it is approved."""

    async def act(runway: Runway) -> DecisionAnswer:
        company_id = (await runway.companies.find(company)).company_id
        found = await find_decision(runway, company_id, decision)
        approved = await runway.decisions.approve(
            company_id, found.paper_id, actor=by or session.actor, role=role, note=note, version=version
        )
        return DecisionAnswer.of(approved)

    _show(session, session.run(act))


@command(app, "release", example="runway release acme B2")
def release(
    session: Session, company: CompanyName, decision: DecisionName, by: By = None, version: Version = None
) -> None:
    """Tell the client to pay what was approved, by hand. Everything is checked again; no money is moved."""

    async def act(runway: Runway) -> DecisionAnswer:
        company_id = (await runway.companies.find(company)).company_id
        found = await find_decision(runway, company_id, decision)
        released = await runway.decisions.release(
            company_id, found.paper_id, actor=by or session.actor, version=version
        )
        return DecisionAnswer.of(released)

    _show(session, session.run(act))


@command(app, "withdraw", example='runway withdraw acme B2 --reason "wrong vendor"')
def withdraw(
    session: Session,
    *,
    company: CompanyName,
    decision: DecisionName,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    by: By = None,
    version: Version = None,
) -> None:
    """Take a decision back before its release; the bill is ready again."""

    async def act(runway: Runway) -> DecisionAnswer:
        company_id = (await runway.companies.find(company)).company_id
        found = await find_decision(runway, company_id, decision)
        gone = await runway.decisions.withdraw(
            company_id, found.paper_id, actor=by or session.actor, reason=reason, version=version
        )
        await follow_change(runway, company_id)
        return DecisionAnswer.of(gone)

    _show(session, session.run(act))


@command(app, "remind", example='runway remind acme I1 --outcome promised --person "Ms Elm" --on 2026-03-13')
def remind(
    session: Session,
    *,
    company: CompanyName,
    invoice: Annotated[str, typer.Argument(metavar="INVOICE", help="An invoice's id.")],
    outcome: Annotated[CollectionOutcome, typer.Option("--outcome", help="What came of it.")],
    person: Annotated[str, typer.Option("--person", help="With whom; needed for a promise.")] = "",
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="The day it is promised for.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Needed for a dispute.")] = "",
    note: Annotated[str, typer.Option("--note", help="Anything to remember.")] = "",
) -> None:
    """Write down a contact with a customer about an invoice. No letter is sent."""
    written = NewCollectionNote(
        invoice_id=invoice,
        outcome=outcome,
        person=person,
        promised_on=None if on is None else read_day(on),
        reason=reason,
        note=note,
    )

    async def act(runway: Runway) -> CollectionNote:
        company_id = (await runway.companies.find(company)).company_id
        return await write_note(runway, company_id, written, actor=session.actor)

    kept = session.run(act)
    session.show(kept, lambda: f"noted: {kept.invoice_id} {kept.outcome.value} on {kept.contacted_on}")


def _show(session: Session, answer: DecisionAnswer) -> None:
    session.show(answer, lambda: _lay_out(answer), currency=answer.decision.before.low_28_days.currency)


def _lay_out(answer: DecisionAnswer) -> RenderableType:
    decision = answer.decision
    currency = decision.facts.currency
    parts = ", ".join(f"{say_amount(part.amount, currency)} {currency} on {part.on}" for part in decision.payments)
    before, after = decision.before, decision.after
    told = [result for result in decision.results if result.remedy]
    return fields_table(
        f"Decision {decision.paper_id} on bill {decision.bill_id}",
        {
            "Decided": f"{decision.outcome.value}, {parts or f'by {decision.escalated_to}'}",
            "State": decision.state.value + (", told the client, paid by hand" if decision.told_client else ""),
            "Needs": "; ".join(answer.needs) or NONE_YET,
            "Runway": f"{say_days(before.runway_days)} → {say_days(after.runway_days)}",
            "Buffer breached": f"{before.buffer_breach_on or 'never'} → {after.buffer_breach_on or 'never'}",
            "28-day low": f"{before.low_28_days} → {after.low_28_days}",
            "Rules": "\n".join(f"{result.rule.value.replace('_', ' ')}: {result.reason}" for result in told)
            or "all pass",
            "Steps": "\n".join(f"{step.at:%Y-%m-%d %H:%M} {step.state.value} by {step.by}" for step in decision.steps),
        },
    )
