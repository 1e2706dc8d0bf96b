"""Trouble on request: named profiles, seeded, so that the same calls meet the same trouble in the same order.

Profiles are switched by `POST {control}/chaos {"profile": "flaky"}`; any member of a profile may be set beside the
name (`{"profile": "flaky", "server_error": 0.5}`). A share is of calls, from 0 to 1.

| profile | what it plays |
|---|---|
| `none` | a well-behaved vendor |
| `flaky` | a few in a hundred: 500, 503 as HTML, 429, no answer, HTML and faults inside 200 |
| `throttled` | every third call is a 429 |
| `expired_tokens` | one access token in ten is refused early |
| `lost_access` | every token is dead and every refresh is `invalid_grant` |
| `wrong_environment` | every call is 403 3100 |
| `moving_pages` | books are edited while they are paged; now and then a page holds one row more than asked |
| `outage` | nothing but 503 as HTML |
| `maintenance` | HTML inside 200 |
| `unanswered_writes` | every write is done, and half of the answers are lost |
| `late_webhooks` | events come five minutes late, doubled, out of order, and one in five is lost |
| `forgetful_feed` | change data capture leaves one change in five out for good, and one event in five is lost |
| `quota` | reads are blocked as by a used-up monthly quota |
| `slow` | every answer takes 0.3 s more |
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class ChaosProfile:
    """How often each trouble happens; shares lie between 0 and 1."""

    name: str = "none"
    server_error: float = 0.0  # 500 code 10000
    unavailable: float = 0.0  # 503 as HTML
    throttled: float = 0.0  # 429 as XML
    unanswered: float = 0.0  # cut off before any work is done
    unanswered_write: float = 0.0  # cut off after the work was done
    html_ok: float = 0.0  # 200 with HTML
    fault_ok: float = 0.0  # 200 with a fault
    expired: float = 0.0  # 401 though the token is good
    grants_refused: float = 0.0  # invalid_grant on refresh
    wrong_environment: float = 0.0  # 403 3100
    quota: float = 0.0  # 429 on reads alone
    edits_while_paging: float = 0.0  # a record is edited before a later page is answered
    deletes_while_paging: float = 0.0
    extra_row: float = 0.0
    delay_s: float = 0.0  # real seconds
    webhook_delay_s: float = 0.0  # sandbox seconds
    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    webhook_disorder: float = 0.0
    cdc_forgets: float = 0.0  # of the records that changed


PROFILES: dict[str, ChaosProfile] = {
    profile.name: profile
    for profile in (
        ChaosProfile(),
        ChaosProfile(
            "flaky",
            server_error=0.02,
            unavailable=0.02,
            throttled=0.02,
            unanswered=0.01,
            html_ok=0.01,
            fault_ok=0.01,
        ),
        ChaosProfile("throttled", throttled=0.34),
        ChaosProfile("expired_tokens", expired=0.1),
        ChaosProfile("lost_access", expired=1.0, grants_refused=1.0),
        ChaosProfile("wrong_environment", wrong_environment=1.0),
        ChaosProfile("moving_pages", edits_while_paging=0.8, deletes_while_paging=0.3, extra_row=0.1),
        ChaosProfile("outage", unavailable=1.0),
        ChaosProfile("maintenance", html_ok=1.0),
        ChaosProfile("unanswered_writes", unanswered_write=0.5),
        ChaosProfile("late_webhooks", webhook_delay_s=300, webhook_lost=0.2, webhook_doubled=0.3, webhook_disorder=0.5),
        ChaosProfile("forgetful_feed", cdc_forgets=0.2, webhook_lost=0.2),
        ChaosProfile("quota", quota=1.0),
        ChaosProfile("slow", delay_s=0.3),
    )
}
_FIRST_TROUBLES = ("unavailable", "wrong_environment", "expired", "throttled", "html_ok", "unanswered")


class Chaos:
    """Draws trouble for each call of each company from a seeded sequence of its own."""

    def __init__(self, seed: int, profile: str = "none") -> None:
        self._seed = seed
        self._draws: dict[str, random.Random] = {}
        self.profile = ChaosProfile()
        self.switch(profile)

    def switch(self, name: str, changes: dict[str, float] | None = None) -> ChaosProfile:
        """Take another profile and start its sequences anew.

        Raises:
            ValueError: no such profile or member, or a negative share.
        """
        profile = PROFILES.get(name)
        if profile is None:
            raise ValueError(f"no chaos profile {name!r}; there are: {', '.join(PROFILES)}")
        known = {field.name for field in fields(ChaosProfile)} - {"name"}
        for member, value in (changes or {}).items():
            if member not in known:
                raise ValueError(f"a chaos profile has no {member!r}; there are: {', '.join(sorted(known))}")
            if value < 0:
                raise ValueError(f"{member} must not be negative: {value!r}")
        self.profile = replace(profile, **{member: float(value) for member, value in (changes or {}).items()})  # type: ignore[arg-type]  # every member but the name is a float
        self._draws.clear()
        return self.profile

    def describe(self) -> dict[str, object]:
        """Tell the profile in force, member by member."""
        return asdict(self.profile)

    def draw(self, purpose: str) -> random.Random:
        """Get the sequence of one company and purpose; it depends on nothing but the seed and the profile."""
        known = self._draws.get(purpose)
        if known is None:
            known = random.Random(f"{self._seed}:{self.profile.name}:{purpose}")
            self._draws[purpose] = known
        return known

    def happens(self, member: str, purpose: str) -> bool:
        """Draw whether one trouble happens now; a share of nothing draws nothing."""
        share: float = getattr(self.profile, member)
        return share > 0 and self.draw(f"{purpose}:{member}").random() < share

    def forgets(self, realm_id: str, kind: str, identifier: str) -> bool:
        """Tell whether change data capture leaves a record out: the same one whenever it is asked."""
        share = self.profile.cdc_forgets
        return share > 0 and random.Random(f"{self._seed}:{realm_id}:{kind}:{identifier}").random() < share

    def trouble_before(self, realm_id: str) -> str | None:
        """Draw what goes wrong before the service sees a call; at most one trouble a call."""
        for member in (*_FIRST_TROUBLES, "server_error", "fault_ok"):
            if self.happens(member, realm_id):
                return member
        return None
