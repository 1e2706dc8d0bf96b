"""The door: from what a person types to a session. Whatever is wrong, the answer is the same, after as long a time."""

import hashlib
from dataclasses import dataclass

from pydantic import SecretStr
from runway_core.domain.people import Credentials, Person, TokenPurpose
from runway_core.errors import InvalidRequest, SignInRefused, StaleRevision
from runway_core.runway import Runway
from runway_core.services.sessions import ACCOUNT, ADDRESS, SessionRules, SignedIn

from runway_app_http.passwords import Passwords, demand_fit
from runway_app_http.second_factor import hash_recovery_code, make_recovery_codes, use_code


@dataclass(frozen=True, slots=True)
class Entered:
    """What a browser gets: the secret of a session, or of the wait for a second factor."""

    secret: SecretStr
    purpose: TokenPurpose
    person: Person


def _hashed(kind: str, text: str) -> str:
    """A subject of attempts: what somebody typed may be a password in the wrong field, so it is not kept as it is."""
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()}"


class Door:
    """Lets people in. One an app."""

    def __init__(self, runway: Runway, passwords: Passwords, rules: SessionRules) -> None:
        self._runway = runway
        self._passwords = passwords
        self._rules = rules

    def close(self) -> None:
        """Let go of threads. Repeating is harmless."""
        self._passwords.close()

    async def enter(self, email: str, password: SecretStr, *, address: str) -> Entered:
        """Take an address and a password; a person with a second factor is asked for it next.

        Raises:
            SignInRefused: they prove nobody.
            TooManyRequests: too many attempts for this name, or from this network address.
        """
        sessions, account = self._runway.sessions, _hashed("account", email.strip().lower())
        place = _hashed("address", address)
        await sessions.take_turn(place, ADDRESS)
        await sessions.take_turn(account, ACCOUNT)
        person = await self._find(email)
        credentials = await self._proofs(person)
        is_right = await self._passwords.is_right(credentials.password_hash, password)
        if person is None or person.is_disabled or not is_right:
            await sessions.note_refusal(person.person_id if person else None, "password")
            raise sessions.refuse()
        await sessions.give_turn_back(place)
        if credentials.totp_secret is not None:
            return await self._begin(person, TokenPurpose.SECOND_FACTOR, how="password")
        await sessions.clear_turns(account)
        if credentials.password_hash is not None and self._passwords.is_outdated(credentials.password_hash):
            await self._keep_password(credentials, password, "password_hashed_again")
        return await self._begin(person, TokenPurpose.SESSION, how="password")

    async def enter_with_code(self, waiting: SignedIn, code: str) -> Entered:
        """Take the second factor, or a recovery code, of somebody whose password was right.

        Raises:
            SignInRefused: it is wrong, or was used before.
            TooManyRequests: too many attempts.
        """
        sessions, account = self._runway.sessions, _hashed("account", waiting.person.email)
        await sessions.take_turn(account, ACCOUNT)
        await self._use_code(waiting.person, code)
        await sessions.clear_turns(account)
        await sessions.end(waiting.token, what="")
        return await self._begin(waiting.person, TokenPurpose.SESSION, how="password and second factor")

    async def enter_by_link(self, secret: str, password: SecretStr) -> Entered:
        """Set the password of whoever a link was given to, and let them in. The link is used up.

        Raises:
            SignInRefused: the link is worth nothing.
            InvalidRequest: the password is guessed soon.
        """
        person, token = await self._runway.people.find_invited(secret)
        demand_fit(password, email=person.email, name=person.name)
        await self._runway.sessions.end(token, what="")
        credentials = await self._runway.people.credentials(person.person_id)
        await self._keep_password(credentials, password, "password_set")
        await self._runway.people.sign_out(person.person_id, actor=person.person_id)
        if credentials.totp_secret is not None:
            return await self._begin(person, TokenPurpose.SECOND_FACTOR, how="link")
        return await self._begin(person, TokenPurpose.SESSION, how="link")

    async def enter_as(self, person: Person, *, how: str) -> Entered:
        """Let somebody in whom the sign-in service knows; it has asked for a second factor where it wants one."""
        return await self._begin(person, TokenPurpose.SESSION, how=how)

    async def prove(self, signed_in: SignedIn, *, password: SecretStr, code: str) -> None:
        """Take a proof once more, before a sensitive act: the second factor where there is one, else the password.

        Raises:
            SignInRefused: it is wrong.
            TooManyRequests: too many attempts.
        """
        sessions, account = self._runway.sessions, _hashed("account", signed_in.person.email)
        await sessions.take_turn(account, ACCOUNT)
        credentials = await self._proofs(signed_in.person)
        if credentials.totp_secret is not None:
            await self._use_code(signed_in.person, code)
        elif not await self._passwords.is_right(credentials.password_hash, password):
            await sessions.note_refusal(signed_in.person.person_id, "proof")
            raise sessions.refuse()
        await sessions.clear_turns(account)
        await sessions.prove(signed_in.token)

    async def change_password(self, signed_in: SignedIn, *, old: SecretStr, new: SecretStr) -> int:
        """Set another password and end all other sessions; returns how many there were.

        Raises:
            SignInRefused: the old one is wrong.
            InvalidRequest: the new one is guessed soon.
            TooManyRequests: too many attempts.
        """
        sessions, person = self._runway.sessions, signed_in.person
        demand_fit(new, email=person.email, name=person.name)
        await sessions.take_turn(_hashed("account", person.email), ACCOUNT)
        credentials = await self._proofs(person)
        if not await self._passwords.is_right(credentials.password_hash, old):
            await sessions.note_refusal(person.person_id, "old password")
            raise sessions.refuse()
        await sessions.clear_turns(_hashed("account", person.email))
        await self._keep_password(credentials, new, "password_changed")
        return await sessions.end_others(signed_in.token)

    async def set_second_factor(self, person: Person, secret: SecretStr, code: str) -> list[str]:
        """Keep a second factor whose first code is given; returns recovery codes, to be shown once.

        Raises:
            InvalidRequest: the code is not one of this secret.
        """
        credentials = await self._proofs(person)
        fresh = credentials.model_copy(update={"totp_secret": secret, "totp_step": 0, "recovery_hashes": ()})
        used = use_code(fresh, code, self._runway.scope.clock.now())
        if used is None:
            raise InvalidRequest("the code does not belong to this picture: point the authenticator at it once more")
        codes = make_recovery_codes()
        hashes = tuple(hash_recovery_code(one) for one in codes)
        await self._runway.people.keep_credentials(
            used.model_copy(update={"recovery_hashes": hashes}), "second_factor_set"
        )
        return codes

    async def remove_second_factor(self, person: Person) -> None:
        """Go on with the password alone."""
        credentials = await self._proofs(person)
        gone = {"totp_secret": None, "totp_step": 0, "recovery_hashes": ()}
        await self._runway.people.keep_credentials(credentials.model_copy(update=gone), "second_factor_removed")

    async def has_second_factor(self, person: Person) -> bool:
        """Whether a person has a second factor."""
        return (await self._proofs(person)).totp_secret is not None

    async def _find(self, email: str) -> Person | None:
        scope = self._runway.scope
        return await scope.store.people.person_by_email(scope.firm_id, email)

    async def _proofs(self, person: Person | None) -> Credentials:
        scope = self._runway.scope
        person_id = person.person_id if person is not None else "nobody"
        return await scope.store.people.credentials(scope.firm_id, person_id)

    async def _use_code(self, person: Person, code: str) -> None:
        sessions = self._runway.sessions
        used = use_code(await self._proofs(person), code, self._runway.scope.clock.now())
        if used is not None:
            try:
                await self._runway.people.keep_credentials(used, "")
            except StaleRevision:  # the same code at the same moment: one of them counts
                used = None
        if used is None:
            await sessions.note_refusal(person.person_id, "second factor")
            raise SignInRefused("that code is not right, or was used before: wait for the next one")

    async def _keep_password(self, credentials: Credentials, password: SecretStr, what: str) -> None:
        hashed = await self._passwords.hash(password)
        await self._runway.people.keep_credentials(credentials.model_copy(update={"password_hash": hashed}), what)

    async def _begin(self, person: Person, purpose: TokenPurpose, *, how: str) -> Entered:
        return Entered(await self._runway.sessions.begin(person, purpose, self._rules, how=how), purpose, person)
