"""Refusals → the error family. A 404 may mean a bad token, so nothing here is ever a deletion by itself."""

import msgspec
from runway_core.errors import (
    OutcomeUnknown,
    RailAccessLost,
    RailError,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
)
from runway_rail_kit import UNREADABLE, Answer

from runway_rail_ramp import wire

RAIL = "ramp"
TITLE = "Ramp"
NOT_FOUND = "DEVELOPER_7002"
_SCOPE_MISSING = "DEVELOPER_7100"
_TOKEN_EXPIRED = "DEVELOPER_7028"  # noqa: S105 - a code
_GRANT_DISABLED = "DEVELOPER_7012"
_decoder = msgspec.json.Decoder(wire.Fault)


class MissingOrNoAccess(Exception):
    """A 404: there is no such object, or the token opens nothing. Only another call can tell which."""


def read_fault(answer: Answer) -> wire.ErrorBody | None:
    """What a refusal says, if it can be read."""
    try:
        return _decoder.decode(answer.body).error_v2
    except UNREADABLE:
        return None


def is_sign_in_refused(answer: Answer) -> bool:
    """Whether an answer says for certain that the token is no good."""
    fault = read_fault(answer)
    return answer.status == 401 or (fault is not None and fault.error_code == _TOKEN_EXPIRED)


def is_missing(answer: Answer) -> bool:
    """Whether an answer says that something is not there, which may be the token."""
    return answer.status == 404


def is_dead_grant(answer: Answer) -> bool:
    """Whether the token address says that a code, a refresh token or the app is no more."""
    fault = read_fault(answer)
    return fault is not None and answer.status in {401, 404} and fault.error_code == NOT_FOUND


def is_wrong_grant(answer: Answer) -> bool:
    """Whether the token address says that the app may not sign in this way, or not with these scopes."""
    fault = read_fault(answer)
    return fault is not None and (fault.error_code == _GRANT_DISABLED or answer.status in {400, 403, 422})


def access_lost(doing: str, *, code: str | None = None) -> RailAccessLost:
    """The error when no token opens the business any more."""
    return RailAccessLost(
        f"{TITLE} no longer lets this app in ({doing}): an admin of the company must connect it again",
        rail=RAIL,
        provider_code=code,
    )


def to_error(answer: Answer, *, doing: str, is_write: bool) -> RailError:
    """The error that an answer other than a success means."""
    fault = read_fault(answer)
    code = None if fault is None else fault.error_code
    trace = answer.headers.get("x-trace-id")
    if answer.status == 429:
        return RailThrottled(
            f"{TITLE} takes no more calls from this address for now ({doing})",
            rail=RAIL,
            provider_code=code,
            request_id=trace,
            retry_after_seconds=answer.retry_after_seconds,
        )
    if answer.status >= 500 or fault is None:
        if is_write and answer.status not in {400, 403, 404, 422}:
            return OutcomeUnknown(
                f"{TITLE} answered {answer.status} to a write ({doing}): read back what became of it",
                rail=RAIL,
                provider_code=code,
                request_id=trace,
            )
        return RailUnavailable(
            f"{TITLE} answered {answer.status} with no sense ({doing}); try again later",
            rail=RAIL,
            provider_code=code,
            request_id=trace,
            retry_after_seconds=answer.retry_after_seconds,
        )
    if code in {_SCOPE_MISSING, _GRANT_DISABLED} or answer.status == 403:
        return RailMisconfigured(
            f"{TITLE} lets this app do less than it needs ({fault.message}): grant the scopes, then connect again",
            rail=RAIL,
            provider_code=code,
            request_id=trace,
        )
    if is_sign_in_refused(answer):
        return access_lost(doing, code=code)
    details = ", ".join(f"{name}: {texts}" for name, texts in (fault.additional_info or {}).items())
    return RailRefused(
        f"{TITLE} refused ({doing}, {code}): {fault.message}{f' ({details})' if details else ''}",
        rail=RAIL,
        provider_code=code,
        request_id=trace,
    )
