"""Mail out: one message to a mail server, with its id, in HTML and plain text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr
from runway_core.domain.sent_digests import SentDigest
from runway_core.errors import InvalidRequest, OutcomeUnknown, RailRefused

TIMEOUT_SECONDS = 30
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is sent. One `paper_id` is one message: mail programs know a second copy by it."""

    paper_id: str
    subject: str
    text: str
    html: str | None  # none: plain text alone
    sent_to: tuple[str, ...]
    sent_at: datetime

    @classmethod
    def of(cls, digest: SentDigest) -> "Letter":
        """The message of a kept digest."""
        return cls(
            paper_id=digest.paper_id,
            subject=digest.subject,
            text=digest.text,
            html=digest.html,
            sent_to=digest.sent_to,
            sent_at=digest.sent_at,
        )


class Mailer(Protocol):
    """Sends one message."""

    async def send(self, letter: Letter) -> None:
        """Hand a message to the mail server.

        Raises:
            RailRefused: the server did not take it; nothing was sent.
            OutcomeUnknown: no answer; it may have been sent.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    is_tls: bool
    user: str | None
    password: SecretStr | None


class SmtpMailer:
    """A mail server that speaks SMTP; STARTTLS is used where it is offered."""

    def __init__(self, url: SecretStr, sender: str) -> None:
        self._server = _read_url(url)
        self._sender = check_address(sender)

    async def send(self, letter: Letter) -> None:
        """Hand a message to the mail server."""
        server = self._server
        message = write_message(letter, self._sender)
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                use_tls=server.is_tls,
                start_tls=None,
                username=server.user,
                password=None if server.password is None else server.password.get_secret_value(),
                timeout=TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPConnectTimeoutError) as error:
            raise RailRefused(f"the mail server {server.host} cannot be reached", rail="mail") from error
        except aiosmtplib.SMTPResponseException as error:
            raise RailRefused(f"the mail server said {error.code} {error.message[:200]}", rail="mail") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = ", ".join(sorted(one.recipient for one in error.recipients))
            raise RailRefused(f"the mail server refused {refused}", rail="mail") from error
        except aiosmtplib.SMTPException as error:
            raise OutcomeUnknown(
                "the mail server did not answer: the message may have been sent", rail="mail"
            ) from error


def write_message(letter: Letter, sender: str) -> EmailMessage:
    """The message as mail programs read it: plain text first, HTML beside it. One letter is always the same message."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage()
    message["Subject"] = " ".join(letter.subject.split())
    message["From"] = sender
    if letter.sent_to:
        message["To"] = ", ".join(letter.sent_to)
    message["Date"] = format_datetime(letter.sent_at)
    message["Message-ID"] = f"<{letter.paper_id}@{domain}>"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
        message.set_boundary(_name_boundary(letter.text, letter.html))
    return message


def _name_boundary(text: str, html: str) -> str:
    """What parts the two forms. It is made of them, where the library would draw it: equal letters are equal bytes."""
    return "runway-" + sha256(f"{text}\0{html}".encode()).hexdigest()[:40]


def check_address(text: str) -> str:
    """An address as it may stand in a header, such as `ada@firm.example` or `Ada <ada@firm.example>`.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_display_name=True)
    except EmailNotValidError as error:
        raise InvalidRequest(f"{text[:80]!r} is no mail address") from error
    name = found.display_name or ""
    if not name.isprintable():
        raise InvalidRequest(f"{text[:80]!r} is no mail address")
    return formataddr((name, found.normalized)) if name else found.normalized


def check_addresses(texts: Sequence[str]) -> tuple[str, ...]:
    """Addresses in their order, each once.

    Raises:
        InvalidRequest: none is given, one is no address, or there are more than 20.
    """
    found = tuple(dict.fromkeys(check_address(text) for text in texts if text.strip()))
    if not found or len(found) > 20:
        raise InvalidRequest("a message is sent to one address at least and 20 at most")
    return found


def _read_url(url: SecretStr) -> _Server:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidRequest("RUNWAY_SMTP_URL is no mail server: write smtp://user:password@host:587")
    return _Server(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else SecretStr(unquote(parts.password)),
    )
