"""Sending a digest: kept first, then handed to the mail server, then what became of it written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runway_core.domain.identity import CompanyId
from runway_core.domain.sent_digests import Delivery, SentDigest
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused
from runway_core.experiences.digest import DigestView
from runway_core.runway import Runway

from runway_app_http.mailer import Letter, Mailer, check_addresses
from runway_app_http.plain import to_json

NO_SERVER = "no mail server is set: set RUNWAY_SMTP_URL and RUNWAY_MAIL_FROM, then serve again"


@dataclass(frozen=True, slots=True)
class DigestMail:
    """A digest laid out as a message."""

    subject: str
    html: str
    text: str


DigestWriter = Callable[[DigestView, str], DigestMail]
"""Lays a digest out, with the advisor's note."""


class DigestSender:
    """Sends digests of the firm's companies."""

    def __init__(self, runway: Runway, mailer: Mailer | None, write: DigestWriter) -> None:
        self._runway = runway
        self._mailer = mailer
        self._write = write

    def for_runway(self, runway: Runway) -> "DigestSender":
        """The same for one person's view of the firm."""
        return DigestSender(runway, self._mailer, self._write)

    @property
    def can_send(self) -> bool:
        """Whether there is a mail server."""
        return self._mailer is not None

    async def send(self, company_id: CompanyId, *, to: Sequence[str], note: str, actor: str) -> SentDigest:
        """Send a company's digest of today. The same note to the same people on one day leaves once.

        Killed after it was kept and before the server's answer was written down, it stands as intended; sending again
        sends the same message, with the same id.

        Raises:
            NotFound: no such company in this firm.
            InvalidRequest: no mail server is set, or an address is none.
            RailRefused: the mail server did not take it.
            OutcomeUnknown: the mail server did not answer.
        """
        prepared = await self.prepare(company_id, to=check_addresses(to), note=note)
        if self._mailer is None:
            raise InvalidRequest(NO_SERVER)
        digests = self._runway.digests
        kept = await digests.keep(prepared, company_id, actor=actor)
        if kept.delivery is Delivery.SENT:
            return kept
        try:
            await self.deliver(Letter.of(kept))
        except RailRefused as error:
            await digests.note_delivery(kept, company_id, Delivery.REFUSED, actor=actor, error=str(error))
            raise
        except OutcomeUnknown as error:
            await digests.note_delivery(kept, company_id, Delivery.INTENDED, actor=actor, error=str(error))
            raise
        return await digests.note_delivery(kept, company_id, Delivery.SENT, actor=actor)

    def check(self, to: Sequence[str]) -> tuple[str, ...]:
        """Addresses that a message may be sent to, each once, in their order.

        Raises:
            InvalidRequest: no mail server is set, an address is none, or there are none or more than 20.
        """
        found = check_addresses(to)
        if self._mailer is None:
            raise InvalidRequest(NO_SERVER)
        return found

    async def deliver(self, letter: Letter) -> None:
        """Hand one message to the mail server.

        Raises:
            InvalidRequest: no mail server is set.
            RailRefused: the mail server did not take it.
            OutcomeUnknown: the mail server did not answer.
        """
        if self._mailer is None:
            raise InvalidRequest(NO_SERVER)
        await self._mailer.send(letter)

    async def prepare(self, company_id: CompanyId, *, to: Sequence[str] = (), note: str = "") -> SentDigest:
        """The digest of today as it would be sent; nothing is kept.

        Raises:
            NotFound: no such company in this firm.
        """
        view = await self._runway.digest(company_id)
        mail = self._write(view, note)
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
