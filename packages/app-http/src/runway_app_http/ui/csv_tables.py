"""Tables as CSV: what is filtered, full numbers, ISO dates, header names as in the API."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from starlette.responses import Response

from runway_app_http.plain import Plain

_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def guard_cell(text: str) -> str:
    """Keep a spreadsheet from running a cell: what could begin a formula, and is no number, gets a `'` before it."""
    return f"'{text}" if text.startswith(_RISKY) and _NUMBER.fullmatch(text) is None else text


def write_csv(columns: Sequence[str], rows: Iterable[Plain]) -> str:
    """Write rows of the API as CSV. A column names a field; a dot reaches inside, as in `opening_cash.amount`."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guard_cell(_cell(_find(row, column))) for column in columns])
    return written.getvalue()


def csv_answer(columns: Sequence[str], rows: Iterable[Plain], *, file_name: str) -> Response:
    """Answer with a table to be saved as `file_name`."""
    return Response(
        write_csv(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _find(row: Plain, column: str) -> Plain:
    found = row
    for part in column.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _cell(value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(_cell(part) for part in value)
    if isinstance(value, dict):
        return " ".join(_cell(part) for part in value.values())
    return str(value)
