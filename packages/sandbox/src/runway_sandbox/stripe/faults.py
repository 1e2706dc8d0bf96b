"""What the vendor answers when it refuses: one object, absent members left out (facts/stripe.md 7 and 8)."""

from __future__ import annotations

from typing import Any


class StripeFaultError(Exception):
    """A refusal in the vendor's words."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self._error: dict[str, Any] = {"message": message, "type": kind}
        if code is not None:
            self._error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            self._error["param"] = param
        self._error |= more or {}

    @property
    def is_remembered(self) -> bool:
        """Whether an idempotency key keeps this outcome: what failed before anything ran is not kept."""
        return self.status in {402, 500}

    def body(self, request_id: str) -> dict[str, Any]:
        """Build the body."""
        log = {"request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}
        return {"error": {**self._error, **(log if self.status < 500 else {})}}


def no_key() -> StripeFaultError:
    """No key was sent."""
    return StripeFaultError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer"
        " auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    )


def bad_key(key: str) -> StripeFaultError:
    """The key is none."""
    return StripeFaultError(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")


def expired_key(key: str) -> StripeFaultError:
    """The key was rolled."""
    return StripeFaultError(401, f"Expired API Key provided: {key[:8]}{'*' * 8}{key[-4:]}", code="api_key_expired")


def no_account(key: str, account: str) -> StripeFaultError:
    """The account is none of the key's, or its owner ended the access."""
    return StripeFaultError(
        403,
        f"The provided key '{key[:8]}{'*' * 8}{key[-4:]}' does not have access to account '{account}' (or that account"
        " does not exist). Application access may have been revoked.",
        code="account_invalid",
    )


def not_permitted(resource: str) -> StripeFaultError:
    """A restricted key lacks a permission."""
    return StripeFaultError(
        403,
        f"The provided key does not have the required permissions for this endpoint. Having the 'rak_{resource}_read'"
        " permission would allow this request to continue.",
    )


def missing(kind: str, identifier: str, *, param: str = "id", as_parameter: bool = False) -> StripeFaultError:
    """No such thing: 404 when it was asked for, 400 when it only was a parameter."""
    return StripeFaultError(
        400 if as_parameter else 404, f"No such {kind}: '{identifier}'", code="resource_missing", param=param
    )


def invalid(message: str, param: str | None = None, *, code: str | None = None) -> StripeFaultError:
    """A parameter makes no sense."""
    return StripeFaultError(400, message, code=code, param=param)


def unknown_path(method: str, path: str) -> StripeFaultError:
    """No such address."""
    return StripeFaultError(404, f"Unrecognized request URL ({method}: {path}).")


def too_many(reason: str) -> StripeFaultError:
    """More calls than the vendor takes in a second; it says nothing of when to come back."""
    return StripeFaultError(
        429, "Request rate limit exceeded.", code="rate_limit", headers={"stripe-rate-limited-reason": reason}
    )


def locked() -> StripeFaultError:
    """The object is busy: a 429 that is no rate limit."""
    return StripeFaultError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently"
        " accessing it.",
        code="lock_timeout",
    )


def server_error() -> StripeFaultError:
    """The vendor's own trouble."""
    return StripeFaultError(500, "An unknown error occurred", kind="api_error", headers={"stripe-should-retry": "true"})


def declined(charge_id: str) -> StripeFaultError:
    """The card was refused."""
    return StripeFaultError(
        402,
        "Your card was declined.",
        kind="card_error",
        code="card_declined",
        more={"decline_code": "generic_decline", "charge": charge_id},
    )


def key_reused() -> StripeFaultError:
    """One idempotency key for two requests."""
    return StripeFaultError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with.",
        kind="idempotency_error",
    )


def key_in_use() -> StripeFaultError:
    """The first request with the key is still under way."""
    return StripeFaultError(
        409,
        "There is currently another in-progress request using this Idempotency Key.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )


def not_reconciled() -> StripeFaultError:
    """The parts of a payout are not known yet; the status is not documented."""
    return StripeFaultError(
        400,
        "The payout's balance transactions are not ready yet.",
        code="payout_reconciliation_not_ready",
        param="payout",
    )
