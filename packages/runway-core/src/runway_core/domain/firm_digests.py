"""The firm's daily mail: companies of which there is something to say, and how each stood, to compare with."""

from datetime import date
from typing import ClassVar

from runway_core.domain.identity import CompanyId
from runway_core.domain.outlook import Band
from runway_core.domain.papers import PaperKind
from runway_core.domain.position import PositionStatus
from runway_core.domain.record import Value
from runway_core.domain.sent_digests import SentMail


class ToldCompany(Value):
    """How a company stood when the firm was told."""

    company_id: CompanyId
    status: PositionStatus
    runway_days: int | None  # 91 is "91+"; None: not known
    band: Band | None = None
    bank_lines: tuple[str, ...] = ()  # the large ones that were told, by rail and id


class FirmDigest(SentMail):
    """One daily mail as it went out. `paper_id` follows from the day: there is one a day at most."""

    paper_kind: ClassVar[PaperKind] = PaperKind.FIRM_DIGEST

    as_of: date  # where the firm is, which is where most of its companies are
    told: tuple[ToldCompany, ...]  # every company, named or not
    claim: str = ""  # drawn anew by each process that is to send it, so that two never save the same; none by a person
