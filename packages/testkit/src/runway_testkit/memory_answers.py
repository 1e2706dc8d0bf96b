"""Answers of calls in memory."""

from dataclasses import dataclass
from datetime import datetime

from runway_core.domain.answered_calls import CallKey, Claim, ClaimState, KeptAnswer
from runway_core.domain.identity import FirmId


@dataclass(slots=True)
class _Held:
    fingerprint: str
    claim_id: str
    ends_at: datetime
    answer: KeptAnswer | None = None


class MemoryAnsweredCalls:
    """The `AnsweredCalls` in memory."""

    def __init__(self) -> None:
        self._held: dict[CallKey, _Held] = {}

    async def claim(self, call: CallKey, fingerprint: str, claim_id: str, *, now: datetime, until: datetime) -> Claim:
        over = [key for key, held in self._held.items() if key.firm_id == call.firm_id and held.ends_at <= now]
        for key in over:
            del self._held[key]
        held = self._held.setdefault(call, _Held(fingerprint, claim_id, until))
        if held.claim_id == claim_id:
            return Claim(ClaimState.MINE)
        if held.fingerprint != fingerprint:
            return Claim(ClaimState.OTHER)
        if held.answer is None:
            return Claim(ClaimState.RUNNING)
        return Claim(ClaimState.ANSWERED, held.answer)

    async def keep(self, call: CallKey, claim_id: str, answer: KeptAnswer, *, until: datetime) -> bool:
        held = self._held.get(call)
        if held is None or held.claim_id != claim_id or held.answer is not None:
            return False
        held.answer, held.ends_at = answer, until
        return True

    async def release(self, call: CallKey, claim_id: str) -> None:
        held = self._held.get(call)
        if held is not None and held.claim_id == claim_id and held.answer is None:
            del self._held[call]

    def forget(self, firm_id: FirmId) -> None:
        """Let go of every answer of a firm: some may tell of a company that is erased."""
        self._held = {key: held for key, held in self._held.items() if key.firm_id != firm_id or held.answer is None}
