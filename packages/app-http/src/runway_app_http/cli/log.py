"""`runway log` and `runway history`: what was seen, when and why; and the proof that nothing of it changed."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer
from rich.table import Table
from runway_core.domain.company import Company
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.log_entry import LogEntry
from runway_core.errors import InvalidRequest, NotFound
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway

from runway_app_http.api.history import CustodyOfBill, HistoryEntry, RecordHistory, gather_custody
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.failures import DONE, FOUND, say_error
from runway_app_http.cli.session import Session, command, group
from runway_app_http.cli.tables import new_table
from runway_app_http.log_checks import VerifiedLog, read_trusted, verify_chains
from runway_app_http.moments import read_known_at, read_moment
from runway_app_http.ui.figures import NONE_YET, say_count, say_moment

app = typer.Typer()
TrustedKeys = Annotated[
    list[str] | None,
    typer.Option("--public-key", metavar="HEX", help="A key you trust: the first one, and any that none endorsed."),
]

group_app = group("log", "The transaction log: what was seen, decided and done.")


class LogLine(HistoryEntry):
    """An entry of the log with the record it is about."""

    kind: str
    external_id: str

    @classmethod
    def about(cls, entry: LogEntry) -> "LogLine":
        """An entry, ready to show."""
        shown = HistoryEntry.of(entry)
        own = {name: getattr(shown, name) for name in HistoryEntry.model_fields}
        return cls(**own, kind=entry.draft.kind, external_id=entry.draft.external_id)


class LogPage(View):
    """Some entries of one company's log, oldest first."""

    company: CompanyHeading
    total: int
    items: tuple[LogLine, ...]


class ExportedLog(View):
    """What was written into a file."""

    company: CompanyHeading
    file: str
    entries: int


