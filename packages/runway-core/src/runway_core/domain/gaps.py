"""Gaps in what a rail tells by itself: when its silence, or its repeating, says that something was lost."""

from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.record import Value


class GapReason(StrEnum):
    """Why it is thought that news was lost."""

    SILENCE = "silence"  # nothing was heard for longer than usual, and polls found changes
    LOSS = "loss"  # it is heard, and polls found changes that no event announced
    REPEATS = "repeats"  # the rail sent something again: it saw no answer, and held later news back


class Hearing(Value):
    """What is known of the webhooks of one connection. Times are ours, in UTC."""

    firm_id: FirmId
    company_id: CompanyId
    connection_id: ConnectionId
    rail: str
    deliveries: int  # within the time that is looked at
    first_at: AwareDatetime | None  # of them; `None`: none was heard in that time
    last_at: AwareDatetime | None
    last_repeat_at: AwareDatetime | None = None
    missed: int = 0  # changes that polls found unannounced, since ever
    last_missed_at: AwareDatetime | None = None
    last_success_at: AwareDatetime | None = None  # the last whole pull


class Gap(Value):
    """One gap: since when news may be lost, why that is thought, and what had been missed when it was noted."""

    firm_id: FirmId
    company_id: CompanyId
    connection_id: ConnectionId
    rail: str
    reason: GapReason
    since: AwareDatetime
    noted_at: AwareDatetime
    missed: int
