"""People of a firm, their credentials, and the secrets that were given out to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.identity import FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import AccessToken, Credentials, Person, TokenPurpose


class PeopleStore(Protocol):
    """Keeps people, scoped to a firm: whoever belongs to another firm is not found.

    Every change takes the entries that tell of it, which go to the firm's own chain (`firm_chain`) in the transaction
    of the change. Every method may raise StoreUnavailable.
    """

    async def has_people(self, firm_id: FirmId) -> bool:
        """Whether the firm has anybody, disabled people included."""
        ...

    async def people(self, firm_id: FirmId) -> Sequence[Person]:
        """Everybody, by id."""
        ...

    async def person(self, firm_id: FirmId, person_id: str) -> Person | None:
        """One person, disabled or not."""
        ...

    async def person_by_email(self, firm_id: FirmId, email: str) -> Person | None:
        """Whoever signs in with an address; addresses are compared in lower case."""
        ...

    async def person_by_subject(self, firm_id: FirmId, subject: str) -> Person | None:
        """Whoever a sign-in service calls so."""
        ...

    async def save_person(self, person: Person, drafts: Sequence[LogDraft], *, ends_tokens: bool = False) -> Person:
        """Store a person on the version that they carry, and return them with the next one.

        `ends_tokens` takes back all that was given out to them, keys too, in the same transaction.

        Raises:
            StaleRevision: changed since, or new and the id is taken.
            InvalidRequest: another person of the firm has this address.
        """
        ...

    async def credentials(self, firm_id: FirmId, person_id: str) -> Credentials:
        """What proves a person; of version 0 when there is nothing yet.

        Raises:
            StoreUnavailable: a second factor was kept under another key.
        """
        ...

    async def save_credentials(self, credentials: Credentials, drafts: Sequence[LogDraft]) -> Credentials:
        """Store credentials on the version that they carry, and return them with the next one.

        Raises:
            NotFound: no such person.
            StaleRevision: changed since: a code that was used at the same moment, for one.
            InvalidRequest: another person of the firm is known by this subject.
        """
        ...

    async def add_token(self, token: AccessToken, drafts: Sequence[LogDraft] = ()) -> None:
        """Keep what was given out; what has run out in the firm is dropped with it."""
        ...

    async def token(self, firm_id: FirmId, token_hash: str) -> AccessToken | None:
        """What was given out under a hash, run out or not."""
        ...

    async def tokens(
        self, firm_id: FirmId, purpose: TokenPurpose, person_id: str | None = None
    ) -> Sequence[AccessToken]:
        """What was given out for a purpose, to one person or to all, the newest first."""
        ...

    async def move_token(self, token: AccessToken) -> None:
        """Keep new times of what was given out (`seen_at`, `proved_at`); one that is gone stays gone."""
        ...

    async def end_token(self, firm_id: FirmId, token_id: str, drafts: Sequence[LogDraft] = ()) -> bool:
        """Take back what was given out; false when it is gone already, and then nothing is logged."""
        ...

    async def end_tokens(
        self, firm_id: FirmId, person_id: str, purposes: Sequence[TokenPurpose], *, but: str | None = None
    ) -> int:
        """Take back all that a person was given for some purposes, but one token id; returns how many."""
        ...

    async def count_attempt(self, firm_id: FirmId, subject: str, at: datetime, *, forget_seconds: int) -> int:
        """Count one more attempt of a subject and return how many there are.

        The count starts anew when the last one lies `forget_seconds` back. Counting comes before trying, so that
        attempts side by side are all counted.
        """
        ...

    async def attempts(self, firm_id: FirmId, subject: str) -> tuple[int, datetime | None]:
        """How many attempts are counted, and when the last one was."""
        ...

    async def uncount_attempt(self, firm_id: FirmId, subject: str) -> None:
        """Take one attempt off the count of a subject, which never falls below 0; the others stay counted."""
        ...

    async def clear_attempts(self, firm_id: FirmId, subject: str) -> None:
        """Begin anew, after a success."""
        ...

    async def note(self, firm_id: FirmId, drafts: Sequence[LogDraft]) -> None:
        """Log what changed nothing here, such as a sign-in that failed."""
        ...
