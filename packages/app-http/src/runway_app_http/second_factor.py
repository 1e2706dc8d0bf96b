"""The second factor: codes of an authenticator (RFC 6238) and recovery codes that replace a lost one."""

import hashlib
import re
import secrets
from datetime import datetime

import pyotp
import segno
from pydantic import SecretStr
from runway_core.domain.people import Credentials, Person
from runway_core.errors import InvalidRequest

STEP_SECONDS = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE = re.compile(r"\d{6}")
_SECRET = re.compile(r"[A-Z2-7]{32}")


def make_secret() -> SecretStr:
    """A new secret, 160 random bits in base 32."""
    return SecretStr(pyotp.random_base32())


def read_secret(text: str) -> SecretStr:
    """A secret that was shown on a page, as its form sends it back.

    Raises:
        InvalidRequest: it is none.
    """
    if _SECRET.fullmatch(text) is None:
        raise InvalidRequest("begin again: the page was changed")
    return SecretStr(text)


def address_of(secret: SecretStr, person: Person) -> str:
    """What an authenticator reads."""
    return pyotp.TOTP(secret.get_secret_value()).provisioning_uri(name=person.email, issuer_name="Runway")


def draw_address(secret: SecretStr, person: Person) -> str:
    """The same as a picture to point a phone at: one SVG element, without styles or scripts."""
    return segno.make(address_of(secret, person), error="m").svg_inline(scale=5, border=3, light="#fff", dark="#000")


def find_step(secret: SecretStr, code: str, at: datetime) -> int | None:
    """The half minute that a code belongs to, or `None` when it is wrong; one step of the clock is forgiven."""
    totp = pyotp.TOTP(secret.get_secret_value())
    now = int(at.timestamp()) // STEP_SECONDS
    given = code.replace(" ", "")
    if _CODE.fullmatch(given) is None:
        return None
    right = [step for step in (now - 1, now, now + 1) if secrets.compare_digest(totp.at(step * STEP_SECONDS), given)]
    return max(right, default=None)


def make_recovery_codes() -> list[str]:
    """Codes to be written down, 50 random bits each."""
    words = ("".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES))
    return [f"{word[:5]}-{word[5:]}" for word in words]


def hash_recovery_code(code: str) -> str:
    """As a code is kept: random enough that nobody tries it out, and attempts are slowed down besides."""
    plain = "".join(sign for sign in code.casefold() if sign.isalnum())
    return hashlib.sha256(f"recovery {plain}".encode()).hexdigest()


def use_code(credentials: Credentials, code: str, at: datetime) -> Credentials | None:
    """The credentials once a code was used up, or `None` when it proves nothing. A code counts once."""
    if credentials.totp_secret is None:
        return None
    step = find_step(credentials.totp_secret, code, at)
    if step is not None and step > credentials.totp_step:
        return credentials.model_copy(update={"totp_step": step})
    wanted = hash_recovery_code(code)
    if wanted in credentials.recovery_hashes:
        left = tuple(held for held in credentials.recovery_hashes if held != wanted)
        return credentials.model_copy(update={"recovery_hashes": left})
    return None
