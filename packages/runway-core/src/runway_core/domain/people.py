"""The people of a firm, what each may do, and what a browser or a program shows to be one of them."""

import re
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, SecretStr

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.policy import Role
from runway_core.domain.record import Value

_PERSON_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_E_MAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")


def _checked_id(text: str) -> str:
    if _PERSON_ID.fullmatch(text) is None:
        raise ValueError("1 to 40 of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit")
    return text


def _checked_e_mail(text: str) -> str:
    text = text.strip().lower()
    if _E_MAIL.fullmatch(text) is None:
        raise ValueError("not an e-mail address")
    return text


def _checked_name(text: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= 100 or not text.isprintable():
        raise ValueError("1 to 100 printable signs")
    return text


PersonId = Annotated[str, AfterValidator(_checked_id)]
"""How the log names a person, for good: short, not an address, never given to another."""


class Need(StrEnum):
    """What an act needs of whoever does it."""

    READ = "read"  # look at a company
    DECIDE = "decide"  # the daily work: findings, fixes, questions, plans, decisions and their approval
    MANAGE = "manage"  # settings, policy, connections
    ADMIN = "admin"  # people, their roles and companies


GRANTS: dict[Role, frozenset[Need]] = {
    Role.VIEWER: frozenset({Need.READ}),
    Role.BOOKKEEPER: frozenset({Need.READ, Need.DECIDE}),
    Role.CONTROLLER: frozenset({Need.READ, Need.DECIDE, Need.MANAGE}),
    Role.OWNER: frozenset(Need),
}
"""What each role may do. Up to which amount a role approves, the policy of the company says."""


class Person(Value):
    """Somebody of a firm who signs in. People are disabled, never removed: the log speaks of them."""

    person_id: PersonId
    firm_id: FirmId
    name: Annotated[str, AfterValidator(_checked_name)]
    email: Annotated[str, AfterValidator(_checked_e_mail)]  # signs in with it; unique within the firm
    role: Role
    companies: tuple[CompanyId, ...] | None = None  # assigned ones; None: all of the firm, later ones too
    is_disabled: bool = False
    created_at: AwareDatetime
    version: int = 0  # 0: not stored yet


class Credentials(Value):
    """What proves that somebody is a person. Never logged and never shown.

    password_hash       as argon2 writes it; None: signs in elsewhere, or has not chosen one yet
    totp_secret         of the second factor, base 32; None: none is set up
    totp_step           the last half minute whose code was used: a code works once
    recovery_hashes     SHA-256 of the codes that replace a lost second factor, each works once
    subject             who the person is to the sign-in service of the firm (issuer and `sub`), once known
    """

    person_id: PersonId
    firm_id: FirmId
    password_hash: SecretStr | None = None
    totp_secret: SecretStr | None = None
    totp_step: int = 0
    recovery_hashes: tuple[str, ...] = ()
    subject: str | None = None
    version: int = 0  # 0: not stored yet


class TokenPurpose(StrEnum):
    """What a secret that is shown stands for."""

    SESSION = "session"  # a signed-in browser
    SECOND_FACTOR = "second_factor"  # a browser that gave the password, and not yet the second factor
    INVITATION = "invitation"  # a link under which a person sets a password, once
    API_KEY = "api_key"  # a program that acts for a person


class AccessToken(Value):
    """A secret that was given out, without the secret: only its SHA-256 is kept.

    token_hash          SHA-256 of the secret, hexadecimal
    token_id            names it in lists and in the log
    seen_at             when it was last shown; moved at most once a minute
    ends_at             from when on it is worth nothing, however busy it is
    proved_at           when the person last gave a password or a second factor
    idle_seconds        a session unused for so long is over; None: it does not idle out
    name, needs, companies    of an API key: what it is called, and what it is confined to within its person's rights
    """

    token_hash: str
    token_id: str
    firm_id: FirmId
    person_id: PersonId
    purpose: TokenPurpose
    created_at: AwareDatetime
    seen_at: AwareDatetime
    ends_at: AwareDatetime
    proved_at: AwareDatetime
    idle_seconds: int | None = None
    name: str = ""
    needs: tuple[Need, ...] = ()
    companies: tuple[CompanyId, ...] | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether its time ran out."""
        has_idled = self.idle_seconds is not None and (now - self.seen_at).total_seconds() >= self.idle_seconds
        return has_idled or now >= self.ends_at


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf something is asked: a person, in a browser or through a program of theirs.

    A program acts as its person, so that one person's two hands are not two people to the rules; what a person may do
    with their own account beside their rights (`key_id` is None), it may not.
    """

    person_id: str
    role: Role
    needs: Set[Need]
    companies: frozenset[CompanyId] | None  # None: all of the firm
    key_id: str | None = None  # the API key it came by; None: signed in

    def may(self, need: Need) -> bool:
        """Whether the caller may do what needs `need`."""
        return need in self.needs

    def sees(self, company_id: CompanyId) -> bool:
        """Whether the company is assigned to the caller."""
        return self.companies is None or company_id in self.companies


def make_caller(person: Person, token: AccessToken | None = None) -> Caller:
    """What a person may do, through a key no more than that key was given."""
    needs: frozenset[Need] = GRANTS[person.role]
    companies = None if person.companies is None else frozenset(person.companies)
    key_id = None
    if token is not None and token.purpose is TokenPurpose.API_KEY:
        key_id, needs = token.token_id, needs & frozenset(token.needs)
        if token.companies is not None:
            wanted = frozenset(token.companies)
            companies = wanted if companies is None else companies & wanted
    return Caller(person.person_id, person.role, needs, companies, key_id)


_FIRM = "firm:"


def firm_chain(firm_id: FirmId) -> CompanyId:
    """The firm's own chain in the log, where acts on people and papers of the firm as a whole stand.

    It owns those papers as a company owns its own. No company is called so: their ids are made.
    """
    return CompanyId(f"{_FIRM}{firm_id}")


def firm_of_chain(owner: CompanyId) -> FirmId:
    """The firm that this owner of papers is."""
    return FirmId(owner.removeprefix(_FIRM))


def is_firm_chain(owner: CompanyId) -> bool:
    """Whether this owner of papers is a firm."""
    return owner.startswith(_FIRM)
