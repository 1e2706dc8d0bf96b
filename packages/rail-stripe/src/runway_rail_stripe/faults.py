"""Refusals → the error family, by status and code (facts of sections 7 and 8)."""

from typing import Any

import msgspec
from runway_core.errors import RailAccessLost, RailError, RailMisconfigured, RailRefused, RailThrottled, RailUnavailable
from runway_rail_kit import UNREADABLE, Answer

from runway_rail_stripe import wire

RAIL = "stripe"
TITLE = "Stripe"
_decoder = msgspec.json.Decoder(wire.FaultAnswer)

BUSY = "lock_timeout"
NOT_LISTED = "payout_reconciliation_not_ready"
MISSING = "resource_missing"
RETRY_AFTER_SECONDS = 1
"""Stripe counts by the second and names no time to come back."""


class StripeFault(Exception):
    """A refusal that the reader itself deals with: something is not there, or not yet."""

    def __init__(self, code: str, param: str) -> None:
        super().__init__(f"{code} {param}".strip())
        self.code = code
        self.param = param


def read_fault(answer: Answer) -> wire.Fault | None:
    """The fault in an answer, if it is one that can be read."""
    try:
        return _decoder.decode(answer.body).error
    except UNREADABLE:
        return None


def to_error(answer: Answer, *, doing: str, through_platform: bool) -> RailError | StripeFault:
    """What an answer other than a success means."""
    fault = read_fault(answer) or wire.Fault()
    if answer.status == 404 or fault.code in {MISSING, NOT_LISTED}:
        return StripeFault(fault.code or MISSING, fault.param)
    about: dict[str, Any] = {
        "rail": RAIL,
        "provider_code": fault.code or None,
        "request_id": answer.headers.get("request-id"),
    }
    if answer.status == 401:
        return _key_refused(fault, about, through_platform=through_platform)
    if answer.status == 403:
        return _access_refused(fault, about, doing=doing)
    is_busy = fault.code == BUSY or answer.headers.get("stripe-should-retry") == "true"
    if (answer.status == 429 or fault.code == "rate_limit") and not is_busy:
        reason = answer.headers.get("stripe-rate-limited-reason", "too many calls")
        return RailThrottled(
            f"{TITLE} takes no more calls for now ({reason}, {doing})",
            retry_after_seconds=answer.retry_after_seconds or RETRY_AFTER_SECONDS,
            **about,
        )
    if is_busy or answer.status in {409, 424} or not 400 <= answer.status < 500:
        return RailUnavailable(
            f"{TITLE} answered {answer.status} ({doing}); try again later",
            retry_after_seconds=answer.retry_after_seconds,
            **about,
        )
    return RailRefused(f"{TITLE} refused ({fault.code or answer.status}, {doing}): {fault.message}", **about)


def _key_refused(fault: wire.Fault, about: dict[str, Any], *, through_platform: bool) -> RailError:
    what = "was rolled" if fault.code == "api_key_expired" else "is none"
    if through_platform:
        return RailMisconfigured(f"the platform's {TITLE} key {what}: enter the one that is in use", **about)
    return RailAccessLost(f"the company's {TITLE} key {what}: enter a new restricted key for the connection", **about)


def _access_refused(fault: wire.Fault, about: dict[str, Any], *, doing: str) -> RailError:
    if fault.code == "account_invalid":
        return RailAccessLost(
            f"{TITLE} does not let this key read the account any more: its owner must connect it again, or the account"
            " id is wrong",
            **about,
        )
    return RailMisconfigured(
        f"the {TITLE} key lacks a permission ({doing}): give the restricted key read permission for it", **about
    )
