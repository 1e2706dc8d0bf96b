"""The people of a firm: who there is, in which role, for which companies; and the keys of their programs.

Whatever changes here is an act in the firm's own chain of the log. Names and addresses of people do not go there: the
log keeps for good what it has, and says who by id.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import SecretStr, ValidationError

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import (
    AccessToken,
    Caller,
    Credentials,
    Need,
    Person,
    TokenPurpose,
    firm_chain,
    make_caller,
)
from runway_core.domain.policy import Role
from runway_core.domain.record import encode_plain
from runway_core.errors import InvalidRequest, NotFound, SignInNeeded, SignInRefused
from runway_core.ports.people import PeopleStore
from runway_core.services.companies import explain_invalid
from runway_core.services.scope import Scope

KEY_PREFIX = "rw_"
INVITATION_DAYS = 7
LONGEST_KEY_DAYS = 366
SEEN_SECONDS = 60
"""How exactly it is kept when something was last shown: once a minute costs no write a request."""

_SECRET_BYTES = 32
_UNTOLD = frozenset({"name", "email"})
"""Fields of a person that the log says changed, and not to what."""


def hash_secret(secret: str) -> str:
    """SHA-256 of a random secret, hexadecimal: enough for 256 random bits, which nobody can try out."""
    return hashlib.sha256(secret.encode()).hexdigest()


class PeopleService:
    """Adds, changes and disables people, and gives out links and keys."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def _store(self) -> PeopleStore:
        return self._scope.store.people

    async def exist(self) -> bool:
        """Whether the firm has people; until it has, nobody signs in and the app serves its own machine alone."""
        return await self._store.has_people(self._scope.firm_id)

    async def list(self) -> Sequence[Person]:
        """Everybody, by id, disabled people included.

        Raises:
            NotAllowed: the caller is no owner.
        """
        self._scope.demand(Need.ADMIN)
        return await self._store.people(self._scope.firm_id)

    async def get(self, person_id: str) -> Person:
        """One person. Everybody may look at themselves.

        Raises:
            NotFound: no such person in this firm.
            NotAllowed: the caller is neither that person nor an owner.
        """
        if self._scope.caller is None or self._scope.caller.person_id != person_id:
            self._scope.demand(Need.ADMIN)
        person = await self._store.person(self._scope.firm_id, person_id)
        if person is None:
            raise NotFound(f"no person {person_id[:60]!r} in this firm: `runway people list` shows those there are")
        return person

    async def add(
        self,
        email: str,
        *,
        role: Role,
        actor: str,
        name: str | None = None,
        person_id: str | None = None,
        companies: Sequence[CompanyId] | None = None,
    ) -> Person:
        """Add somebody, who signs in once they set a password under a link (`invite`) or come by the sign-in service.

        The first person of a firm is an owner. From then on everybody signs in.

        Raises:
            InvalidRequest: the id or the address is taken or cannot be, or the first person is no owner.
            NotFound: an assigned company that the firm does not have.
            NotAllowed: the caller is no owner.
        """
        self._scope.demand(Need.ADMIN)
        if role is not Role.OWNER and not await self.exist():
            raise InvalidRequest("the first person of a firm is an owner, who can add the others: say --role owner")
        await self._demand_companies(companies)
        values = {
            "person_id": person_id or _suggest_id(email),
            "firm_id": self._scope.firm_id,
            "name": name or email.partition("@")[0],
            "email": email,
            "role": role,
            "companies": None if companies is None else tuple(dict.fromkeys(companies)),
            "created_at": self._scope.clock.now(),
        }
        person = _build(values)
        if await self._store.person(self._scope.firm_id, person.person_id) is not None:
            raise InvalidRequest(f"the id {person.person_id!r} is taken: choose another with --id")
        return await self._store.save_person(person, [self._draft("person_added", person, actor=actor)])

    async def change(
        self, person_id: str, changes: dict[str, Any], *, actor: str, version: int | None = None
    ) -> Person:
        """Change name, email, role, companies or `is_disabled` of a person. Repeating is harmless.

        Another role or other companies count from the next request on; whoever is disabled is signed out everywhere and
        their keys end, in the same transaction.

        Raises:
            NotFound: no such person, or an assigned company that the firm does not have.
            InvalidRequest: a value that cannot be, or no owner would be left.
            StaleRevision: changed since `version`.
            NotAllowed: the caller is no owner.
        """
        self._scope.demand(Need.ADMIN)
        held = await self.get(person_id)
        strange = sorted(set(changes) - {"name", "email", "role", "companies", "is_disabled"})
        if strange:
            raise InvalidRequest(f"{strange[0]!r} of a person cannot be changed")
        await self._demand_companies(changes.get("companies"))
        changed = _build(held.__dict__ | changes | {"version": held.version if version is None else version})
        told = {name: (getattr(held, name), getattr(changed, name)) for name in changes}
        told = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
        if not told:
            return held
        await self._demand_owner(held, changed)
        what = "person_updated"
        if "is_disabled" in told:
            what = "person_disabled" if changed.is_disabled else "person_enabled"
        draft = self._draft(what, changed, actor=actor, told=told)
        return await self._store.save_person(changed, [draft], ends_tokens=what == "person_disabled")

    async def sign_out(self, person_id: str, *, actor: str) -> int:
        """End all sessions and links of a person; keys of programs stay. Returns how many there were.

        Raises:
            NotFound: no such person in this firm.
            NotAllowed: the caller is neither that person, signed in, nor an owner.
        """
        self._demand_own_hand()
        person = await self.get(person_id)
        purposes = (TokenPurpose.SESSION, TokenPurpose.SECOND_FACTOR, TokenPurpose.INVITATION)
        ended = await self._store.end_tokens(self._scope.firm_id, person_id, purposes)
        await self._note("sessions_ended", person, actor=actor)
        return ended

    async def invite(self, person_id: str, *, actor: str) -> SecretStr:
        """Give out the secret of a link under which a person sets a password, once, within a week.

        Links given out before are worth nothing from now on.

        Raises:
            NotFound: no such person in this firm.
            InvalidRequest: the person is disabled.
            NotAllowed: the caller is no owner.
        """
        self._scope.demand(Need.ADMIN)
        person = await self.get(person_id)
        if person.is_disabled:
            raise InvalidRequest(f"{person_id!r} is disabled: enable them first")
        await self._store.end_tokens(self._scope.firm_id, person_id, (TokenPurpose.INVITATION,))
        token, secret = self._make_token(person, TokenPurpose.INVITATION, lasts=timedelta(days=INVITATION_DAYS))
        await self._store.add_token(token, [self._draft("person_invited", person, actor=actor)])
        return secret

    async def find_invited(self, secret: str) -> tuple[Person, AccessToken]:
        """Whose link this is, and the link.

        Raises:
            SignInRefused: it was used, taken back, or is out of date.
        """
        token = await self._store.token(self._scope.firm_id, hash_secret(secret))
        now = self._scope.clock.now()
        if token is not None and token.purpose is TokenPurpose.INVITATION and not token.is_over(now):
            person = await self._store.person(self._scope.firm_id, token.person_id)
            if person is not None and not person.is_disabled:
                return person, token
        raise SignInRefused("this link was used, taken back, or is out of date: ask an owner of the firm for a new one")

    async def drop_second_factor(self, person_id: str, *, actor: str) -> None:
        """Take the second factor from somebody who lost it, and end their sessions.

        Raises:
            NotFound: no such person in this firm.
            NotAllowed: the caller is no owner.
        """
        self._scope.demand(Need.ADMIN)
        person = await self.get(person_id)
        held = await self._store.credentials(self._scope.firm_id, person_id)
        gone: dict[str, object] = {"totp_secret": None, "totp_step": 0, "recovery_hashes": ()}
        await self._store.save_credentials(
            held.model_copy(update=gone), [self._draft("second_factor_removed", person, actor=actor)]
        )
        await self.sign_out(person_id, actor=actor)

    async def make_key(
        self,
        person_id: str,
        name: str,
        *,
        needs: Sequence[Need],
        days: int,
        actor: str,
        companies: Sequence[CompanyId] | None = None,
    ) -> tuple[AccessToken, SecretStr]:
        """Give a program of a person a key: the secret is returned once and kept nowhere.

        A key never goes further than its person does at the moment of use, nor than the key with which it was made.

        Raises:
            NotFound: no such person, or a company that the caller does not see.
            InvalidRequest: no name, no right, days outside 1…366, or rights that person or caller do not have.
            NotAllowed: the caller is neither that person, signed in, nor an owner.
        """
        self._demand_own_hand()
        person = await self.get(person_id)
        name = " ".join(name.split())
        if not 1 <= len(name) <= 60 or not name.isprintable():
            raise InvalidRequest("a key needs a name of 1 to 60 signs, by which it is told from others")
        if not 1 <= days <= LONGEST_KEY_DAYS:
            raise InvalidRequest(f"a key ends after 1 to {LONGEST_KEY_DAYS} days: {days} is outside")
        caller = self._scope.caller
        rights = make_caller(person).needs if caller is None else make_caller(person).needs & caller.needs
        lacking = [need.value for need in needs if need not in rights]
        if lacking or not needs:
            raise InvalidRequest(f"{person_id!r} cannot give a key the right to {', '.join(lacking) or 'nothing'}")
        if companies is None and caller is not None and caller.key_id is not None and caller.companies is not None:
            companies = sorted(caller.companies)  # a confined program makes confined keys
        await self._demand_companies(companies)
        token, secret = self._make_token(person, TokenPurpose.API_KEY, lasts=timedelta(days=days), prefix=KEY_PREFIX)
        confined = {
            "name": name,
            "needs": tuple(need for need in Need if need in needs),
            "companies": None if companies is None else tuple(companies),
        }
        token = token.model_copy(update=confined)
        await self._store.add_token(token, [self._draft_key("key_made", token, actor=actor)])
        return token, secret

    async def keys(self, person_id: str | None = None) -> Sequence[AccessToken]:
        """The keys of a person, or of everybody, the newest first.

        Raises:
            NotAllowed: the caller is neither that person nor an owner.
        """
        if person_id is None:
            self._scope.demand(Need.ADMIN)
        else:
            await self.get(person_id)
        return await self._store.tokens(self._scope.firm_id, TokenPurpose.API_KEY, person_id)

    async def end_key(self, token_id: str, *, actor: str) -> None:
        """Take a key back, at once.

        Raises:
            NotFound: no such key, or the caller is no owner, and it is somebody else's or not the one they came by.
        """
        held = await self._store.tokens(self._scope.firm_id, TokenPurpose.API_KEY)
        caller = self._scope.caller
        key = next((one for one in held if one.token_id == token_id), None)
        if key is None or not _may_end(caller, key):
            raise NotFound(f"no key {token_id[:60]!r}: `runway keys list` shows those there are")
        await self._store.end_token(self._scope.firm_id, token_id, [self._draft_key("key_ended", key, actor=actor)])

    async def find_key(self, secret: str) -> tuple[Caller, AccessToken]:
        """Whom a key acts for, and how far it goes.

        Raises:
            SignInNeeded: it is unknown, taken back or out of date, or its person is disabled.
        """
        now = self._scope.clock.now()
        token = await self._store.token(self._scope.firm_id, hash_secret(secret))
        if token is not None and token.purpose is TokenPurpose.API_KEY and not token.is_over(now):
            person = await self._store.person(self._scope.firm_id, token.person_id)
            if person is not None and not person.is_disabled:
                if (now - token.seen_at).total_seconds() >= SEEN_SECONDS:
                    await self._store.move_token(token.model_copy(update={"seen_at": now}))
                return make_caller(person, token), token
        raise SignInNeeded("the key is unknown, taken back or out of date: make one with `runway keys add`")

    async def credentials(self, person_id: str) -> Credentials:
        """What proves a person; never shown."""
        return await self._store.credentials(self._scope.firm_id, person_id)

    async def keep_credentials(self, credentials: Credentials, what: str) -> Credentials:
        """Keep what proves a person; `what` says in the log what changed.

        Raises:
            StaleRevision: changed since they were read.
        """
        person = await self._store.person(self._scope.firm_id, credentials.person_id)
        if person is None:
            raise NotFound(f"no person {credentials.person_id!r} in this firm")
        drafts = [self._draft(what, person, actor=person.person_id)] if what else []
        return await self._store.save_credentials(credentials, drafts)

    def _make_token(
        self, person: Person, purpose: TokenPurpose, *, lasts: timedelta, prefix: str = ""
    ) -> tuple[AccessToken, SecretStr]:
        secret = prefix + secrets.token_urlsafe(_SECRET_BYTES)
        now = self._scope.clock.now()
        token = AccessToken(
            token_hash=hash_secret(secret),
            token_id=self._scope.new_id()[:16],
            firm_id=person.firm_id,
            person_id=person.person_id,
            purpose=purpose,
            created_at=now,
            seen_at=now,
            proved_at=now,
            ends_at=now + lasts,
        )
        return token, SecretStr(secret)

    def _demand_own_hand(self) -> None:
        """Refuse a program what its person does with their own account, unless it was given the right to do it.

        Raises:
            NotAllowed: the caller came by a key without that right.
        """
        if self._scope.caller is not None and self._scope.caller.key_id is not None:
            self._scope.demand(Need.ADMIN)

    async def _demand_companies(self, companies: Sequence[CompanyId] | None) -> None:
        """Refuse an assignment of what the firm does not have."""
        if companies:
            known = {company.company_id for company in await self._scope.companies()}
            strange = [company_id for company_id in companies if company_id not in known]
            if strange:
                raise NotFound(f"no company {strange[0][:60]!r} in this firm")

    async def _demand_owner(self, held: Person, changed: Person) -> None:
        """A firm keeps an owner who can sign in; else nobody could ever mend it."""
        if held.role is not Role.OWNER or (changed.role is Role.OWNER and not changed.is_disabled):
            return
        everybody = await self._store.people(self._scope.firm_id)
        others = [p for p in everybody if p.person_id != held.person_id and p.role is Role.OWNER and not p.is_disabled]
        if not others:
            raise InvalidRequest(f"{held.person_id!r} is the last owner of the firm: make somebody else an owner first")

    async def _note(self, what: str, person: Person, *, actor: str) -> None:
        await self._store.note(self._scope.firm_id, [self._draft(what, person, actor=actor)])

    def _draft(
        self, what: str, person: Person, *, actor: str, told: dict[str, tuple[Any, Any]] | None = None
    ) -> LogDraft:
        content = {
            "person_id": person.person_id,
            "role": person.role.value,
            "companies": person.companies,
            "is_disabled": person.is_disabled,
        }
        changed = {name: (None, None) if name in _UNTOLD else pair for name, pair in (told or {}).items()}
        return LogDraft(
            seen_at=self._scope.clock.now(),
            rail="",
            kind="person",
            external_id=person.person_id,
            what=what,
            attribution=self._scope.by_owner(actor),
            content=encode_plain(content),
            changed=encode_plain(changed) if changed else b"",
        )

    def _draft_key(self, what: str, token: AccessToken, *, actor: str) -> LogDraft:
        content = {
            "person_id": token.person_id,
            "name": token.name,
            "needs": token.needs,
            "companies": token.companies,
            "ends_at": token.ends_at,
        }
        return LogDraft(
            seen_at=self._scope.clock.now(),
            rail="",
            kind="key",
            external_id=token.token_id,
            what=what,
            attribution=self._scope.by_owner(actor),
            content=encode_plain(content),
        )

    @property
    def chain(self) -> CompanyId:
        """The chain of the log where acts on people stand."""
        return firm_chain(self._scope.firm_id)


def _may_end(caller: Caller | None, key: AccessToken) -> bool:
    if caller is None or caller.may(Need.ADMIN):
        return True
    return key.person_id == caller.person_id and caller.key_id in (None, key.token_id)


def _suggest_id(email: str) -> str:
    """The part of an address before the at sign, as an id can be."""
    return re.sub(r"[^a-z0-9._-]+", "-", email.partition("@")[0].lower()).strip(".-_")[:40]


def _build(values: dict[str, Any]) -> Person:
    try:
        return Person.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest(explain_invalid(error)) from error
