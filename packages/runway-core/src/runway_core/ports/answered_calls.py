"""Answers that are kept for callers who send a call again."""

from datetime import datetime
from typing import Protocol

from runway_core.domain.answered_calls import CallKey, Claim, KeptAnswer


class AnsweredCalls(Protocol):
    """Keeps which calls run under which key, and what was answered.

    Of calls that come side by side under one key exactly one is let through. Every method may raise StoreUnavailable.
    """

    async def claim(self, call: CallKey, fingerprint: str, claim_id: str, *, now: datetime, until: datetime) -> Claim:
        """Take a call on until a moment, unless its key names one that runs, was answered, or is another.

        What ran out in the firm by `now` is forgotten first.

        Args:
            call: who asks, under which key.
            fingerprint: of the whole call; another one under the same key is another call.
            claim_id: names this claim for `keep` and `release`; never used before.
            now: the moment of asking.
            until: when the call counts as given up, should it be heard of no more.
        """
        ...

    async def keep(self, call: CallKey, claim_id: str, answer: KeptAnswer, *, until: datetime) -> bool:
        """Keep the answer of a claimed call; false, and nothing is kept, where another took the call on since."""
        ...

    async def release(self, call: CallKey, claim_id: str) -> None:
        """Let go of a claimed call that did nothing: it may be sent again."""
        ...
