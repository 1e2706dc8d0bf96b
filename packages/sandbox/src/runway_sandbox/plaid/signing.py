"""Webhook signatures: a JWT over the hash of the body, by a key that can be fetched and rotates (facts/plaid.md 5)."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


@dataclass(slots=True)
class SigningKey:
    """One key, public once it was used."""

    kid: str
    private: ec.EllipticCurvePrivateKey
    created_at: int
    expired_at: int | None = None

    def as_jwk(self) -> dict[str, object]:
        """Return what `/webhook_verification_key/get` tells of it."""
        numbers = self.private.public_key().public_numbers()
        return {
            "alg": "ES256",
            "created_at": self.created_at,
            "crv": "P-256",
            "expired_at": self.expired_at,
            "kid": self.kid,
            "kty": "EC",
            "use": "sig",
            "x": _base64url(numbers.x),
            "y": _base64url(numbers.y),
        }


class Signer:
    """Signs with the newest key; older ones stay known, as expired."""

    def __init__(self, *, seed: int, now: int) -> None:
        self._draws = random.Random(f"plaid keys:{seed}")
        self._keys: dict[str, SigningKey] = {}
        self._current = self.rotate(now)

    def rotate(self, now: int) -> SigningKey:
        """Make a new key and expire the one before."""
        for key in self._keys.values():
            key.expired_at = key.expired_at or now
        kid = str(uuid.UUID(int=self._draws.getrandbits(128), version=4))
        private = ec.derive_private_key(self._draws.randrange(1, _ORDER), ec.SECP256R1())
        self._current = self._keys[kid] = SigningKey(kid, private, now)
        return self._current

    def find(self, kid: str) -> SigningKey | None:
        """Look a key up by its id."""
        return self._keys.get(kid)

    def sign(self, body: bytes, *, now: int) -> str:
        """Return the value of `Plaid-Verification` for a body."""
        claims = {"iat": now, "request_body_sha256": hashlib.sha256(body).hexdigest()}
        return jwt.encode(claims, self._current.private, algorithm="ES256", headers={"kid": self._current.kid})


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32)).rstrip(b"=").decode()