@command(group_app, "show", example="runway log show acme --limit 20")
def show_log(
    session: Session,
    *,
    company: CompanyName,
    after: Annotated[int | None, typer.Option("--after", min=0, help="Entries after this number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 20,
) -> None:
    """Show entries of a company's log: the newest ones, or those after a number."""

    async def ask(runway: Runway) -> LogPage:
        found = await runway.companies.find(company, or_erased=True)
        total = await runway.log_length(found.company_id)
        start = max(total - limit, 0) if after is None else after
        entries = await runway.log_entries(found.company_id, after=start, limit=limit)
        return LogPage(
            company=CompanyHeading.of(found), total=total, items=tuple(LogLine.about(entry) for entry in entries)
        )

    page = session.run(ask)
    session.show(page, lambda: _lay_out_entries(f"Log of {page.company.name}, {page.total:,} entries", page.items))


def _lay_out_entries(title: str, entries: Sequence[HistoryEntry]) -> Table:
    table = new_table(title)
    table.add_column("No.", justify="right", no_wrap=True)
    table.add_column("Seen", no_wrap=True)
    for heading in ("What", "Record", "Changed", "Cause", "By"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        record = f"{entry.kind}:{entry.external_id}" if isinstance(entry, LogLine) else entry.revision
        changed = "; ".join(f"{name}: {_say_change(pair)}" for name, pair in entry.changed.items()) or NONE_YET
        changed = "erased" if entry.is_erased else changed
        table.add_row(
            f"{entry.sequence:,}",
            say_moment(entry.seen_at),
            entry.what,
            record,
            changed if len(changed) <= 200 else f"{changed[:200]}…",
            entry.cause.value,
            entry.actor,
        )
    return table


def _say_change(pair: object) -> str:
    if isinstance(pair, list) and len(pair) == 2:
        return f"{pair[0]} → {pair[1]}"
    return f"{pair}"


@command(group_app, "verify", example="runway log verify --company acme --since 2026-03-01")
def verify_log(
    session: Session,
    companies: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPANY]...", help="Which ones; all when none is given.")
    ] = None,
    company: Annotated[list[str] | None, typer.Option("--company", help="The same, as an option.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="Only what was seen from this day or moment on.")
    ] = None,
    public_key: TrustedKeys = None,
) -> int:
    """Recompute every chain and its head. Exit code 1 when one is broken; its first broken entry is named."""
    wanted = [*(companies or ()), *(company or ())]
    moment, trusted = None if since is None else read_moment(since), read_trusted(public_key)

    async def ask(runway: Runway) -> VerifiedLog:
        named = [await runway.companies.find(one, or_erased=True) for one in wanted]
        chosen = named or await runway.companies.list(with_erased=True)
        return await verify_chains(runway, chosen, since=moment, with_firm=not wanted, trusted=trusted)

    verified = session.run(ask)
    faults = verified.say_faults()
    session.show(verified.describe(), lambda: _lay_out_verified(verified, broken=len(faults)))
    for fault in (*verified.anchors.faults, *faults):
        say_error(fault, "log-broken")
    return FOUND if faults or not verified.anchors.is_sound else DONE


@command(group_app, "export", example="runway log export acme --to acme.jsonl.gz")
def export_log(
    session: Session,
    *,
    company: CompanyName,
    to: Annotated[Path, typer.Option("--to", help="The file; compressed where its name ends with .gz.")],
    after: Annotated[int, typer.Option("--after", min=0, help="Only entries after this number.")] = 0,
) -> None:
    """Write a company's chain into a file that anyone can verify without Runway (`tools/verify_log.py`)."""

    async def act(runway: Runway) -> ExportedLog:
        found = await runway.companies.find(company, or_erased=True)
        lines = 0
        with _open_new(to) as file:
            async for some in runway.export_log(found.company_id, after=after):
                file.write(some)
                lines += some.count(b"\n")
        return ExportedLog(company=CompanyHeading.of(found), file=str(to), entries=lines - 2)

    done = session.run(act)
    session.show(done, lambda: f"{done.entries:,} entries of {done.company.name} are in {done.file}")


def _open_new(path: Path) -> BinaryIO:
    try:
        if path.suffix == ".gz":
            return cast("BinaryIO", gzip.open(path, "xb", compresslevel=6))
        return path.open("xb")
    except OSError as error:
        raise InvalidRequest(f"{str(path)!r} cannot be written: {error.strerror or error}") from error


def _lay_out_verified(verified: VerifiedLog, *, broken: int) -> Table:
    chains, anchors = verified.chains(), verified.anchors
    entries = sum(one.entries for _, one in chains)
    verdict = "every entry is as it was written" if not broken else f"{broken} broken"
    held = f"{say_count(anchors.anchors, 'anchor')}: {say_count(len(anchors.faults), 'fault')}"
    table = new_table("Log", caption=f"{say_count(len(chains), 'chain')}, {entries:,} entries: {verdict}; {held}")
    table.add_column("Company", overflow="fold")
    table.add_column("Entries", justify="right")
    table.add_column("Head", no_wrap=True)
    table.add_column("Verdict", overflow="fold")
    for name, one in chains:
        said = "sound" if one.is_sound else f"broken at {one.broken_at} ({one.difference}): {one.fault}"
        table.add_row(name, f"{one.entries:,}", one.head_hash[:16], said)
    return table


@command(app, "history", example="runway history bill:145 --company acme --as-of 2026-03-31")
def show_history(
    session: Session,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Kind and id, such as bill:145.")],
    company: Annotated[
        str | None, typer.Option("--company", help="Whose record; needed where several companies hold that id.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="T", help="Only what was known at this moment, or at the end of this day."),
    ] = None,
) -> None:
    """Show everything that the log says about one record, oldest first; with --as-of, the last is what it was then."""
    key = read_record_key(record)

    async def ask(runway: Runway) -> RecordHistory:
        found, entries = await _find_history(runway, key, company)
        known_at = read_known_at(as_of, now=runway.scope.clock.now(), company=found)
        if known_at is not None:
            entries = [entry for entry in entries if entry.draft.seen_at <= known_at]
        return RecordHistory(
            company=CompanyHeading.of(found),
            kind=key.kind,
            external_id=key.external_id,
            items=tuple(HistoryEntry.of(entry) for entry in entries),
            has_more=False,
            next_cursor=None,
        )

    history = session.run(ask)
    session.show(history, lambda: _lay_out_entries(f"{key} of {history.company.name}", history.items))


@command(app, "custody", example="runway custody 145 --company acme")
def show_custody(
    session: Session,
    bill: Annotated[str, typer.Argument(metavar="BILL", help="The bill's id in the ledger, such as 145 or bill:145.")],
    company: Annotated[
        str | None, typer.Option("--company", help="Whose bill; needed where several companies hold that id.")
    ] = None,
) -> None:
    """Show who did what to a bill and when: seen, found, decided, approved, released, recorded."""
    key = read_record_key(bill if bill.startswith("bill:") else f"bill:{bill}")

    async def ask(runway: Runway) -> CustodyOfBill:
        found, _ = await _find_history(runway, key, company)
        return await gather_custody(runway, found.company_id, key.external_id)

    custody = session.run(ask)
    session.show(custody, lambda: _lay_out_custody(custody))


def _lay_out_custody(custody: CustodyOfBill) -> Table:
    table = new_table(f"Bill {custody.bill_id} of {custody.company.name}")
    table.add_column("When", no_wrap=True)
    for heading in ("Step", "Who", "What", "Entry"):
        table.add_column(heading, overflow="fold")
    for step in custody.items:
        entry = NONE_YET if step.sequence is None else f"{step.sequence:,}"
        table.add_row(say_moment(step.at), step.stage.value, f"{step.who} ({step.cause.value})", step.said, entry)
    return table


def read_record_key(text: str) -> RecordKey:
    """Read `bill:145`.

    Raises:
        InvalidRequest: not of that form, or a kind that is not mirrored.
    """
    kind, colon, external_id = text.partition(":")
    try:
        known = RecordKind(kind)
    except ValueError as error:
        raise InvalidRequest(f"{kind!r} is no kind of record (kinds: {', '.join(RecordKind)})") from error
    if not colon or not external_id:
        raise InvalidRequest(f"{text!r} is not KIND:ID, such as bill:145")
    return RecordKey(known, external_id)


async def _find_history(runway: Runway, key: RecordKey, company: str | None) -> tuple[Company, Sequence[LogEntry]]:
    listing = runway.companies
    companies = [await listing.find(company, or_erased=True)] if company else await listing.list()
    found: list[tuple[Company, Sequence[LogEntry]]] = []
    for one in companies:
        entries = await runway.history(one.company_id, key)
        if entries:
            found.append((one, entries))
    if not found:
        raise NotFound(f"the log knows no {key}{f' of {company!r}' if company else ''}: check kind and id")
    if len(found) > 1:
        names = ", ".join(one.name for one, _ in found[:5])
        raise InvalidRequest(f"{len(found)} companies have a {key} ({names}…): say which with --company")
    return found[0]
