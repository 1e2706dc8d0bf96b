"""Templates and what every page shares."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from runway_core.domain.identity import RecordKey
from runway_core.experiences.wording import say_days
from starlette.responses import HTMLResponse

from runway_app_http.presence import person_here
from runway_app_http.ui import figures
from runway_app_http.ui.static_files import static_address

LONGEST_ID = 20
SHORT_ID = 13  # a rail, and the first block of a UUID


def name_record(key: RecordKey) -> str:
    """A record in words: "bill 145". Ids that only a program reads are cut short; the link has the whole."""
    shown = key.external_id if len(key.external_id) <= LONGEST_ID else f"{key.external_id[:SHORT_ID]}…"
    return f"{key.kind.value.replace('_', ' ')} {shown}"


def record_query(key: RecordKey) -> str:
    """The end of the address of a record's history."""
    return urlencode({"kind": key.kind.value, "external_id": key.external_id})


_HERE = Path(__file__).parent

templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
"""Everything that is put into a page is escaped, unless Python made it as markup."""

templates.globals.update(static=static_address, me=person_here)
templates.filters.update(
    amount=figures.say_amount,
    change=figures.say_change,
    count_of=figures.say_count,
    day=figures.say_day,
    days=say_days,
    moment=figures.say_moment,
    money=figures.say_money,
    share=figures.say_share,
    weekday=figures.say_weekday,
    name_record=name_record,
    record_query=record_query,
)


def render(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Lay a page out. Templates write values down; what is shown, and in which order, is decided before."""
    return HTMLResponse(templates.get_template(template).render(values), status_code=status)
