"""The one table from error code to HTTP answer, as problem details (RFC 9457)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from runway_core.errors import CallRunning, RailUnavailable, RunwayError, TooManyRequests, WebhookRefused
from starlette.exceptions import HTTPException
from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 30
"""What 429 and 503 say when the error itself names no time."""

SOON_SECONDS = 5
"""When to ask again for what is being answered."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of failure: its HTTP status, its title, and what the reader does next."""

    status: int
    title: str
    remedy: str


PROBLEMS: dict[str, ProblemKind] = {
    "runway-error": ProblemKind(500, "Runway failed", "Report it with the Request-Id of the answer."),
    "rail-error": ProblemKind(502, "The outside system failed", "Try again; if it lasts, look at the health page."),
    "rail-unavailable": ProblemKind(
        503, "The outside system does not answer", "Nothing was written: wait, then ask again."
    ),
    "rail-throttled": ProblemKind(
        429, "The outside system's call budget is used up", "Wait the time in Retry-After, then ask again."
    ),
    "rail-access-lost": ProblemKind(409, "The company must be connected again", "A person authorises the connection."),
    "rail-misconfigured": ProblemKind(
        500, "Our settings for the outside system are wrong", "Mend the keys or settings of the rail: `runway doctor`."
    ),
    "rail-refused": ProblemKind(422, "The outside system refused", "Change the request as the detail says."),
    "record-gone": ProblemKind(410, "The record is gone", "Read the company again: the record is not in the ledger."),
    "stale-revision": ProblemKind(412, "Someone changed the record", "Read it again, then repeat the change."),
    "outcome-unknown": ProblemKind(
        502, "It may have been written", "Read the record back before repeating: it may have been done."
    ),
    "suspicious-absence": ProblemKind(
        409, "Far fewer records than before", "Look in the ledger; if that is right, read in full and accept it."
    ),
    "record-rejected": ProblemKind(422, "A record could not be understood", "See the company's quarantine."),
    "store-error": ProblemKind(500, "The database failed", "Check the database: `runway db check`."),
    "store-unavailable": ProblemKind(503, "The database does not answer", "Wait, then ask again: `runway db check`."),
    "schema-mismatch": ProblemKind(
        503, "The database is of another version", "Migrate it with `runway db upgrade`, or run the newer program."
    ),
    "lease-held": ProblemKind(409, "The company is being read already", "Its news is on the way: look again shortly."),
    "lease-lost": ProblemKind(409, "Another worker took over", "Nothing was lost: look again shortly."),
    "log-broken": ProblemKind(500, "The transaction log does not verify", "Run `runway log verify` and keep a copy."),
    "webhook-refused": ProblemKind(401, "Not accepted", "The vendor's signature is wanted."),
    "sign-in-needed": ProblemKind(401, "Sign in first", "Sign in, or send a key as `Authorization: Bearer rw_…`."),
    "sign-in-refused": ProblemKind(401, "That is not right", "Check what you typed and try again."),
    "proof-needed": ProblemKind(401, "Prove that it is you", "Give your password once more, then repeat the act."),
    "not-allowed": ProblemKind(403, "Your role does not go so far", "Ask an owner of the firm."),
    "too-many-requests": ProblemKind(429, "Too many requests", "Wait the time in Retry-After, then try again."),
    "not-found": ProblemKind(404, "Not found", "Check the address and the ids in it."),
    "company-erased": ProblemKind(410, "The company was erased", "Its log's chain is all that is left of it."),
    "invalid-request": ProblemKind(422, "The request cannot be", "Mend the values that `errors` or the detail names."),
    "currency-mismatch": ProblemKind(422, "Two currencies were mixed", "Set an exchange rate for the company."),
    "policy-blocked": ProblemKind(409, "A rule of the policy blocks it", "Do what the detail says would free it."),
    "approval-lapsed": ProblemKind(409, "Approved on other facts", "Look at the bill again, then decide anew."),
    "not-supported": ProblemKind(501, "The outside system cannot do this", "Do it by hand in that system."),
    "idempotency-key-reused": ProblemKind(
        422,
        "The key names another call",
        "Send each call under a key of its own, and only the same call again under it.",
    ),
    "call-running": ProblemKind(
        409, "The same call is being answered", "Wait the time in Retry-After, then send it again under the same key."
    ),
    # The codes below are the app's own: no error of the core carries them.
    "method-not-allowed": ProblemKind(405, "Method not allowed", "Use a method that the Allow header names."),
    "cross-site-request": ProblemKind(403, "Refused: sent from another site", "Send it from Runway's own pages."),
    "form-expired": ProblemKind(403, "The form is too old", "Open the page again and repeat what you did."),
    "unknown-host": ProblemKind(421, "Not a host of this server", "Use an address that the settings allow."),
    "request-too-large": ProblemKind(
        413, "The request is too large", "Send less: 64 KiB is the most, 1 MiB for webhooks."
    ),
    "bad-request": ProblemKind(400, "The request cannot be read", "Mend the request."),
    "internal-error": ProblemKind(500, "Something failed here", "Try again; if it lasts, report the Request-Id."),
}
"""Every code that an answer may carry. Codes are stable; titles are for people."""

