"""Webhook signatures: is this body from the vendor? Compared in constant time, over the raw bytes."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from pydantic import SecretStr


def verify_hmac(
    body: bytes,
    signature: str,
    *,
    secret: SecretStr,
    digest: Literal["sha256", "sha512"] = "sha256",
    encoding: Literal["base64", "hex"] = "base64",
) -> bool:
    """Tell whether `signature` is the HMAC of the raw `body` under `secret`.

    An empty secret verifies nothing, so that a forgotten setting does not open the door.
    """
    key = secret.get_secret_value().encode()
    if not key:
        return False
    code = hmac.new(key, body, getattr(hashlib, digest)).digest()
    expected = base64.b64encode(code) if encoding == "base64" else code.hex().encode()
    return hmac.compare_digest(expected, signature.strip().encode())


def is_signed(
    body: bytes,
    signature: str,
    *,
    secrets: Sequence[SecretStr],
    digest: Literal["sha256", "sha512"] = "sha256",
    encoding: Literal["base64", "hex"] = "base64",
) -> bool:
    """Tell whether the raw `body` is signed with any of the secrets that are alive.

    Each is tried whatever the others say, so that the time it takes tells nothing of which one fits.
    """
    fits = [verify_hmac(body, signature, secret=secret, digest=digest, encoding=encoding) for secret in secrets]
    return any(fits)
