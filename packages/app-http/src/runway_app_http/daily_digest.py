"""The firm's digest every morning, without anybody's asking: looked at by every engine that plans, sent by one.

What is to be sent follows from the database: whether it is morning where the firm is, and what became of today's
digest. So it does not matter how many schedulers look, nor which of them dies meanwhile.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from runway_core.domain.sent_digests import Delivery
from runway_core.errors import InvalidRequest
from runway_core.experiences.firm_digest import find_firm_moment
from runway_core.runway import Runway
from runway_core.sync.engine import Beat

from runway_app_http.container import make_mailer
from runway_app_http.digest_sending import DigestSender
from runway_app_http.firm_digest_sending import DailyOutcome, send_daily
from runway_app_http.mailer import Mailer, check_addresses
from runway_app_http.settings import AppSettings
from runway_app_http.ui.digest_mail import write_digest_mail
from runway_app_http.ui.firm_digest_mail import write_firm_digest_mail

LOOK_EVERY = timedelta(minutes=1)
ACTOR = "runway"

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class DailyDigest:
    """Sends the digest of each day once it is morning where the firm is."""

    runway: Runway
    mailer: Mailer
    to: tuple[str, ...]
    hour: int  # of the firm's day, from which on it is morning
    _settled: date | None = None  # the day of which it is known here that nothing is left to do

    async def send_if_due(self) -> DailyOutcome | None:
        """Send today's digest if that is still to be done; `None` when it is not.

        Raises:
            RailRefused: the mail server did not take it; it is tried again after a quarter of an hour.
            OutcomeUnknown: the mail server did not answer; likewise, as the same message.
        """
        runway = self.runway
        moment = find_firm_moment(await runway.companies.list(), runway.scope.clock.now())
        if moment.hour < self.hour or self._settled == moment.date():
            return None
        held = await runway.firm_digests.of_day(moment.date())
        if held is not None and held.delivery is Delivery.SENT:
            self._settled = moment.date()
            return None
        sender = DigestSender(runway, self.mailer, write_digest_mail)
        sending = await send_daily(runway, sender, write_firm_digest_mail, to=self.to, actor=ACTOR, is_one_of_many=True)
        if sending.outcome is not DailyOutcome.LEFT_TO_ANOTHER:
            self._settled = moment.date()
            _log.info("daily_digest_settled", outcome=sending.outcome.value, named=sending.named)
        return sending.outcome

    def beat(self) -> Beat:
        """What an engine that plans looks at again and again."""
        return Beat("daily digest", LOOK_EVERY, self.send_if_due)


def daily_beats(runway: Runway, settings: AppSettings) -> tuple[Beat, ...]:
    """The beat that sends the digest each morning; none where nobody is named who gets it.

    Raises:
        InvalidRequest: somebody is named and no mail server is set, or an address is none.
    """
    if not settings.digest_to:
        return ()
    mailer = make_mailer(settings)
    if mailer is None:
        raise InvalidRequest("RUNWAY_DIGEST_TO is set and RUNWAY_SMTP_URL is not: say who carries the mail")
    return (DailyDigest(runway, mailer, check_addresses(settings.digest_to), hour=settings.digest_hour).beat(),)
