"""People of firms in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry, seal_entries
from runway_core.domain.papers import PaperKey, WorkingPaper
from runway_core.domain.people import AccessToken, Credentials, Person, TokenPurpose, firm_chain
from runway_core.errors import InvalidRequest, NotFound, StaleRevision


@dataclass(slots=True)
class MemoryChain:
    """A chain of the log that belongs to no company, and the papers that it tells of."""

    entries: list[LogEntry] = field(default_factory=list)
    head: ChainHead = field(default_factory=ChainHead)
    papers: dict[PaperKey, WorkingPaper] = field(default_factory=dict)

    def append(self, owner: CompanyId, drafts: Sequence[LogDraft]) -> None:
        """Append entries to the chain."""
        sealed, self.head = seal_entries(owner, self.head, list(drafts))
        self.entries.extend(sealed)


@dataclass(slots=True)
class FirmPeople:
    """Everything of one firm's people."""

    people: dict[str, Person] = field(default_factory=dict)
    credentials: dict[str, Credentials] = field(default_factory=dict)
    tokens: dict[str, AccessToken] = field(default_factory=dict)  # by hash
    attempts: dict[str, tuple[int, datetime]] = field(default_factory=dict)


class MemoryPeopleStore:
    """The `PeopleStore` in memory."""

    def __init__(self, firms: dict[FirmId, FirmPeople], chains: dict[CompanyId, MemoryChain]) -> None:
        self._firms = firms
        self._chains = chains

    def _firm(self, firm_id: FirmId) -> FirmPeople:
        return self._firms.setdefault(firm_id, FirmPeople())

    def _append(self, firm_id: FirmId, drafts: Sequence[LogDraft]) -> None:
        if drafts:
            owner = firm_chain(firm_id)
            self._chains.setdefault(owner, MemoryChain()).append(owner, drafts)

    async def has_people(self, firm_id: FirmId) -> bool:
        return bool(self._firm(firm_id).people)

    async def people(self, firm_id: FirmId) -> Sequence[Person]:
        return [person for _, person in sorted(self._firm(firm_id).people.items())]

    async def person(self, firm_id: FirmId, person_id: str) -> Person | None:
        return self._firm(firm_id).people.get(person_id)

    async def person_by_email(self, firm_id: FirmId, email: str) -> Person | None:
        wanted = email.strip().lower()
        return next((person for person in self._firm(firm_id).people.values() if person.email == wanted), None)

    async def person_by_subject(self, firm_id: FirmId, subject: str) -> Person | None:
        firm = self._firm(firm_id)
        known = (held.person_id for held in firm.credentials.values() if held.subject == subject)
        return firm.people.get(next(known, ""))

    async def save_person(self, person: Person, drafts: Sequence[LogDraft], *, ends_tokens: bool = False) -> Person:
        firm = self._firm(person.firm_id)
        if any(p.email == person.email and p.person_id != person.person_id for p in firm.people.values()):
            raise InvalidRequest("another person of the firm signs in with this address: choose another")
        _demand_version(firm.people.get(person.person_id), person)
        stored = person.model_copy(update={"version": person.version + 1})
        firm.people[person.person_id] = stored
        if ends_tokens:
            _drop(firm, (token for token in firm.tokens.values() if token.person_id == person.person_id))
        self._append(person.firm_id, drafts)
        return stored

    async def credentials(self, firm_id: FirmId, person_id: str) -> Credentials:
        return self._firm(firm_id).credentials.get(person_id) or Credentials(person_id=person_id, firm_id=firm_id)

    async def save_credentials(self, credentials: Credentials, drafts: Sequence[LogDraft]) -> Credentials:
        firm = self._firm(credentials.firm_id)
        if credentials.person_id not in firm.people:
            raise NotFound(f"no person {credentials.person_id!r} in this firm")
        others = (held for held in firm.credentials.values() if held.person_id != credentials.person_id)
        if credentials.subject is not None and any(held.subject == credentials.subject for held in others):
            raise InvalidRequest("another person of the firm is known by this account of the sign-in service")
        _demand_version(firm.credentials.get(credentials.person_id), credentials)
        stored = credentials.model_copy(update={"version": credentials.version + 1})
        firm.credentials[credentials.person_id] = stored
        self._append(credentials.firm_id, drafts)
        return stored

    async def add_token(self, token: AccessToken, drafts: Sequence[LogDraft] = ()) -> None:
        firm = self._firm(token.firm_id)
        _drop(firm, (held for held in firm.tokens.values() if held.ends_at <= token.created_at))
        firm.tokens[token.token_hash] = token
        self._append(token.firm_id, drafts)

    async def token(self, firm_id: FirmId, token_hash: str) -> AccessToken | None:
        return self._firm(firm_id).tokens.get(token_hash)

    async def tokens(
        self, firm_id: FirmId, purpose: TokenPurpose, person_id: str | None = None
    ) -> Sequence[AccessToken]:
        held = self._firm(firm_id).tokens.values()
        found = [t for t in held if t.purpose is purpose and person_id in (None, t.person_id)]
        found.sort(key=lambda token: token.token_id)
        return sorted(found, key=lambda token: token.created_at, reverse=True)

    async def move_token(self, token: AccessToken) -> None:
        tokens = self._firm(token.firm_id).tokens
        if token.token_hash in tokens:
            moved = {"seen_at": token.seen_at, "proved_at": token.proved_at}
            tokens[token.token_hash] = tokens[token.token_hash].model_copy(update=moved)

    async def end_token(self, firm_id: FirmId, token_id: str, drafts: Sequence[LogDraft] = ()) -> bool:
        firm = self._firm(firm_id)
        ended = _drop(firm, (token for token in firm.tokens.values() if token.token_id == token_id))
        if ended:
            self._append(firm_id, drafts)
        return ended > 0

    async def end_tokens(
        self, firm_id: FirmId, person_id: str, purposes: Sequence[TokenPurpose], *, but: str | None = None
    ) -> int:
        firm = self._firm(firm_id)
        held = [t for t in firm.tokens.values() if t.person_id == person_id and t.purpose in purposes]
        return _drop(firm, (token for token in held if token.token_id != but))

    async def count_attempt(self, firm_id: FirmId, subject: str, at: datetime, *, forget_seconds: int) -> int:
        attempts = self._firm(firm_id).attempts
        count, last_at = attempts.get(subject, (0, at))
        fresh = at - last_at >= timedelta(seconds=forget_seconds)
        attempts[subject] = (1 if fresh else count + 1, at)
        return attempts[subject][0]

    async def attempts(self, firm_id: FirmId, subject: str) -> tuple[int, datetime | None]:
        return self._firm(firm_id).attempts.get(subject, (0, None))

    async def uncount_attempt(self, firm_id: FirmId, subject: str) -> None:
        attempts = self._firm(firm_id).attempts
        if subject in attempts:
            count, last_at = attempts[subject]
            attempts[subject] = (max(0, count - 1), last_at)

    async def clear_attempts(self, firm_id: FirmId, subject: str) -> None:
        self._firm(firm_id).attempts.pop(subject, None)

    async def note(self, firm_id: FirmId, drafts: Sequence[LogDraft]) -> None:
        self._append(firm_id, drafts)


def _drop(firm: FirmPeople, tokens: Iterable[AccessToken]) -> int:
    gone = [token.token_hash for token in tokens]
    for token_hash in gone:
        del firm.tokens[token_hash]
    return len(gone)


def _demand_version(held: Person | Credentials | None, given: Person | Credentials) -> None:
    stored = 0 if held is None else held.version
    if stored != given.version:
        raise StaleRevision(
            f"{given.person_id!r} was changed to version {stored} meanwhile (yours is {given.version}): read again"
        )
