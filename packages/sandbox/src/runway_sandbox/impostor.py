"""Somebody who knows where events go and holds no secret: sends forged ones, and old ones again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import httpx

from runway_sandbox.chaos import Chaos

KEPT = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery as it went out."""

    url: str
    body: bytes
    headers: dict[str, str]


class Impostor:
    """Looks at what goes by, and sends of its own by the shares of the chaos profile; nothing of it is repeated."""

    def __init__(self, chaos: Chaos, *, purpose: str) -> None:
        self._chaos = chaos
        self._purpose = purpose
        self._seen: deque[Sent] = deque(maxlen=KEPT)
        self.forged = 0
        self.forged_taken = 0  # answered as if they were the vendor's
        self.replayed = 0

    async def follow(self, client: httpx.AsyncClient, sent: Sent, *, signature: str) -> None:
        """Act behind a delivery; `signature` names the header that proves it."""
        profile = self._chaos.profile
        if not profile.webhook_forged and not profile.webhook_replayed:
            return
        self._seen.append(sent)
        if self._chaos.happens("webhook_forged", self._purpose):
            self.forged += 1
            status = await _post(client, self._forge(sent, signature))
            self.forged_taken += status is not None and 200 <= status < 300
        if self._chaos.happens("webhook_replayed", self._purpose):
            self.replayed += 1
            await _post(client, self._chaos.draw(f"{self._purpose}:old").choice(tuple(self._seen)))

    def _forge(self, sent: Sent, signature: str) -> Sent:
        """Change the body, or the proof, or leave the proof out."""
        way = self._chaos.draw(f"{self._purpose}:way").randrange(3)
        if way == 0:
            return Sent(sent.url, sent.body + b" ", sent.headers)
        others = {name: value for name, value in sent.headers.items() if name != signature}
        if way == 1:
            return Sent(sent.url, sent.body, others)
        return Sent(sent.url, sent.body, {**others, signature: _other(sent.headers[signature])})


def _other(proof: str) -> str:
    """A proof that differs in its middle: the last sign of a base64 text may mean nothing."""
    middle = len(proof) // 2
    return proof[:middle] + ("0" if proof[middle] != "0" else "1") + proof[middle + 1 :]


async def _post(client: httpx.AsyncClient, sent: Sent) -> int | None:
    try:
        return (await client.post(sent.url, content=sent.body, headers=sent.headers)).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
