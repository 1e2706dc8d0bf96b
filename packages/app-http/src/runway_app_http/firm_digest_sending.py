"""Sending the firm's daily digest: kept first, then handed to the mail server, then what became of it written down."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.sent_digests import Delivery
from runway_core.errors import OutcomeUnknown, RailRefused
from runway_core.experiences.firm_digest import FirmDigestView
from runway_core.experiences.view import View
from runway_core.runway import Runway

from runway_app_http.digest_sending import DigestMail, DigestSender
from runway_app_http.mailer import Letter

FirmDigestWriter = Callable[[FirmDigestView], DigestMail]
"""Lays the daily digest out."""


class DailyOutcome(StrEnum):
    """What became of a day's digest."""

    SENT = "sent"
    SENT_BEFORE = "sent_before"  # one a day at most
    NOTHING_TO_SAY = "nothing_to_say"
    LEFT_TO_ANOTHER = "left_to_another"  # another process sends it, or tried lately


class DailySending(View):
    """What became of a day's digest, with the digest where one was sent."""

    outcome: DailyOutcome
    subject: str | None = None
    named: int = 0
    sent_to: tuple[str, ...] = ()


async def send_daily(
    runway: Runway,
    sender: DigestSender,
    write: FirmDigestWriter,
    *,
    to: Sequence[str],
    actor: str,
    is_one_of_many: bool = False,
) -> DailySending:
    """Send the digest of today, if there is anything to say and it did not go out yet. Repeating is harmless.

    `is_one_of_many` says that other processes may be about to do the same: one of them then sends it, and what was
    tried in vain is tried again a quarter of an hour later. A person who sends is not kept waiting.

    Killed after it was kept and before the server's answer was written down, it stands as intended; sending again sends
    the same message, with the same id.

    Raises:
        InvalidRequest: no mail server is set, or an address is none.
        NotAllowed: the caller may only look, or sees some companies only.
        RailRefused: the mail server did not take it.
        OutcomeUnknown: the mail server did not answer.
    """
    addresses = sender.check(to)
    view = await runway.firm_digest()
    if view.compared_with == view.as_of:
        return DailySending(outcome=DailyOutcome.SENT_BEFORE)
    if not view.named:
        return DailySending(outcome=DailyOutcome.NOTHING_TO_SAY)
    mail = write(view)
    digests = runway.firm_digests
    prepared = FirmDigest(
        paper_id="",
        changed_at=view.generated_at,
        changed_by="",
        as_of=view.as_of,
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        sent_to=addresses,
        sent_at=view.generated_at,
        told=view.told,
    )
    claimed = digests.claim if is_one_of_many else digests.keep
    kept = await claimed(prepared, actor=actor)
    if kept is None:
        return DailySending(outcome=DailyOutcome.LEFT_TO_ANOTHER)
    try:
        await sender.deliver(_as_letter(kept))
    except (RailRefused, OutcomeUnknown) as error:
        delivery = Delivery.REFUSED if isinstance(error, RailRefused) else Delivery.INTENDED
        await digests.note_delivery(kept, delivery, actor=actor, error=str(error))
        raise
    sent = await digests.note_delivery(kept, Delivery.SENT, actor=actor)
    return DailySending(outcome=DailyOutcome.SENT, subject=sent.subject, named=len(view.named), sent_to=sent.sent_to)


def _as_letter(digest: FirmDigest) -> Letter:
    return Letter(
        paper_id=digest.paper_id,
        subject=digest.subject,
        text=digest.text,
        html=digest.html,
        sent_to=digest.sent_to,
        sent_at=digest.sent_at,
    )
