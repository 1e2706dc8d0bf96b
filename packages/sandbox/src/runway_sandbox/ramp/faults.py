"""What the vendor answers when it refuses: two envelopes in one body, and a code that says more than the status.

Facts of facts/ramp.md section 3. A token that opens nothing is answered like an object that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class RampFaultError(Exception):
    """A refusal in the vendor's words; `fields` names what is wrong with each member of the request."""

    def __init__(
        self, status: int, code: str, message: str, *, fields: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = dict(fields or {})

    def body(self, error_id: str) -> dict[str, object]:
        """Build the body; everything but the error id is the same each time."""
        legacy: object = {name: list(texts) for name, texts in self.fields.items()} or {"message": str(self)}
        return {
            "error_v2": {
                "error_code": self.code,
                "message": str(self),
                "notes": "",
                "additional_info": {name: list(texts) for name, texts in self.fields.items()},
                "error_id": error_id,
            },
            "error": legacy,
        }


def not_found() -> RampFaultError:
    """No such object, or a token that opens nothing."""
    return RampFaultError(404, "DEVELOPER_7002", "The requested object was not found")


def no_token() -> RampFaultError:
    """The request bears no token."""
    return RampFaultError(401, "DEVELOPER_7001", "Missing or malformed Authorization header")


def token_expired() -> RampFaultError:
    """The token was good once."""
    return RampFaultError(401, "DEVELOPER_7028", "The access token has expired")


def unknown_client() -> RampFaultError:
    """The app's own keys are wrong."""
    return RampFaultError(401, "DEVELOPER_7002", "Client authentication failed")


def grant_refused(message: str) -> RampFaultError:
    """The code or the refresh token is none, used or too old."""
    return RampFaultError(404, "DEVELOPER_7002", message)


def grant_disabled(grant: str) -> RampFaultError:
    """The app may not use this grant."""
    return RampFaultError(400, "DEVELOPER_7012", f"Grant type {grant!r} is not enabled for this app")


def scope_missing(scope: str) -> RampFaultError:
    """The token was minted, and lacks the scope."""
    return RampFaultError(403, "DEVELOPER_7100", f"These scopes are missing: {scope}")


def invalid(**fields: str) -> RampFaultError:
    """Members of the request that make no sense, each with what is wrong."""
    first = next(iter(fields.values()))
    return RampFaultError(422, "DEVELOPER_7001", first, fields={name: [text] for name, text in fields.items()})


def refused(message: str) -> RampFaultError:
    """The request makes sense and cannot be done."""
    return RampFaultError(400, "DEVELOPER_7127", message)


def key_used() -> RampFaultError:
    """An idempotency key that was seen before, whatever became of it."""
    return RampFaultError(400, "DEVELOPER_7005", "The idempotency key has already been used")


def no_accounting() -> RampFaultError:
    """No accounting connection that this app could report to."""
    return RampFaultError(400, "DEVELOPER_7089", "There is no active API accounting connection for this business")


def too_many() -> RampFaultError:
    """More calls than the vendor takes from one address; it says nothing of when to come back."""
    return RampFaultError(429, "DEVELOPER_7000", "Rate limit exceeded")


def server_error() -> RampFaultError:
    """The vendor's own trouble."""
    return RampFaultError(500, "DEVELOPER_7000", "An unexpected error occurred")
