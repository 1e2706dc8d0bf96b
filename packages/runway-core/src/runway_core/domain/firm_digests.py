"""The firm's daily mail: companies of which there is something to say, and how each stood, to compare with."""

from datetime import date
from typing import ClassVar

from pydantic import AwareDatetime

from runway_core.domain.identity import CompanyId
from runway_core.domain.outlook import Band
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.position import PositionStatus
from runway_core.domain.record import Value
from runway_core.domain.sent_digests import Delivery


class ToldCompany(Value):
    """How a company stood when the firm was told."""

    company_id: CompanyId
    status: PositionStatus
    runway_days: int | None  # 91 is "91+"; None: not known
    band: Band | None = None


class FirmDigest(WorkingPaper):
    """One daily mail as it went out. `paper_id` follows from the day: there is one a day at most.

    It is kept before it leaves; `paper_id` is also the message's id, by which mail programs know a second copy.
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.FIRM_DIGEST

    as_of: date  # of UTC: a firm has companies in many zones
    subject: str
    html: str
    text: str
    sent_to: tuple[str, ...]
    sent_at: AwareDatetime
    told: tuple[ToldCompany, ...]  # every company, named or not
    delivery: Delivery = Delivery.INTENDED
    error: str | None = None
