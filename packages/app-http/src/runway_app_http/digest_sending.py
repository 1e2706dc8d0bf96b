"""Sending a digest: kept first, then handed to the mail server, then what became of it written down."""

from collections.abc import Sequence

from runway_core.domain.identity import CompanyId
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused
from runway_core.runway import Runway

from runway_app_http.mailer import Mailer, check_addresses
from runway_app_http.plain import to_json
from runway_app_http.ui.digest_mail import write_digest_mail


async def send_digest(
    runway: Runway, mailer: Mailer | None, company_id: CompanyId, *, to: Sequence[str], note: str, actor: str
) -> SentDigest:
    """Send a company's digest of today. The same note to the same people on one day leaves once.

    Killed after it was kept and before the server's answer was written down, it stands as intended; sending again
    sends the same message, with the same id.

    Raises:
        NotFound: no such company in this firm.
        InvalidRequest: no mail server is set, or an address is none.
        RailRefused: the mail server did not take it.
        OutcomeUnknown: the mail server did not answer.
    """
    if mailer is None:
        raise InvalidRequest("no mail server is set: set RUNWAY_SMTP_URL and RUNWAY_MAIL_FROM, then serve again")
    receivers = check_addresses(to)
    kept = await runway.digests.keep(
        await prepare_digest(runway, company_id, to=receivers, note=note), company_id, actor=actor
    )
    if kept.delivery is Delivery.SENT:
        return kept
    try:
        await mailer.send(kept)
    except RailRefused as error:
        await runway.digests.note_delivery(kept, company_id, Delivery.REFUSED, actor=actor, error=str(error))
        raise
    except OutcomeUnknown as error:
        await runway.digests.note_delivery(kept, company_id, Delivery.INTENDED, actor=actor, error=str(error))
        raise
    return await runway.digests.note_delivery(kept, company_id, Delivery.SENT, actor=actor)


async def prepare_digest(
    runway: Runway, company_id: CompanyId, *, to: Sequence[str] = (), note: str = ""
) -> SentDigest:
    """The digest of today as it would be sent; nothing is kept.

    Raises:
        NotFound: no such company in this firm.
    """
    view = await runway.digest(company_id)
    mail = write_digest_mail(view, note=note)
    return SentDigest(
        paper_id="",
        changed_at=view.books_read_at,
        changed_by="",
        as_of=view.as_of,
        opening=view.cash.opening,
        books_read_at=view.books_read_at,
        subject=mail.subject,
        note=note.strip(),
        document=to_json(view).decode(),
        html=mail.html,
        text=mail.text,
        sent_to=tuple(to),
        sent_at=view.books_read_at,
    )
