"""Sessions of people in browsers, and how often something may be tried.

A session is an opaque random secret, kept by its SHA-256: whoever reads the database cannot sign in with it. It is new
at each sign-in, ends when unused for a while and, however busy, after a day's work; it can be ended here at any moment.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from pydantic import SecretStr

from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import AccessToken, Caller, Person, TokenPurpose, make_caller
from runway_core.domain.record import encode_plain
from runway_core.errors import ProofNeeded, SignInRefused, TooManyRequests
from runway_core.services.people import SEEN_SECONDS, hash_secret
from runway_core.services.scope import Scope

SECOND_FACTOR_SECONDS = 300
"""So long a given password waits for its second factor."""

PROOF_SECONDS = 900
"""So long after a proof sensitive acts are done without another one."""

NOBODY = "(nobody)"
"""Who was refused, in the log, when the name is not one of the firm. No person can have this id."""

FORGET_SECONDS = 24 * 3600
"""Attempts are forgotten when none came for so long."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many attempts go through before each one more has to wait, and how the wait grows."""

    free: int
    first_seconds: int
    most_seconds: int

    def wait_seconds(self, attempts: int) -> int:
        """How long after the last of so many attempts the next one may come: doubling from the first pause on."""
        beyond = attempts - self.free
        return 0 if beyond < 0 else min(self.first_seconds * 2 ** min(beyond, 20), self.most_seconds)


ACCOUNT = Patience(free=5, first_seconds=15, most_seconds=900)
"""Of one name: a person who mistypes hardly notices, and 100 guesses take a day. At most 15 minutes, so that a stranger
who guesses on purpose does not lock a person out for long."""