_BY_STATUS = {403: "cross-site-request", 404: "not-found", 405: "method-not-allowed", 413: "request-too-large"}


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    model_config = ConfigDict(frozen=True)

    field: str  # "query.limit", "body.until"
    detail: str


class Problem(BaseModel):
    """A failure as RFC 9457 has it, with Runway's stable `code`."""

    model_config = ConfigDict(frozen=True)

    type: str  # the page that says what to do
    title: str
    status: int
    detail: str
    instance: str  # the path that was asked
    code: str
    errors: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way to the reader, before it is laid out as a problem or as a page."""

    code: str
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> ProblemKind:
        """Status, title and remedy."""
        return PROBLEMS[self.code]


def explain(error: BaseException) -> Failure:
    """Say what any error means to whoever asked. What nobody foresaw is told without its inside."""
    if isinstance(error, RunwayError):
        return _explain_runway_error(error)
    if isinstance(error, RequestValidationError):
        problems = tuple(_field_problems(error))
        detail = "; ".join(f"{problem.field}: {problem.detail}" for problem in problems[:3])
        return Failure("invalid-request", detail, errors=problems)
    if isinstance(error, HTTPException):
        code = error.detail if error.detail in PROBLEMS else _BY_STATUS.get(error.status_code, "")
        code = code or ("bad-request" if error.status_code < 500 else "internal-error")
        kind = PROBLEMS[code]
        return Failure(code, kind.remedy, headers=dict(error.headers or {}))
    return Failure("internal-error", PROBLEMS["internal-error"].remedy)


def _explain_runway_error(error: RunwayError) -> Failure:
    code = error.code if error.code in PROBLEMS else RunwayError.code
    headers = {}
    if isinstance(error, WebhookRefused):
        return Failure(code, PROBLEMS[code].remedy)  # whoever forges learns nothing of what was wrong
    if isinstance(error, CallRunning):
        headers["Retry-After"] = str(SOON_SECONDS)
    if PROBLEMS[code].status in (429, 503):
        wanted = error.retry_after_seconds if isinstance(error, RailUnavailable | TooManyRequests) else None
        headers["Retry-After"] = str(max(wanted or RETRY_AFTER_SECONDS, 1))
    return Failure(code, str(error) or PROBLEMS[code].title, headers=headers)


def _field_problems(error: RequestValidationError) -> Iterator[FieldProblem]:
    for item in error.errors():
        where: Any = item.get("loc", ())
        yield FieldProblem(field=".".join(str(part) for part in where) or "request", detail=str(item.get("msg", "")))


def problem_of(failure: Failure, instance: str) -> Problem:
    """Lay a failure out as problem details."""
    return Problem(
        type=f"/errors/{failure.code}",
        title=failure.kind.title,
        status=failure.kind.status,
        detail=failure.detail,
        instance=instance,
        code=failure.code,
        errors=failure.errors,
    )


def problem_answer(failure: Failure, instance: str) -> Response:
    """The answer to an API call that failed."""
    problem = problem_of(failure, instance).model_dump(mode="json")
    if not failure.errors:
        del problem["errors"]
    return Response(
        json.dumps(problem, ensure_ascii=False),
        status_code=failure.kind.status,
        media_type=PROBLEM_TYPE,
        headers=dict(failure.headers),
    )
