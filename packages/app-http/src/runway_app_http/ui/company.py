"""What the pages of one company share: its name, its tabs, how old its data is, and the button that reads it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from runway_core.domain.changes import Cause
from runway_core.domain.identity import CompanyId
from runway_core.experiences.view import CompanyHeading, CompanyView
from runway_core.runway import Runway
from runway_core.services.scope import local_day
from runway_core.sync.freshness import label_freshness
from runway_core.sync.orchestrator import PullRequest
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.ui.figures import say_ages, say_moment, say_weekday
from runway_app_http.ui.forms import Said, go_and_say, keep_token, read_form, token_of, what_was_said
from runway_app_http.ui.rendering import render

router = APIRouter()

TABS = (
    ("", "Digest"),
    ("/tray", "Hygiene tray"),
    ("/reconciliation", "Between rails"),
    ("/console", "Decision console"),
    ("/outlook", "Outlook"),
    ("/scenarios", "What if"),
    ("/planned", "Planned"),
    ("/questions", "Questions"),
    ("/policy", "Policy"),
)

_SENTENCES = {
    "read": "Read: the figures below are new.",
    "unread": "The reading failed: the figures below are those of the last one. The health page says why.",
    "accept": "Accepted. It returns if a value it rests on changes.",
    "snooze": "Snoozed.",
    "ask": "Marked as asked.",
    "reopen": "Reopened.",
    "decided": "Decided. It waits for the approvals that the rules want.",
    "approved": "Your yes is kept.",
    "released": "Released: tell the client to pay it. Nothing was paid by Runway; the ledger will show when it is.",
    "withdrawn": "Withdrawn: the bill is ready again.",
    "noted": "Noted.",
    "kept": "Kept: it stands under What if, with its figures from the books of the day.",
    "scenariokept": "Kept. It is asked anew of the books of each day.",
    "scenariodropped": "Dropped.",
    "mailed": "Sent.",
    "dailybefore": "Today’s digest was sent already: there is one a day.",
    "dailynothing": "Nothing was sent: no company is otherwise than told, and none needs anything today.",
    "fixed": "Written. It waits for the ledger: the next reading confirms it.",
    "unfixed": "Taken back. It waits for the ledger: the next reading confirms it.",
    "entered": "Entered: the figures count it from now on.",
    "confirmed": "Confirmed.",
    "changed": "Changed, and confirmed by that.",
    "dropped": "Closed: no figure counts it any more.",
    "restored": "Reopened: the figures count it again.",
    "drafted": "Kept as a draft. Its findings stay as they are until it is sent.",
    "sent": "Its findings are asked from now on.",
    "answered": "The answers stand at their findings, which are open again.",
    "ended": "Closed. What it asked and nobody answered is open again.",
    "policyset": "A new version: decisions from now on are held to it.",
    "policysame": "That is what the policy says already: no new version.",
    "across": "Done. What was refused says why.",
    "acrossundone": "Put back as it was before.",
    "viewsaved": "Saved: it stands above the table.",
    "viewrenamed": "Renamed.",
    "viewremoved": "Removed. The companies it showed are as they were.",
    "matched": "Confirmed: every later comparison takes it as proof.",
    "named": "Confirmed: the name means that vendor from now on.",
    "settled": "Accepted as it is. It returns if a value it rests on changes.",
    "takenback": "Taken back: what it confirmed is no proof any more.",
    "called": "Noted: the rule about payment details looks at this call.",
}
_UNDOABLE = frozenset({"accept", "snooze", "ask"})


@dataclass(frozen=True, slots=True)
class Tab:
    """One screen of the company."""

    title: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame around a company's page."""

    company_id: str  # as it stands in addresses
    name: str
    home: str
    zone: str
    tabs: tuple[Tab, ...]
    as_of: str
    read_at: str
    ages: tuple[str, ...]
    is_stale: bool
    is_unread: bool  # no rail was ever read: there are no figures to show
    token: str
    said: str
    said_is_bad: bool
    undo: str  # the finding that the act before may be undone on


def company_address(company_id: str) -> str:
    """Where a company's pages begin."""
    return f"/companies/{quote(company_id, safe='')}"


async def read_heading(runway: Runway, company_id: CompanyId) -> CompanyView:
    """What the pages about working papers carry: whose, what day it is there, and how old the data is.

    Raises:
        NotFound: no such company in this firm.
    """
    company = await runway.companies.get(company_id)
    now = runway.scope.clock.now()
    return CompanyView(
        company=CompanyHeading.of(company),
        as_of=local_day(now, company),
        books_read_at=now,
        freshness=label_freshness(await runway.connections.list(company_id), now),
    )


def say_act(act: str) -> str:
    """What a form did, in a sentence; nothing where there is none."""
    return _SENTENCES.get(act, "")


def lay_out_frame(request: Request, view: CompanyView, *, tab: str) -> Frame:
    """The frame of one page: `tab` is the end of its address."""
    said = what_was_said(request) or Said("")
    address = company_address(view.company.company_id)
    return Frame(
        company_id=quote(view.company.company_id, safe=""),
        name=view.company.name,
        home=view.company.home_currency,
        zone=view.company.time_zone,
        tabs=tuple(Tab(title=title, href=f"{address}{end}", is_current=end == tab) for end, title in TABS),
        as_of=f"{say_weekday(view.as_of, view.as_of)} {view.as_of.year}",
        read_at=say_moment(view.books_read_at, view.company.time_zone),
        ages=say_ages(view.freshness),
        is_stale=any(label.is_stale for label in view.freshness),
        is_unread=all(label.source_read_at is None for label in view.freshness),
        token=token_of(request),
        said=say_act(said.act),
        said_is_bad=said.act == "unread",
        undo=said.subject if said.act in _UNDOABLE else "",
    )


def company_page(
    request: Request, template: str, view: CompanyView, *, tab: str, status: int = 200, values: Mapping[str, Any]
) -> Response:
    """Lay out one page of a company."""
    frame = lay_out_frame(request, view, tab=tab)
    page = render(
        template,
        status=status,
        frame=frame,
        base=company_address(view.company.company_id),
        view=view,
        today=view.as_of,
        home=view.company.home_currency,
        **values,
    )
    return keep_token(request, page, frame.token)


@router.post("/companies/{company_id}/sync")
async def read_again(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Pull the company now, then show its digest."""
    await read_form(request)
    report = await runway.sync(company_id, request=PullRequest(cause=Cause.PERSON, actor="web"))
    return go_and_say(request, company_address(company_id), Said("unread" if report.failed else "read"))


def file_stem(view: CompanyView) -> str:
    """The beginning of a saved table's name: the company in plain letters, and the day."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in view.company.name.lower()).strip("-")
    return f"{plain[:60] or 'company'}-{view.as_of.isoformat()}"
