"""The error family of Runway, cut by what the reader must do next.

    RunwayError
    ├── RailError                the outside system
    │   ├── RailUnavailable      no answer, or "not now": nothing was written; wait and ask again
    │   │   └── RailThrottled    the call budget is used up: wait `retry_after_seconds`
    │   ├── RailAccessLost       a person must connect the company again
    │   ├── RailMisconfigured    our own keys or settings are wrong: mend them, do not bother the customer
    │   ├── RailRefused          the rail said no: change the request
    │   ├── RecordGone           the record is deleted or was never there
    │   ├── StaleRevision        someone changed the record: read, plan again
    │   ├── OutcomeUnknown       it may have been written: read back before repeating
    │   └── SuspiciousAbsence    far fewer records than the mirror holds: a person must say that this is right
    ├── RecordRejected           one record could not be understood; it goes to quarantine
    ├── StoreError               the database
    │   ├── StoreUnavailable     it does not answer, or is full or read-only
    │   ├── SchemaMismatch       it is not migrated, or newer than this code
    │   ├── LeaseHeld            another worker is pulling this connection
    │   ├── LeaseLost            our lease ran out; nothing was committed
    │   └── LogBroken            the transaction log does not verify
    ├── WebhookRefused           what came in is not proved to be the rail's: it is not kept
    ├── SignInNeeded             nobody is signed in, or the key is worth nothing: sign in
    │   ├── SignInRefused        what was given proves nobody: try again
    │   └── ProofNeeded          a sensitive act: give the password once more
    ├── NotAllowed               the role or the key does not go so far: ask an owner
    ├── TooManyRequests          wait `retry_after_seconds`
    ├── NotFound                 an unknown company, connection, record or rail
    │   └── CompanyErased        a company that was erased: the chain of its log is all that is left
    ├── InvalidRequest           a value that cannot be: mend the call
    │   ├── CurrencyMismatch     two currencies were to be added
    │   └── IdempotencyKeyReused the key names another call
    ├── CallRunning              the same call is being answered: send it again shortly
    ├── PolicyBlocked            a rule of the policy does not let a payment go: do what its remedy says
    ├── ApprovalLapsed           what was approved is no longer so: decide again
    └── NotSupported             the rail states that it cannot do this

Every class has a stable `code`; `docs/errors/<code>.md` says what to do about it.
"""

from typing import ClassVar


class RunwayError(Exception):
    """Anything Runway raises on purpose. `code` is stable; the message says what, whose and the next step."""

    code: ClassVar[str] = "runway-error"


class RailError(RunwayError):
    """An outside system did not do what was asked.

    Args:
        message: what happened and what to do, without secrets or payloads.
        rail: the rail's name, such as `qbo`.
        provider_code: the vendor's own error code, if it gave one.
        request_id: the vendor's id of the request, which its support asks for.
    """

    code = "rail-error"

    def __init__(
        self, message: str, *, rail: str = "", provider_code: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.rail = rail
        self.provider_code = provider_code
        self.request_id = request_id


class RailUnavailable(RailError):
    """The rail gave no answer; nothing was written. Wait `retry_after_seconds`, then ask again."""

    code = "rail-unavailable"

    def __init__(
        self,
        message: str,
        *,
        rail: str = "",
        provider_code: str | None = None,
        request_id: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message, rail=rail, provider_code=provider_code, request_id=request_id)
        self.retry_after_seconds = retry_after_seconds


class RailThrottled(RailUnavailable):
    """The rail's call budget is used up for now."""

    code = "rail-throttled"


class RailAccessLost(RailError):
    """The authorisation is gone: a person must connect the company again."""

    code = "rail-access-lost"


class RailMisconfigured(RailError):
    """Our own keys, environment or settings are wrong for this rail; the customer can do nothing about it."""

    code = "rail-misconfigured"


class RailRefused(RailError):
    """The rail understood and said no: change the request."""

    code = "rail-refused"


class RecordGone(RailRefused):
    """The rail holds no such record any more, or never did."""

    code = "record-gone"


class StaleRevision(RailError):
    """Someone changed the record since it was read: read again, then plan again."""

    code = "stale-revision"


class OutcomeUnknown(RailError):
    """A write got no answer and may have been done: read back before repeating."""

    code = "outcome-unknown"


class SuspiciousAbsence(RailError):
    """A whole reading shows far fewer records than the mirror holds: nothing was retired, a person must confirm."""

    code = "suspicious-absence"


class RecordRejected(RunwayError):
    """One record could not be understood; `reason` is for a person, and the payload goes to quarantine."""

    code = "record-rejected"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoreError(RunwayError):
    """The database did not do what was asked."""

    code = "store-error"


class StoreUnavailable(StoreError):
    """The database does not answer, is full, read-only, or its path cannot be written."""

    code = "store-unavailable"


class SchemaMismatch(StoreError):
    """The database is not migrated, or newer than this code."""

    code = "schema-mismatch"


class LeaseHeld(StoreError):
    """Another worker is pulling this connection; its lease runs until `until`."""

    code = "lease-held"


class LeaseLost(StoreError):
    """The lease ran out or was taken over; nothing of this page was committed."""

    code = "lease-lost"


class LogBroken(StoreError):
    """The transaction log does not verify; see `runway log verify`."""

    code = "log-broken"


class WebhookRefused(RunwayError):
    """A delivery that none of the rail's secrets proves. It was not kept; whoever sent it learns no more."""

    code = "webhook-refused"


class SignInNeeded(RunwayError):
    """Nobody is signed in, or the key is unknown, ended or out of date."""

    code = "sign-in-needed"


class SignInRefused(SignInNeeded):
    """What was given proves nobody; which part of it was wrong is not said."""

    code = "sign-in-refused"


class ProofNeeded(SignInNeeded):
    """The act is a sensitive one and the last proof is too old: give the password once more."""

    code = "proof-needed"


class NotAllowed(RunwayError):
    """The caller's role, or key, does not go so far."""

    code = "not-allowed"


class TooManyRequests(RunwayError):
    """More was asked, or tried, than is allowed in the time: wait."""

    code = "too-many-requests"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotFound(RunwayError):
    """No such company, connection, record or rail within the caller's firm."""

    code = "not-found"


class CompanyErased(NotFound):
    """The company was erased: what was kept of it cannot be read by anybody again."""

    code = "company-erased"


class InvalidRequest(RunwayError):
    """A value that cannot be; the message names it and what is allowed."""

    code = "invalid-request"


class IdempotencyKeyReused(InvalidRequest):
    """The key names another call of the same caller: each call has a key of its own."""

    code = "idempotency-key-reused"


class CallRunning(RunwayError):
    """The same call, under the same key, is being answered: send it again a little later."""

    code = "call-running"


class CurrencyMismatch(InvalidRequest):
    """Two currencies were to be added or compared."""

    code = "currency-mismatch"


class PolicyBlocked(RunwayError):
    """A rule of the policy does not let a payment go; the message names each with what would free it."""

    code = "policy-blocked"


class ApprovalLapsed(RunwayError):
    """The bill, its vendor's payment details or the cash guard changed since the approval: decide again."""

    code = "approval-lapsed"


class NotSupported(RunwayError):
    """The rail states that it cannot do this."""

    code = "not-supported"
