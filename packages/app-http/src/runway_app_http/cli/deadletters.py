"""`runway deadletters`: what could not be processed; replayed when its cause is mended, or discarded."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from runway_core.errors import InvalidRequest
from runway_core.runway import Runway
from runway_core.services.dead_letters import DeadLetter, LetterKind

from runway_app_http.api.chains import ChainLink, find_chain
from runway_app_http.api.dead_letters import DeadLetterDetail, LetterAct, LetterDecision, act_on_letters, read_detail
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import NONE_YET, say_moment

app = group("deadletters", "What could not be processed.")
chains = typer.Typer()

Company = Annotated[str | None, typer.Option("--company", help="Of one company.")]
Rail = Annotated[str | None, typer.Option("--rail", help="Of one rail.")]
Code = Annotated[str | None, typer.Option("--error", metavar="CODE", help="Of one error, such as rail-refused.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Which ones, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All jobs that the filters leave, in place of ids.")]


async def _list(runway: Runway, company: str | None, rail: str | None, error: str | None) -> list[DeadLetter]:
    found = None if company is None else (await runway.companies.find(company)).company_id
    return list(await runway.dead_letters.list(company_id=found, rail=rail, error_code=error))


@command(app, "list", example="runway deadletters list --rail qbo")
def list_letters(session: Session, *, company: Company = None, rail: Rail = None, error: Code = None) -> None:
    """List jobs that failed for good and records in quarantine, the last seen first."""
    letters = session.run(lambda runway: _list(runway, company, rail, error))
    session.show({"items": letters}, lambda: _lay_out(letters))


def _lay_out(letters: list[DeadLetter]) -> Table:
    table = new_table("Dead letters", caption=None if letters else "none: everything was processed")
    for title in ("Company", "Id", "Kind", "What", "Rail", "Error", "Reason", "Last seen", "Times"):
        table.add_column(title, overflow="fold")
    for one in letters:
        seen = say_moment(one.last_seen_at)
        rail = one.rail or NONE_YET
        cells = (one.letter_id, one.kind.value, one.what, rail, one.error_code, one.reason, seen, f"{one.attempts}")
        table.add_row(one.company_name, *cells)
    return table


@command(app, "show", example="runway deadletters show 0006a1")
def show_letter(session: Session, letter_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one job that failed for good, and the chain of causes that led to it."""
    detail = session.run(lambda runway: read_detail(runway, letter_id))
    session.show(detail, lambda: _lay_out_detail(detail))


def _lay_out_detail(detail: DeadLetterDetail) -> RenderableType:
    letter = detail.letter
    fields = {
        "Company": letter.company_name,
        "Work": f"{letter.what} {letter.rail or ''}".strip(),
        "Error": f"{letter.error_code}: {letter.reason}",
        "Seen": f"first {say_moment(letter.first_seen_at)}, last {say_moment(letter.last_seen_at)}",
        "Attempts": f"{letter.attempts}",
    }
    return Group(fields_table(letter.letter_id, fields), _lay_out_chain(detail.chain))


def _lay_out_chain(links: Sequence[ChainLink]) -> Table:
    chain = new_table("Chain of causes")
    for title in ("Depth", "Work", "Rail", "Cause", "State", "Enqueued"):
        chain.add_column(title, overflow="fold")
    for link in links:
        row = (link.work, link.rail or NONE_YET, link.cause_id or NONE_YET, link.note or link.state)
        chain.add_row(f"{link.depth}", *row, say_moment(link.enqueued_at))
    return chain


@command(chains, "chain", example="runway chain 0006a1")
def show_chain(session: Session, correlation_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show what followed from one cause: ID is the correlation id of a log entry or a pull."""
    chain = session.run(lambda runway: find_chain(runway, correlation_id))
    session.show(chain, lambda: _lay_out_chain(chain.items))


def _decide(
    session: Session, act: LetterAct, ids: list[str] | None, wanted: tuple[str | None, ...] | None, **more: str
) -> None:
    if bool(ids) == (wanted is not None):
        raise InvalidRequest("name the letters, or say --all with or without filters")

    async def work(runway: Runway) -> list[str]:
        chosen = ids or []
        if wanted is not None:
            found = await _list(runway, *wanted)
            chosen = [letter.letter_id for letter in found if letter.kind is LetterKind.JOB]
        done: list[str] = []
        for start in range(0, len(chosen), 100):
            decision = LetterDecision(action=act, letter_ids=chosen[start : start + 100], **more)
            done += (await act_on_letters(runway, decision, actor=session.actor)).letter_ids
        return done

    done = session.run(work)
    word = "replayed" if act is LetterAct.REPLAY else "discarded"
    session.show({word: done}, lambda: f"{word} {len(done)}")


@command(app, "replay", example="runway deadletters replay --all --error rail-misconfigured")
def replay_letters(
    session: Session,
    ids: Ids = None,
    *,
    every: All = False,
    company: Company = None,
    rail: Rail = None,
    error: Code = None,
) -> None:
    """Let dead jobs run again; those that are not dead any more are left alone."""
    _decide(session, LetterAct.REPLAY, ids, (company, rail, error) if every else None)


@command(app, "discard", example='runway deadletters discard 0006a1 --reason "client left"')
def discard_letters(
    session: Session,
    ids: Ids = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    every: All = False,
    company: Company = None,
    rail: Rail = None,
    error: Code = None,
) -> None:
    """Close dead jobs without running them."""
    _decide(session, LetterAct.DISCARD, ids, (company, rail, error) if every else None, reason=reason)
