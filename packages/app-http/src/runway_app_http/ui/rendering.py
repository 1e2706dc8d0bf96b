"""Templates and what every page shares."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from runway_app_http.ui import figures
from runway_app_http.ui.static_files import static_address

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

templates.globals["static"] = static_address
templates.filters["moment"] = figures.say_moment


def render(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Lay a page out. Presenters hand over words and numbers that are ready: templates decide nothing."""
    return HTMLResponse(templates.get_template(template).render(values), status_code=status)
