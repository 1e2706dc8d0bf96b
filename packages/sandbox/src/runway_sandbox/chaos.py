"""Trouble on request: named profiles, seeded, so that the same calls meet the same trouble in the same order.

Profiles are switched by `POST {control}/chaos {"profile": "flaky"}`; any member of a profile may be set beside the
name (`{"profile": "flaky", "server_error": 0.5}`). A share is of calls, from 0 to 1.

| profile | what it plays |
|---|---|
| `none` | a well-behaved vendor |
| `flaky` | five calls in a hundred are 500 or 503 as HTML; some are 429, reset, slow, HTML or a fault inside 200 |
| `throttled` | every third call is a 429 |
| `expired` | in one call of ten the access token was revoked, and every refresh token is replaced when it is used |
| `hostile` | no bodies or cut ones, wrong types, rows twice and in any order, pages again, forged and old events |
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
    slow: float = 0.0  # answered `slow_s` later
    slow_s: float = 0.2  # real seconds
    unanswered_write: float = 0.0  # cut off after the work was done
    html_ok: float = 0.0  # 200 with HTML
    fault_ok: float = 0.0  # 200 with a fault
    expired: float = 0.0  # 401 though the token is good
    revoked: float = 0.0  # a token ends, unless it has opened nothing yet; what a person gave, once an hour at most
    rotates: float = 0.0  # of refreshes: the refresh token is replaced
    grants_refused: float = 0.0  # invalid_grant on refresh
    wrong_environment: float = 0.0  # 403 3100
    quota: float = 0.0  # 429 on reads alone
    edits_while_paging: float = 0.0  # a record is edited before a later page is answered
    deletes_while_paging: float = 0.0
    extra_row: float = 0.0
    delay_s: float = 0.0  # real seconds
    malformed: float = 0.0  # a success whose body says nothing
    truncated: float = 0.0  # a success whose body is cut off, and its length says so
    wrong_type: float = 0.0  # a success under another content type
    rows_doubled: float = 0.0  # of pages
    rows_shuffled: float = 0.0  # of pages
    page_again: float = 0.0  # the page before, in place of the one that follows it
    webhook_delay_s: float = 0.0  # sandbox seconds
    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    webhook_disorder: float = 0.0
    webhook_forged: float = 0.0  # one that is not the vendor's goes out beside it
    webhook_replayed: float = 0.0  # an old one goes out again
    cdc_forgets: float = 0.0  # of the records that changed


PROFILES: dict[str, ChaosProfile] = {
    profile.name: profile
    for profile in (
        ChaosProfile(),
        ChaosProfile(
            "flaky",
            server_error=0.025,
            unavailable=0.025,
            throttled=0.02,
            unanswered=0.02,
            slow=0.02,
            html_ok=0.01,
            fault_ok=0.01,
        ),
        ChaosProfile("throttled", throttled=0.34),
        ChaosProfile("expired", revoked=0.1, rotates=1.0),
        ChaosProfile(
            "hostile",
            malformed=0.02,
            truncated=0.02,
            wrong_type=0.02,
            html_ok=0.01,
            rows_doubled=0.1,
            rows_shuffled=0.1,
            page_again=0.05,
            webhook_forged=0.3,
            webhook_replayed=0.3,
        ),
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
TO_SURVIVE = ("none", "flaky", "throttled", "expired", "hostile")
"""What every rail meets some day, on all windows alike. The other profiles play one trouble each, for a closer look."""

ACCESS_LASTS_S = 3600.0
_FIRST_TROUBLES = ("unavailable", "wrong_environment", "expired", "throttled", "html_ok", "unanswered")


def name_profiles() -> str:
    """Name all profiles in a line, those to survive first."""
    others = sorted(PROFILES.keys() - set(TO_SURVIVE))
    return f"{', '.join(TO_SURVIVE)}; one trouble alone: {', '.join(others)}"


class Chaos:
    """Draws trouble for each call of each company from a seeded sequence of its own."""

    def __init__(self, seed: int, profile: str = "none") -> None:
        self._seed = seed
        self._draws: dict[str, random.Random] = {}
        self._ended: dict[str, float] = {}  # when each access ended that only a person renews
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

    def ends_access(self, purpose: str, *, now: float) -> bool:
        """Draw whether an access that only a person renews ends now; each is worth having for an hour."""
        if now - self._ended.get(purpose, 0.0) < ACCESS_LASTS_S or not self.happens("revoked", purpose):
            return False
        self._ended[purpose] = now
        return True

    def pause_s(self, purpose: str) -> float:
        """Draw how long a call is held up, in real seconds."""
        slow = self.profile.slow_s if self.happens("slow", purpose) else 0.0
        return self.profile.delay_s + slow

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
