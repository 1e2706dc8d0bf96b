"""`runway digests`: the firm's daily digest, which names only companies of which there is something to say."""

from typing import Annotated

import typer
from runway_core.errors import InvalidRequest
from runway_core.experiences.firm_digest import FirmDigestView
from runway_core.runway import Runway

from runway_app_http.cli.session import Session, command, group
from runway_app_http.container import make_mailer
from runway_app_http.digest_sending import DigestSender
from runway_app_http.firm_digest_sending import DailyOutcome, DailySending, send_daily
from runway_app_http.ui.digest_mail import write_digest_mail
from runway_app_http.ui.firm_digest_mail import write_firm_digest_mail

app = group("digests", "The firm's daily digest, which names only companies of which there is something to say.")

_SAID = {
    DailyOutcome.SENT_BEFORE: "today's digest was sent already: there is one a day",
    DailyOutcome.NOTHING_TO_SAY: "nothing to say today: no company is otherwise than told, and none needs anything",
}


@command(app, "show", example="runway digests show")
def show_digest(session: Session) -> None:
    """Show today's digest as it would be sent."""

    async def ask(runway: Runway) -> FirmDigestView:
        return await runway.firm_digest()

    view = session.run(ask)
    session.show(view, lambda: _lay_out(view))


def _lay_out(view: FirmDigestView) -> str:
    return write_firm_digest_mail(view).text.rstrip()


@command(app, "send", example="runway digests send --due --to team@firm.example")
def send_digest(
    session: Session,
    *,
    to: Annotated[list[str], typer.Option("--to", help="Send it to this address; may be given again.")],
    due: Annotated[
        bool, typer.Option("--due", help="Say nothing and succeed when it was sent already, for a daily job.")
    ] = False,
) -> None:
    """Send today's digest by mail: at most one a day, and none when there is nothing to say."""
    mailer = make_mailer(session.settings)

    async def act(runway: Runway) -> DailySending:
        sender = DigestSender(runway, mailer, write_digest_mail)
        return await send_daily(runway, sender, write_firm_digest_mail, to=to, actor=session.actor)

    sending = session.run(act)
    if sending.outcome is DailyOutcome.SENT_BEFORE and not due:
        raise InvalidRequest(_SAID[sending.outcome])
    said = _SAID.get(sending.outcome, f"sent to {', '.join(sending.sent_to)}: {sending.subject}")
    session.show(sending, lambda: said)
