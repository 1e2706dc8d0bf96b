"""`/companies/{id}/digest/mail`: look at the digest as a message, add a note, send it, and see what was sent."""

from typing import Annotated

from fastapi import APIRouter, Query
from runway_core.domain.sent_digests import SentDigest
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, SenderOfApp, require_id
from runway_app_http.mailer import Letter, write_message
from runway_app_http.plain import to_plain
from runway_app_http.ui.company import company_address, company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.forms import Said, go_and_say, read_form

router = APIRouter()

Note = Annotated[str, Query(max_length=10_000)]

MOST_SHOWN = 50
CSV_COLUMNS = (
    "event.on", "event.label", "event.amount", "cash_after.amount", "cash_after.currency", "event.kind", "event.reason",
)  # fmt: skip

_AS_MAIL = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; sandbox; "
    "frame-ancestors 'none'"
}
"""A message styles itself; it may do nothing else."""
NO_SENDER = "runway@localhost.localdomain"


@router.get("/companies/{company_id}/digest/mail")
async def show_mail(
    request: Request, company_id: CompanyInPath, runway: RunwayOfApp, sender: SenderOfApp, note: Note = ""
) -> Response:
    """The message as it would go out now."""
    return await _mail_page(request, runway, company_id, sender=sender, note=note)


@router.post("/companies/{company_id}/digest/mail")
async def post_mail(request: Request, company_id: CompanyInPath, runway: RunwayOfApp, sender: SenderOfApp) -> Response:
    """Send it, or show it again with another note."""
    fields = await read_form(request)
    note, to = fields.get("note", "")[:10_000], fields.get("to", "")
    refused = ""
    if fields.get("action") == "send":
        try:
            await sender.send(company_id, to=to.split(","), note=note, actor="web")
        except (InvalidRequest, RailError, OutcomeUnknown) as error:
            refused = str(error)
        else:
            return go_and_say(request, f"{company_address(company_id)}/digest/mail", Said("mailed"))
    return await _mail_page(request, runway, company_id, sender=sender, note=note, to=to, refused=refused)


@router.get("/companies/{company_id}/digest/mail.html")
async def show_message(company_id: CompanyInPath, sender: SenderOfApp, note: Note = "") -> Response:
    """The message's HTML alone."""
    return HTMLResponse((await sender.prepare(company_id, note=note)).html, headers=_AS_MAIL)


@router.get("/companies/{company_id}/digest.eml")
async def save_message(company_id: CompanyInPath, sender: SenderOfApp, note: Note = "") -> Response:
    """The message as a file that mail programs open."""
    digest = await sender.prepare(company_id, note=note)
    named = digest.model_copy(update={"paper_id": f"{company_id}.{digest.as_of}"})
    return Response(
        bytes(write_message(Letter.of(named), NO_SENDER)),
        media_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="digest-{digest.as_of}.eml"'},
    )


@router.get("/companies/{company_id}/digest.csv")
async def save_digest(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """What falls due in the next days, with the cash that is left."""
    view = await runway.digest(company_id)
    rows = (to_plain(line, currency=view.company.home_currency) for line in view.due)
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-due.csv")


@router.get("/companies/{company_id}/digests/{digest_id}")
async def show_sent(company_id: CompanyInPath, runway: RunwayOfApp, digest_id: str) -> Response:
    """A digest as it was sent."""
    sent = await runway.digests.get_sent(company_id, require_id(digest_id, "digest"))
    return HTMLResponse(sent.html, headers=_AS_MAIL)


async def _mail_page(
    request: Request,
    runway: RunwayOfApp,
    company_id: CompanyInPath,
    *,
    sender: SenderOfApp,
    note: str = "",
    to: str = "",
    refused: str = "",
) -> Response:
    view = await runway.digest(company_id)
    message: SentDigest = await sender.prepare(company_id, note=note)
    sent = await runway.digests.list_sent(company_id, limit=MOST_SHOWN)
    if not to and sent and not refused:
        to = ", ".join(sent[0].sent_to)  # whom it went to the last time, so that nobody types it twice
    values = {
        "message": message,
        "can_send": sender.can_send,
        "to": to,
        "note": note,
        "refused": refused,
        "sent": sent,
    }
    status = 422 if refused else 200
    return company_page(request, "digest_mail.html", view, tab="", status=status, values=values)
