"""The port, in terms of transport and mapping.

The cursor is what was read before: for each file, the hash of each row. A row that hashes differently now has changed,
and a label that is gone was deleted. It also remembers whether everything was being read, so that a first reading that
stopped midway still ends as a whole one. It grows with the files, which suits a folder of some thousand rows; a web
service would keep a time or a token of its own instead.
"""

import json
from collections.abc import AsyncGenerator, Collection, Sequence

from pydantic import BaseModel, ValidationError
from runway_core.domain.changes import Change, ChangePage, Cursor, Deletion, RejectedRecord
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import NotSupported, RailMisconfigured, RecordGone, RecordRejected
from runway_core.ports.clock import Clock
from runway_core.ports.ledger_rail import (
    CompanyProfile,
    LedgerRail,
    RailAbilities,
    RailContext,
    RailRole,
    RecordFix,
)
from runway_core.ports.sweeping import KindRows

from runway_rail_sample.mapping import row_hash, to_record
from runway_rail_sample.settings import SampleSecrets, SampleSettings
from runway_rail_sample.transport import RAIL, Folder
from runway_rail_sample.wire import LAYOUT_OF, LAYOUTS, Row

_Remembered = dict[RecordKind, dict[str, str]]
"""Kind of file, label of row, hash of row."""


