"""`runway questions`: what the client is asked about findings, in one message, and the answers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from runway_core.domain.company import Company
from runway_core.domain.questions import ClientQuestion
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading
from runway_core.runway import Runway

from runway_app_http.api.questions import QuestionList
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.fix import Findings, find_finding_ids
from runway_app_http.cli.plan import Version
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import NONE_YET, say_moment

app = group("questions", "What the client is asked about findings, and the answers.")

QuestionId = Annotated[str, typer.Argument(metavar="QUESTION", help="A message's id, as `list` shows it.")]


@command(app, "list", example="runway questions list acme")
def list_questions(
    session: Session,
    company: CompanyName,
    everything: Annotated[bool, typer.Option("--all", help="Answered and dropped ones too.")] = False,
) -> None:
    """List the messages that wait to be sent or answered."""

    async def ask(runway: Runway) -> QuestionList:
        found = await runway.companies.find(company)
        messages = await runway.questions.list(found.company_id, include_closed=everything)
        return QuestionList(company=CompanyHeading.of(found), items=tuple(messages), has_more=False, next_cursor=None)

    listed = session.run(ask)
    session.show(listed, lambda: _lay_out_list(listed))


def _lay_out_list(listed: QuestionList) -> Table:
    caption = None if listed.items else "none: gather some with `runway questions ask`"
    table = new_table(f"Questions to {listed.company.name}", caption=caption)
    for title in ("Id", "Subject", "State", "Answered", "Sent to", "Sent"):
        table.add_column(title, overflow="fold")
    for message in listed.items:
        answered = sum(item.answer is not None for item in message.items)
        sent = NONE_YET if message.sent_at is None else say_moment(message.sent_at)
        state = "dropped" if message.is_closed and answered < len(message.items) else message.state.value
        table.add_row(
            message.paper_id,
            message.subject,
            state,
            f"{answered} of {len(message.items)}",
            message.sent_to or NONE_YET,
            sent,
        )
    return table


@command(app, "ask", example="runway questions ask acme 9f1c0a7b 0b3d77aa --preview")
def ask_questions(
    session: Session,
    *,
    company: CompanyName,
    findings: Findings,
    subject: Annotated[str | None, typer.Option("--subject", help="Of the message; worded when absent.")] = None,
    note: Annotated[str, typer.Option("--note", help="Stands above the questions.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Show the message and keep nothing.")] = False,
) -> None:
    """Gather findings into one message to the client, with date, amount and vendor, and keep it as a draft."""

    async def act(runway: Runway, found: Company) -> ClientQuestion:
        ids = await find_finding_ids(runway, found, findings)
        make = runway.questions.preview if preview else runway.questions.draft
        return await make(found.company_id, ids, actor=session.actor, subject=subject, note=note)

    _act(session, company, act)


@command(app, "show", example="runway questions show acme 7f3a")
def show_question(session: Session, company: CompanyName, question: QuestionId) -> None:
    """Show a message with its answers."""

    async def act(runway: Runway, found: Company) -> ClientQuestion:
        return await runway.questions.get(found.company_id, question)

    _act(session, company, act)


@command(app, "sent", example="runway questions sent acme 7f3a --to ed@acme.example")
def mark_sent(
    session: Session,
    *,
    company: CompanyName,
    question: QuestionId,
    to: Annotated[str, typer.Option("--to", help="To whom it went.")],
    version: Version = None,
) -> None:
    """Say that a message went out: its findings are asked from now on."""

    async def act(runway: Runway, found: Company) -> ClientQuestion:
        return await runway.questions.mark_sent(
            found.company_id, question, sent_to=to, actor=session.actor, version=version
        )

    _act(session, company, act)


@command(app, "answer", example='runway questions answer acme 7f3a "1=due 31 March" "2=a double"')
def record_answers(
    session: Session,
    *,
    company: CompanyName,
    question: QuestionId,
    answers: Annotated[list[str], typer.Argument(metavar="NUMBER=ANSWER...", help="By the number in the message.")],
    version: Version = None,
) -> None:
    """Record what the client said: asked findings are open again and carry the answer."""
    said = [_read_answer(text) for text in answers]

    async def act(runway: Runway, found: Company) -> ClientQuestion:
        message = await runway.questions.get(found.company_id, question)
        by_finding = {}
        for number, text in said:
            if not 0 < number <= len(message.items):
                raise InvalidRequest(f"the message has questions 1 to {len(message.items)}: there is no {number}")
            by_finding[message.items[number - 1].finding_id] = text
        return await runway.questions.answer(
            found.company_id, question, by_finding, actor=session.actor, version=version
        )

    _act(session, company, act)


def _read_answer(text: str) -> tuple[int, str]:
    number, sign, answer = text.partition("=")
    if not sign or not number.strip().isdecimal():
        raise InvalidRequest(f'{text!r} is not NUMBER=ANSWER, such as "1=due 31 March"')
    return int(number), answer


@command(app, "drop", example="runway questions drop acme 7f3a")
def drop_question(session: Session, company: CompanyName, question: QuestionId, version: Version = None) -> None:
    """Drop a message, or give up waiting for its answers: findings that it asked about are open again."""

    async def act(runway: Runway, found: Company) -> ClientQuestion:
        return await runway.questions.drop(found.company_id, question, actor=session.actor, version=version)

    _act(session, company, act)


def _act(session: Session, company: str, act: Callable[[Runway, Company], Awaitable[ClientQuestion]]) -> None:
    async def run(runway: Runway) -> ClientQuestion:
        return await act(runway, await runway.companies.find(company))

    message = session.run(run)
    session.show(message, lambda: _lay_out(message))


def _lay_out(message: ClientQuestion) -> RenderableType:
    fields = {
        "Id": message.paper_id if message.version else f"{NONE_YET} (not kept)",
        "State": message.state.value,
        "To": message.sent_to or NONE_YET,
    }
    answers = [f"{n}. {item.answer}" for n, item in enumerate(message.items, start=1) if item.answer is not None]
    parts: Sequence[str] = [message.body, *(["", "Answers:"] if answers else []), *answers]
    return Group(fields_table(message.subject, fields), *parts)
