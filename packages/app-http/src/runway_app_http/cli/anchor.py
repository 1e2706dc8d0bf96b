"""`runway log anchor`, `public-key`, `rotate-key`: the log signed, within the database and outside it."""

from typing import Annotated

import typer
from pydantic import AwareDatetime
from rich.table import Table
from runway_core.domain.anchors import Anchor, hash_anchor
from runway_core.experiences.view import View
from runway_core.ports.anchors import LogKey
from runway_core.runway import Runway

from runway_app_http.cli.log import group_app
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import fields_table, new_table
from runway_app_http.ui.figures import say_moment

app = typer.Typer()


class ShownAnchor(View):
    """An anchor, and where it was written to."""

    number: int
    made_at: AwareDatetime
    companies: int
    root: str
    hash: str
    public_key: str
    sinks: tuple[str, ...]


class ShownKey(View):
    """A public key that signed, or signs, anchors."""

    public_key: str  # hex
    made_at: AwareDatetime
    is_endorsed: bool  # by the key before
    is_current: bool


def _show(anchor: Anchor, sinks: tuple[str, ...]) -> ShownAnchor:
    return ShownAnchor(
        number=anchor.number,
        made_at=anchor.made_at,
        companies=anchor.size,
        root=anchor.root.hex(),
        hash=hash_anchor(anchor).hex(),
        public_key=anchor.public_key.hex(),
        sinks=sinks,
    )


@command(group_app, "anchor", example="runway log anchor --json")
def make_anchor(session: Session) -> None:
    """Sign where every chain ends now, and write it out. `runway serve` does so every 15 minutes."""

    async def act(runway: Runway) -> ShownAnchor:
        return _show(await runway.anchors.anchor(), runway.anchors.sinks)

    shown = session.run(act)
    rows = {
        "Number": str(shown.number),
        "Made": say_moment(shown.made_at),
        "Companies": str(shown.companies),
        "Root": shown.root,
        "Hash": shown.hash,
        "Written to": "\n".join(shown.sinks) or "the database alone: set RUNWAY_ANCHOR_FOLDER or RUNWAY_ANCHOR_BUCKET",
    }
    session.show(shown, lambda: fields_table("Anchor", rows))


@command(group_app, "public-key", example="runway log public-key --json")
def show_keys(session: Session) -> None:
    """Show the public keys that an auditor holds anchors to; give them away by another road than the anchors."""

    async def ask(runway: Runway) -> list[ShownKey]:
        await runway.anchors.current_key()
        return _show_keys(list(await runway.anchors.keys()))

    _print_keys(session, session.run(ask))


@command(group_app, "rotate-key", example="runway log rotate-key")
def rotate_key(
    session: Session,
    *,
    unendorsed: Annotated[
        bool, typer.Option("--unendorsed", help="Also where the old key is lost: verifying names the break.")
    ] = False,
) -> None:
    """Make a new key that signs from now on, endorsed by the old one, whose signatures stay valid."""

    async def act(runway: Runway) -> list[ShownKey]:
        await runway.anchors.rotate_key(unendorsed=unendorsed)
        return _show_keys(list(await runway.anchors.keys()))

    _print_keys(session, session.run(act))


def _show_keys(keys: list[LogKey]) -> list[ShownKey]:
    return [
        ShownKey(
            public_key=key.public_key.hex(),
            made_at=key.made_at,
            is_endorsed=bool(key.endorsement),
            is_current=key is keys[-1],
        )
        for key in keys
    ]


def _print_keys(session: Session, keys: list[ShownKey]) -> None:
    def lay_out() -> Table:
        table = new_table("Keys that sign anchors")
        for heading in ("Public key", "Made", "Stands"):
            table.add_column(heading, overflow="fold")
        for key in keys:
            stands = "signs" if key.is_current else "signed"
            table.add_row(key.public_key, say_moment(key.made_at), stands)
        return table

    session.show({"items": keys}, lay_out)