ADDRESS = Patience(free=30, first_seconds=15, most_seconds=3600)
"""Of one network address, behind which many people may sit: attempts whose password was right do not count."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions last."""

    idle_seconds: int = 60 * 60
    longest_seconds: int = 12 * 60 * 60


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that stands, and whose it is."""

    person: Person
    token: AccessToken

    @property
    def caller(self) -> Caller:
        """What the person may do now: roles count as they are at each request."""
        return make_caller(self.person)


class SessionService:
    """Begins, finds and ends sessions. Whether a password is right is judged elsewhere (`Door` in the app)."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def begin(self, person: Person, purpose: TokenPurpose, rules: SessionRules, *, how: str) -> SecretStr:
        """Begin a session, or the wait for a second factor; the secret is returned once.

        `how` says in the log by what it was proved, such as `password`.
        """
        now = self._scope.clock.now()
        secret = secrets.token_urlsafe(32)
        is_whole = purpose is TokenPurpose.SESSION
        token = AccessToken(
            token_hash=hash_secret(secret),
            token_id=self._scope.new_id()[:16],
            firm_id=person.firm_id,
            person_id=person.person_id,
            purpose=purpose,
            created_at=now,
            seen_at=now,
            proved_at=now,
            ends_at=now + timedelta(seconds=rules.longest_seconds if is_whole else SECOND_FACTOR_SECONDS),
            idle_seconds=rules.idle_seconds if is_whole else None,
        )
        drafts = (
            [self._draft("signed_in", person.person_id, {"how": how, "session": token.token_id})] if is_whole else []
        )
        await self._scope.store.people.add_token(token, drafts)
        return SecretStr(secret)

    async def find(self, secret: str, purpose: TokenPurpose = TokenPurpose.SESSION) -> SignedIn | None:
        """The session of a secret; `None` when there is none, it is over, or its person is disabled."""
        store, firm_id, now = self._scope.store.people, self._scope.firm_id, self._scope.clock.now()
        token = await store.token(firm_id, hash_secret(secret))
        if token is None or token.purpose is not purpose or token.is_over(now):
            return None
        person = await store.person(firm_id, token.person_id)
        if person is None or person.is_disabled:
            return None
        if purpose is TokenPurpose.SESSION and (now - token.seen_at).total_seconds() >= SEEN_SECONDS:
            token = token.model_copy(update={"seen_at": now})
            await store.move_token(token)
        return SignedIn(person, token)

    async def end(self, token: AccessToken, *, what: str = "signed_out") -> None:
        """End a session here, whatever the browser keeps. Repeating is harmless."""
        drafts = [self._draft(what, token.person_id, {"session": token.token_id})] if what else []
        await self._scope.store.people.end_token(self._scope.firm_id, token.token_id, drafts)

    async def end_others(self, token: AccessToken) -> int:
        """End all other sessions of a session's person, as after a new password; returns how many."""
        purposes = (TokenPurpose.SESSION, TokenPurpose.SECOND_FACTOR, TokenPurpose.INVITATION)
        return await self._scope.store.people.end_tokens(
            self._scope.firm_id, token.person_id, purposes, but=token.token_id
        )

    async def prove(self, token: AccessToken) -> None:
        """Note that the person of a session proved themselves once more."""
        now = self._scope.clock.now()
        await self._scope.store.people.move_token(token.model_copy(update={"seen_at": now, "proved_at": now}))

    def demand_proof(self, token: AccessToken) -> None:
        """Refuse a sensitive act when the last proof is too old.

        Raises:
            ProofNeeded: the password is wanted once more.
        """
        if (self._scope.clock.now() - token.proved_at).total_seconds() >= PROOF_SECONDS:
            raise ProofNeeded("this act is a sensitive one: give your password once more")

    async def take_turn(self, subject: str, patience: Patience) -> None:
        """Count an attempt before it is made.

        Raises:
            TooManyRequests: too many before it; the message says how long to wait.
        """
        store, firm_id, now = self._scope.store.people, self._scope.firm_id, self._scope.clock.now()
        count, last_at = await store.attempts(firm_id, subject)
        if last_at is not None:
            left = _seconds_left(patience.wait_seconds(count), last_at, now)
            if left > 0:
                raise TooManyRequests(f"too many attempts: wait {left} seconds", retry_after_seconds=left)
        counted = await store.count_attempt(firm_id, subject, now, forget_seconds=FORGET_SECONDS)
        if counted > count + 1 and patience.wait_seconds(counted - 1) > 0:  # others came in between
            left = patience.wait_seconds(counted)
            raise TooManyRequests(f"too many attempts: wait {left} seconds", retry_after_seconds=left)

    async def give_turn_back(self, subject: str) -> None:
        """Let an attempt that succeeded not count, as of an address with many people.

        Failed ones stay counted: nobody wins new guesses by signing in as themselves in between.
        """
        await self._scope.store.people.uncount_attempt(self._scope.firm_id, subject)

    async def clear_turns(self, subject: str) -> None:
        """Forget the attempts of a subject, after a success."""
        await self._scope.store.people.clear_attempts(self._scope.firm_id, subject)

    async def note_refusal(self, person_id: str | None, why: str) -> None:
        """Log a sign-in that failed.

        Of a name that nobody has, the name is not kept: it may be a mistyped password. The entry is written all the
        same, so that the time an answer takes does not tell which names exist.
        """
        draft = self._draft("sign_in_refused", person_id or NOBODY, {"why": why})
        await self._scope.store.people.note(self._scope.firm_id, [draft])

    def refuse(self) -> SignInRefused:
        """The same words for every reason, so that nobody learns which names exist."""
        return SignInRefused("that is not right: check what you typed")

    def _draft(self, what: str, person_id: str, content: dict[str, str]) -> LogDraft:
        return LogDraft(
            seen_at=self._scope.clock.now(),
            rail="",
            kind="person",
            external_id=person_id,
            what=what,
            attribution=self._scope.by_owner(person_id),
            content=encode_plain(content),
        )


def _seconds_left(wait: int, last_at: datetime, now: datetime) -> int:
    return ceil(wait - (now - last_at).total_seconds())
