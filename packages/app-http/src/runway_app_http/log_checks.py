"""Verifying chains of the log and its anchors together, as commands and a restore show it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from runway_core.domain.company import Company
from runway_core.domain.people import firm_chain
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.anchor_checks import AnchorsVerification
from runway_core.sync.verification import LogDifference, LogFault, LogVerification

FIRM_CHAIN = "the firm itself"
_KEY_BYTES = 32


class VerifiedChain(View):
    """What recomputing one chain found."""

    entries: int
    head_hash: str
    is_sound: bool
    broken_at: int | None
    difference: LogDifference | None
    fault: str | None
    trusted_through: int  # with `--since`: entries up to this one were not looked at

    @classmethod
    def of(cls, found: LogVerification, anchored: LogFault | None, **own: Any) -> Self:
        """What a chain shows by itself comes first; where it fits itself, what an anchor says of it."""
        own |= {"entries": found.entries, "head_hash": found.head_hash, "trusted_through": found.trusted_through}
        if anchored is not None and found.is_sound:
            said, at, difference = anchored.said, anchored.broken_at, anchored.difference
            return cls(is_sound=False, broken_at=at, difference=difference, fault=said, **own)
        return cls(
            is_sound=found.is_sound,
            broken_at=found.broken_at,
            difference=found.difference,
            fault=found.fault,
            **own,
        )


class VerifiedCompany(VerifiedChain):
    """What recomputing one company's chain found."""

    company: CompanyHeading


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """What verifying chains and anchors found; `firm` is there when the firm's own chain was recomputed too."""

    companies: Sequence[VerifiedCompany]
    firm: VerifiedChain | None
    anchors: AnchorsVerification

    def chains(self) -> list[tuple[str, VerifiedChain]]:
        """Every chain that was recomputed, with what people call it."""
        own = [] if self.firm is None else [(FIRM_CHAIN, self.firm)]
        return [*((one.company.name, one) for one in self.companies), *own]

    def say_faults(self) -> list[str]:
        """Each broken chain, for a person."""
        return [
            f"{name!r}: {one.fault}"
            if one.difference is LogDifference.ABSENT
            else f"{name!r}: entry {one.broken_at} is broken ({one.difference}): {one.fault}"
            for name, one in self.chains()
            if not one.is_sound
        ]

    def describe(self) -> dict[str, object]:
        """The same as a document."""
        return {
            "is_sound": self.anchors.is_sound and all(one.is_sound for _, one in self.chains()),
            "entries": sum(one.entries for _, one in self.chains()),
            "anchors": self.anchors.anchors,
            "anchor_faults": self.anchors.faults,
            "items": self.companies,
            "firm": self.firm,
        }


def read_trusted(public_keys: Sequence[str] | None) -> frozenset[bytes]:
    """Public keys as they are given to a command, in hex.

    Raises:
        InvalidRequest: one is none.
    """
    try:
        keys = frozenset(bytes.fromhex(key) for key in public_keys or ())
    except ValueError as error:
        raise InvalidRequest(f"a public key is 64 hexadecimal digits: {error}") from error
    if any(len(key) != _KEY_BYTES for key in keys):
        raise InvalidRequest("a public key is 64 hexadecimal digits: `runway log public-key` shows it")
    return keys


async def verify_chains(
    runway: Runway,
    companies: Sequence[Company],
    *,
    since: datetime | None = None,
    with_firm: bool = True,
    trusted: Collection[bytes] = (),
) -> VerifiedLog:
    """Recompute the chains of companies, and of the firm itself where it has one, and hold them to the anchors.

    Raises:
        LogBroken: an anchor cannot be read; with `since`, the anchors are not what was signed.
    """
    anchors = await runway.anchors.verify([one.company_id for one in companies], since=since, trusted=trusted)
    heads = None if since is None else await runway.anchors.heads_before(since, trusted=trusted)
    found = [
        VerifiedCompany.of(
            await runway.verify_log(one.company_id, since=since, heads=heads),
            anchors.chains.get(one.company_id),
            company=CompanyHeading.of(one),
        )
        for one in companies
    ]
    house = firm_chain(runway.scope.firm_id)
    firm: VerifiedChain | None = None
    if with_firm or house in anchors.chains:
        found_firm = await runway.verify_firm_log(since=since, heads=heads)
        firm = VerifiedChain.of(found_firm, anchors.chains.get(house))
        is_begun = firm.entries or firm.trusted_through or not firm.is_sound
    return VerifiedLog(found, firm if firm is not None and is_begun else None, anchors)
