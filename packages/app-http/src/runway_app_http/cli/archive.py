"""`runway log archive` and `restore`: closed months of the log in files, out of the table and back."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_archive import ArchivedPiece, DetachedPiece
from runway_core.domain.people import firm_chain
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import View
from runway_core.runway import Runway

import runway_app_http.cli.anchor  # noqa: F401 - its commands belong to the group, which is loaded from here
from runway_app_http.cli.log import group_app
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import new_table
from runway_app_http.container import make_archive_copies
from runway_app_http.log_archive import archive_chain, copy_pieces, read_manifests
from runway_app_http.log_checks import FIRM_CHAIN
from runway_app_http.moments import read_moment
from runway_app_http.settings import AppSettings

Companies = Annotated[
    list[str] | None, typer.Option("--company", help="Whose; all, and the firm itself, when none is given.")
]


class MovedPiece(View):
    """One piece that was written, taken out of the table or put back."""

    name: str  # of the company, or the firm itself
    chain: CompanyId
    first: int
    last: int
    file: str

    @classmethod
    def of(cls, piece: ArchivedPiece | DetachedPiece, *, chain: CompanyId, name: str, folder: Path) -> "MovedPiece":
        """A piece, ready to show."""
        return cls(name=name, chain=chain, first=piece.first, last=piece.last, file=str(folder / piece.file))


async def _find_chains(runway: Runway, companies: Sequence[str] | None) -> dict[CompanyId, str]:
    """Whose chains are meant, with what people call them."""
    chosen = [await runway.companies.find(one, or_erased=True) for one in companies or ()]
    if chosen:
        return {one.company_id: one.name for one in chosen}
    named = {one.company_id: one.name for one in await runway.companies.list(with_erased=True)}
    return named if runway.scope.caller is not None else named | {firm_chain(runway.scope.firm_id): FIRM_CHAIN}


def _show_pieces(pieces: Sequence[ArchivedPiece], chains: Mapping[CompanyId, str], *, folder: Path) -> list[MovedPiece]:
    return [MovedPiece.of(one, chain=one.owner, name=chains[one.owner], folder=folder) for one in pieces]


def _choose_folder(settings: AppSettings, to: Path | None, *, detach: bool) -> Path:
    kept = settings.log_archive_folder
    folder = to or kept
    if folder is None:
        raise InvalidRequest("no folder is named: give --to, or set RUNWAY_LOG_ARCHIVE_FOLDER")
    if detach and (kept is None or kept.absolute() != folder.absolute()):
        said = "what is taken out of the database is read from RUNWAY_LOG_ARCHIVE_FOLDER"
        raise InvalidRequest(f"{said}: set it to {str(folder.absolute())!r}")
    return folder


@command(group_app, "archive", example="runway log archive --before 2026-04-01 --to /archive --detach")
def archive_log(
    session: Session,
    *,
    before: Annotated[str, typer.Option("--before", metavar="DAY", help="What was seen before this day, UTC.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder, else RUNWAY_LOG_ARCHIVE_FOLDER; it is gone on with.")
    ] = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="Take what is proven in the folder out of the database.", show_default=False),
    ] = False,
    company: Companies = None,
) -> None:
    """Write closed months into signed files, read back and verified. They are copies, unless --detach is given.

    Then the entries leave the database, and the log says so: they are read from RUNWAY_LOG_ARCHIVE_FOLDER from then on.
    """
    moment, folder = read_moment(before), _choose_folder(session.settings, to, detach=detach)

    async def act(runway: Runway) -> tuple[list[MovedPiece], list[MovedPiece]]:
        chains = await _find_chains(runway, company)
        gone: Sequence[ArchivedPiece] = ()
        written = [
            piece
            for owner, name in chains.items()
            for piece in await archive_chain(runway, owner, name, before=moment, folder=folder)
        ]
        copies = make_archive_copies(session.settings)
        if copies is not None:
            for owner in chains:
                await asyncio.to_thread(copy_pieces, folder, owner, copies)
        if detach:
            held = [piece for owner in chains for piece in read_manifests(folder, owner)]
            ends = {owner: (await runway.last_entry_before(owner, moment)).sequence for owner in chains}
            due = [piece for piece in held if piece.last <= ends[piece.owner]]
            gone = await runway.archives.detach(due, actor=session.actor)
        return _show_pieces(written, chains, folder=folder), _show_pieces(gone, chains, folder=folder)

    written, gone = session.run(act)

    def lay_out() -> Table:
        table = _lay_out_pieces("Archived", written, empty="nothing new before that day")
        if detach:
            table.caption = f"{len(gone)} taken out of the database"
        return table

    session.show({"items": written, "detached": gone}, lay_out)


@command(group_app, "restore", example="runway log restore --company acme --pieces 1")
def restore_log(
    session: Session,
    *,
    pieces: Annotated[
        int | None, typer.Option("--pieces", min=1, help="Of each chain the newest so many; all without.")
    ] = None,
    company: Companies = None,
) -> None:
    """Put entries that were taken out of the database back into it, byte for byte. The files stay."""
    folder = session.settings.log_archive_folder or Path()

    async def act(runway: Runway) -> list[MovedPiece]:
        chains = await _find_chains(runway, company)
        return [
            MovedPiece.of(piece, chain=owner, name=name, folder=folder)
            for owner, name in chains.items()
            for piece in await runway.archives.restore(owner, most=pieces, actor=session.actor)
        ]

    back = session.run(act)
    session.show({"items": back}, lambda: _lay_out_pieces("Put back", back, empty="nothing is out of the database"))


def _lay_out_pieces(title: str, pieces: Sequence[MovedPiece], *, empty: str) -> Table:
    table = new_table(title, caption=None if pieces else empty)
    for heading in ("Company", "Entries", "File"):
        table.add_column(heading, overflow="fold")
    for piece in pieces:
        table.add_row(piece.name, f"{piece.first:,} to {piece.last:,}", piece.file)
    return table
