"""Recomputing a company's chain of log entries and naming the first one that is not as it was written."""

from dataclasses import dataclass

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import GENESIS, decode_entry, hash_entry
from runway_core.errors import LogBroken
from runway_core.ports.transaction_log import TransactionLog


@dataclass(frozen=True, slots=True)
class LogVerification:
    """What verifying one company's log found. `broken_at` is the sequence number of the first bad entry."""

    company_id: CompanyId
    entries: int
    head_hash: str  # hex
    broken_at: int | None = None
    fault: str | None = None  # what differs, for a person

    @property
    def is_sound(self) -> bool:
        """Every entry is as it was written, and the head agrees."""
        return self.broken_at is None


async def verify_log(log: TransactionLog, company_id: CompanyId) -> LogVerification:
    """Recompute every hash of a company's chain and compare it with the head row; holds one entry at a time."""
    head = await log.head(company_id)
    previous, sequence = GENESIS, 0
    entries = aiter(log.entries(company_id))
    while True:
        try:
            entry = await anext(entries, None)
        except LogBroken as error:  # so damaged that the store cannot read it
            sequence += 1
            return LogVerification(
                company_id=company_id, entries=sequence, head_hash=previous.hex(), broken_at=sequence, fault=str(error)
            )
        if entry is None or entry.sequence > head.sequence:
            break  # the end, or appended after the head was read
        sequence += 1
        fault: str | None = None
        if entry.sequence != sequence:
            fault = f"entry {sequence} is missing: the next one is {entry.sequence}"
        elif entry.previous_hash != previous:
            fault = "it does not follow the entry before it"
        elif hash_entry(previous, entry.canonical) != entry.hash:
            fault = "its content is not what was hashed"
        else:
            fault = _find_disagreement(company_id, sequence, entry.canonical)
        if fault is not None:
            return LogVerification(
                company_id=company_id, entries=sequence, head_hash=previous.hex(), broken_at=sequence, fault=fault
            )
        previous = entry.hash
    if sequence != head.sequence or previous != head.hash:
        fault = (
            f"the head says {head.sequence} entries, {sequence} are there: the newest were cut off or the head changed"
        )
        return LogVerification(
            company_id=company_id, entries=sequence, head_hash=previous.hex(), broken_at=sequence + 1, fault=fault
        )
    if entry is not None and (await log.head(company_id)).sequence < entry.sequence:
        # An entry and its head are committed together: one that the head never reached came by another way.
        fault = f"the head says {head.sequence} entries and does not know this one: it was added past it"
        return LogVerification(
            company_id=company_id, entries=sequence, head_hash=previous.hex(), broken_at=sequence + 1, fault=fault
        )
    return LogVerification(company_id=company_id, entries=sequence, head_hash=previous.hex())


def _find_disagreement(company_id: CompanyId, sequence: int, canonical: bytes) -> str | None:
    try:
        said_company, said_sequence, _ = decode_entry(canonical)
    except ValueError as error:
        return str(error)
    if said_company != company_id:
        return "it belongs to another company"
    if said_sequence != sequence:
        return f"it says it is entry {said_sequence}"
    return None