class SampleRail:
    """One company's books in a folder of CSV files."""

    def __init__(self, settings: SampleSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._folder = Folder(settings.folder)

    @property
    def calls(self) -> int:
        """How many times the folder was looked at or a file was read."""
        return self._folder.asked

    async def check_connection(self) -> CompanyProfile:
        """See that all files are there, without reading one.

        Raises:
            RailMisconfigured: a file is missing.
        """
        missing = await self._folder.find_missing(LAYOUTS)
        if missing:
            raise RailMisconfigured(
                f"{str(self._folder.path)!r} lacks {', '.join(missing)}: put the files there, or correct the folder in"
                " the connection's settings",
                rail=RAIL,
            )
        return CompanyProfile(
            name=self._settings.company_name, home_currency=None, external_id=str(self._folder.path.absolute())
        )

    async def changes_since(self, cursor: Cursor | None) -> AsyncGenerator[ChangePage]:
        """Read every file and yield the rows that differ from what `cursor` remembers, a file after the other.

        The last page carries the deletions. A cursor that cannot be read counts as none.
        """
        is_whole, remembered = _read_cursor(cursor)
        began = self._clock.now()
        present: set[RecordKey] = set()
        deletions: list[Deletion] = []
        for layout in LAYOUTS:
            read_at = self._clock.now()
            rows = await self._folder.read_rows(layout)
            of_file = remembered.setdefault(layout.kind, {})
            present.update(RecordKey(row.kind, row.external_id) for row in rows if row.external_id is not None)
            changed = [row for row in rows if of_file.get(row.label) != row_hash(row)]
            for start in range(0, len(changed), self._settings.page_size):
                chunk = changed[start : start + self._settings.page_size]
                of_file.update((row.label, row_hash(row)) for row in chunk)
                changes, rejected = _sort_rows(chunk)
                yield ChangePage(
                    changes=changes,
                    rejected=rejected,
                    next_cursor=_write_cursor(remembered, is_whole=is_whole),
                    source_time=read_at,
                )
            for label in of_file.keys() - {row.label for row in rows}:
                del of_file[label]
                key = RecordKey(layout.kind, label)
                if label.isprintable() and key not in present:
                    deletions.append(Deletion(key))
        yield ChangePage(
            changes=(),
            deletions=tuple(sorted(deletions, key=lambda deletion: deletion.key)),
            next_cursor=_write_cursor(remembered, is_whole=False),
            source_time=self._clock.now(),
            is_last=True,
            present_keys=frozenset(present) if is_whole else None,
            reading_began=began if is_whole else None,
        )

    async def read_record(self, key: RecordKey) -> Change:
        """Read the file again and return the row with this id.

        Raises:
            RecordGone: no file holds it.
            RecordRejected: the row cannot be understood.
        """
        layout = LAYOUT_OF.get(key.kind)
        rows = [] if layout is None else await self._folder.read_rows(layout)
        for row in rows:
            if row.external_id == key.external_id:
                return Change(record=to_record(row), raw=row.raw)
        raise RecordGone(f"no {key.kind} {key.external_id!r} in {str(self._folder.path)!r}", rail=RAIL)

    async def apply_fix(self, fix: RecordFix, *, idempotency_key: str) -> Change:  # noqa: ARG002 - the port's words
        """Files are somebody else's: they are never written.

        Raises:
            NotSupported: always.
        """
        raise NotSupported(f"the rail {RAIL!r} only reads: correct {fix.key} in {str(self._folder.path)!r} itself")

    @property
    def swept_kinds(self) -> Collection[RecordKind]:
        """Every file."""
        return tuple(LAYOUT_OF)

    @property
    def rows_a_call(self) -> int:
        """The rows of a page."""
        return self._settings.page_size

    async def count_kind(self, kind: RecordKind) -> int:
        """How many rows a file has."""
        return len(await self._folder.read_rows(LAYOUT_OF[kind]))

    async def read_kind(self, kind: RecordKind) -> AsyncGenerator[KindRows]:
        """Yield every row of a file."""
        time = self._clock.now()
        changes, rejected = _sort_rows(await self._folder.read_rows(LAYOUT_OF[kind]))
        yield KindRows(changes, time, rejected)

    async def aclose(self) -> None:
        """Nothing is kept open."""


class SampleRailFactory:
    """Makes the rails of folders."""

    name = RAIL
    title = "CSV files"
    roles = frozenset({RailRole.LEDGER})
    abilities = RailAbilities(
        kinds=frozenset(LAYOUT_OF),
        has_change_feed=True,
        reports_deletions=True,
        has_webhooks=False,
        can_be_swept=True,
        writes=frozenset(),
    )
    settings_model: type[BaseModel] = SampleSettings
    secrets_model: type[BaseModel] = SampleSecrets

    def open(self, context: RailContext) -> LedgerRail:
        """Make the rail of one connection; no file is touched yet.

        Raises:
            RailMisconfigured: the connection's settings are not those of this rail.
        """
        try:
            settings = SampleSettings.model_validate(dict(context.settings))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RailMisconfigured(f"setting {where!r} of the connection: {first['msg']}", rail=RAIL) from error
        return SampleRail(settings, clock=context.clock)

    async def aclose(self) -> None:
        """Nothing is shared."""


def _sort_rows(rows: Sequence[Row]) -> tuple[tuple[Change, ...], tuple[RejectedRecord, ...]]:
    """Map each row, the good ones to changes and the bad ones to reasons."""
    changes: list[Change] = []
    rejected: list[RejectedRecord] = []
    for row in rows:
        try:
            changes.append(Change(record=to_record(row), raw=row.raw))
        except RecordRejected as error:
            rejected.append(
                RejectedRecord(kind=row.kind, external_id=row.external_id, reason=error.reason, raw=row.raw)
            )
    return tuple(changes), tuple(rejected)


def _write_cursor(remembered: _Remembered, *, is_whole: bool) -> Cursor:
    rows = {kind.value: of_file for kind, of_file in remembered.items()}
    return Cursor(json.dumps({"is_whole": is_whole, "rows": rows}, separators=(",", ":")))


def _read_cursor(cursor: Cursor | None) -> tuple[bool, _Remembered]:
    """Whether everything is being read, and what was read of it before."""
    if cursor is None:
        return True, {}
    try:
        held = json.loads(cursor.token)
        return bool(held["is_whole"]), {RecordKind(kind): dict(rows) for kind, rows in held["rows"].items()}
    except (ValueError, TypeError, AttributeError, KeyError):
        return True, {}
