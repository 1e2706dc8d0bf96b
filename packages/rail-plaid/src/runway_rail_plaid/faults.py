"""Refusals → the error family. The code decides, then the type; the HTTP status says little (facts of section 6)."""

import msgspec
from runway_core.errors import RailAccessLost, RailError, RailMisconfigured, RailRefused, RailThrottled, RailUnavailable
from runway_rail_kit import UNREADABLE, Answer

from runway_rail_plaid import wire

RAIL = "plaid"
TITLE = "Plaid"
_decoder = msgspec.json.Decoder(wire.Fault)

SET_MOVED = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
_RECONNECT = frozenset(
    {
        "ITEM_LOGIN_REQUIRED",
        "ITEM_LOCKED",
        "ITEM_NOT_FOUND",
        "INVALID_CREDENTIALS",
        "INVALID_ACCESS_TOKEN",
        "ACCESS_NOT_GRANTED",
        "NO_ACCOUNTS",
        "USER_PERMISSION_REVOKED",
        "INSTITUTION_NO_LONGER_SUPPORTED",
        "UNAUTHORIZED_INSTITUTION",
    }
)
_MISCONFIGURED = frozenset({"INVALID_API_KEYS", "INVALID_PRODUCT", "UNAUTHORIZED_ENVIRONMENT"})
_WAIT = frozenset({"PRODUCT_NOT_READY"})


class PlaidFault(Exception):
    """A refusal that the reader itself deals with, by Plaid's code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_fault(answer: Answer) -> wire.Fault | None:
    """The fault in an answer, if it is one that can be read."""
    try:
        return _decoder.decode(answer.body)
    except UNREADABLE:
        return None


def to_error(answer: Answer, fault: wire.Fault | None, *, doing: str) -> RailError:
    """The error that an answer other than a success means."""
    if fault is None:
        return _unavailable(f"{TITLE} answered {answer.status} with no sense ({doing})", None, answer)
    return of_fault(fault, doing=doing, answer=answer)


def of_fault(fault: wire.Fault, *, doing: str, answer: Answer | None = None) -> RailError:
    """The error that a fault means, whether it was the answer or stands in an Item."""
    code, kind = fault.error_code, fault.error_type
    if code in _RECONNECT or (kind == "ITEM_ERROR" and code not in _WAIT):
        return RailAccessLost(
            f"{TITLE} cannot read the bank any more ({code}): the person must sign in again through Plaid Link,"
            f" in update mode, at {doing}",
            rail=RAIL,
            provider_code=code,
            request_id=fault.request_id,
        )
    if code in _MISCONFIGURED:
        return RailMisconfigured(
            f"{TITLE} refuses this app ({code}): correct client_id, secret and environment of the connection",
            rail=RAIL,
            provider_code=code,
            request_id=fault.request_id,
        )
    if kind == "RATE_LIMIT_EXCEEDED" or (answer is not None and answer.status == 429):
        return RailThrottled(
            f"{TITLE} takes no more calls for this bank for now ({code})",
            rail=RAIL,
            provider_code=code,
            request_id=fault.request_id,
            retry_after_seconds=None if answer is None else answer.retry_after_seconds,
        )
    if kind in {"API_ERROR", "INSTITUTION_ERROR"} or code in _WAIT or (answer is not None and answer.status >= 500):
        return _unavailable(f"{TITLE} or the bank gives no data now ({code}, {doing})", fault, answer)
    return RailRefused(
        f"{TITLE} refused ({code}, {doing}): {fault.error_message}",
        rail=RAIL,
        provider_code=code,
        request_id=fault.request_id,
    )


def _unavailable(message: str, fault: wire.Fault | None, answer: Answer | None) -> RailUnavailable:
    return RailUnavailable(
        f"{message}; try again later",
        rail=RAIL,
        provider_code=None if fault is None else fault.error_code,
        request_id=None if fault is None else fault.request_id,
        retry_after_seconds=None if answer is None else answer.retry_after_seconds,
    )
