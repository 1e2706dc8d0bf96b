"""Meets the outside world, here a folder: reads the files, counts how often it was asked, translates what goes wrong.

A rail of a web service has its sign-in, call budget and retries here, on top of rail-kit. Nothing of the outside
system's own exceptions passes this file.
"""

import asyncio
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from runway_core.errors import RailMisconfigured, RailUnavailable

from runway_rail_sample.wire import Layout, Row

RAIL = "sample"


class Folder:
    """The files of one company."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = 0

    async def find_missing(self, layouts: tuple[Layout, ...]) -> list[str]:
        """Name the files that are not there."""
        self.asked += 1
        return await asyncio.to_thread(
            lambda: [layout.file_name for layout in layouts if not (self.path / layout.file_name).is_file()]
        )

    async def read_rows(self, layout: Layout) -> list[Row]:
        """Read one file whole, in the order of its rows.

        Raises:
            RailMisconfigured: the file is not there, not UTF-8, no CSV, or lacks a column.
            RailUnavailable: the machine could not read it just now.
        """
        path = self.path / layout.file_name
        self.asked += 1
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise RailMisconfigured(
                f"{str(path)!r} is not there: put the file back, or correct the folder in the connection's settings",
                rail=RAIL,
            ) from error
        except OSError as error:
            raise RailUnavailable(f"{str(path)!r} could not be read: {error.strerror}", rail=RAIL) from error
        try:
            return list(_parse(layout, content.decode("utf-8-sig")))
        except UnicodeDecodeError as error:
            raise RailMisconfigured(f"{str(path)!r} is not UTF-8: save it again as UTF-8", rail=RAIL) from error
        except (csv.Error, _BadHeader) as error:
            raise RailMisconfigured(f"{str(path)!r} cannot be read: {error}", rail=RAIL) from error


class _BadHeader(Exception):
    """The header row does not name the columns."""


def _parse(layout: Layout, text: str) -> Iterator[Row]:
    lines = list(io.StringIO(text, newline=""))  # splits at line ends alone, as csv wants it
    reader = csv.reader(lines, strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in layout.required if name not in header]
    if missing:
        raise _BadHeader(f"column {missing[0]!r} is missing from its first row")
    if len(set(header)) != len(header):
        raise _BadHeader("its first row names a column twice")
    header_text = "".join(lines[: reader.line_num])
    header_text += "" if header_text.endswith(("\n", "\r")) else "\n"
    seen: dict[str, int] = {}
    begins = reader.line_num
    for values in reader:
        raw = (header_text + "".join(lines[begins : reader.line_num])).encode()
        line, begins = begins + 1, reader.line_num
        if any(value.strip() for value in values):
            yield _row(layout, header, values, line=line, raw=raw, seen=seen)


def _row(layout: Layout, header: list[str], values: list[str], *, line: int, raw: bytes, seen: dict[str, int]) -> Row:
    cells = {name: value.strip() for name, value in zip(header, values, strict=False) if value.strip()}
    external_id = cells.get("id")
    fault = None
    if len(values) > len(header):
        fault = f"line {line} has {len(values)} cells under {len(header)} columns: quote cells that hold a comma"
    if external_id is None or not external_id.isprintable():
        fault, label = f"line {line} has no readable id", f"\x1fline {line}"
    else:
        count = seen[external_id] = seen.get(external_id, 0) + 1
        label = external_id
        if count > 1:
            fault, label = f"line {line} repeats the id {external_id!r}", f"{external_id}\x1f{count}"
    return Row(kind=layout.kind, label=label, line=line, cells=cells, raw=raw, fault=fault)
