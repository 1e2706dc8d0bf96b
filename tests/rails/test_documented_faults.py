"""Each fault that the facts of a vendor name is one of the error family, by what helps."""

import re
from pathlib import Path

import httpx
import msgspec
import pytest
from runway_core.errors import (
    RailAccessLost,
    RailError,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
)
from runway_rail_kit import Answer
from runway_rail_plaid import faults as plaid
from runway_rail_ramp import faults as ramp
from runway_rail_stripe import faults as stripe

SAMPLES = Path("/work/shared/samples")
FACTS = SAMPLES.with_name("facts")
Remedy = type[Exception]

PLAID: dict[str, tuple[str, int, Remedy]] = {
    **dict.fromkeys(
        (
            "ITEM_LOGIN_REQUIRED",
            "ITEM_LOCKED",
            "INVALID_CREDENTIALS",
            "ITEM_NOT_FOUND",
            "ACCESS_NOT_GRANTED",
            "NO_ACCOUNTS",
            "USER_PERMISSION_REVOKED",
        ),
        ("ITEM_ERROR", 400, RailAccessLost),
    ),
    "PRODUCT_NOT_READY": ("ITEM_ERROR", 400, RailUnavailable),
    "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION": ("TRANSACTIONS_ERROR", 400, plaid.PlaidFault),
    **dict.fromkeys(
        ("MISSING_FIELDS", "UNKNOWN_FIELDS", "INVALID_FIELD", "INVALID_BODY"), ("INVALID_REQUEST", 400, RailRefused)
    ),
    "NOT_FOUND": ("INVALID_REQUEST", 404, RailRefused),
    "INVALID_ACCESS_TOKEN": ("INVALID_INPUT", 400, RailAccessLost),
    **dict.fromkeys(("INVALID_API_KEYS", "INVALID_PRODUCT"), ("INVALID_INPUT", 400, RailMisconfigured)),
    **dict.fromkeys(("INVALID_ACCOUNT_ID", "INVALID_PUBLIC_TOKEN"), ("INVALID_INPUT", 400, RailRefused)),
    **dict.fromkeys(("INSTITUTION_DOWN", "INSTITUTION_NOT_RESPONDING"), ("INSTITUTION_ERROR", 400, RailUnavailable)),
    **dict.fromkeys(
        ("INSTITUTION_NO_LONGER_SUPPORTED", "UNAUTHORIZED_INSTITUTION"), ("INSTITUTION_ERROR", 400, RailAccessLost)
    ),
    "INTERNAL_SERVER_ERROR": ("API_ERROR", 500, RailUnavailable),
    "PLANNED_MAINTENANCE": ("API_ERROR", 503, RailUnavailable),
    **dict.fromkeys(
        (
            "ACCOUNTS_LIMIT",
            "ACCOUNTS_BALANCE_GET_LIMIT",
            "BALANCE_LIMIT",
            "TRANSACTIONS_LIMIT",
            "TRANSACTIONS_SYNC_LIMIT",
            "ITEM_GET_LIMIT",
            "AUTH_LIMIT",
            "RATE_LIMIT",
        ),
        ("RATE_LIMIT_EXCEEDED", 429, RailThrottled),
    ),
}
RAMP: dict[str, tuple[int, Remedy]] = {
    "DEVELOPER_7001": (422, RailRefused),
    "DEVELOPER_7002": (404, RailRefused),  # once the token has opened the business: tests/rails/test_ramp_faults.py
    "DEVELOPER_7005": (400, RailRefused),
    "DEVELOPER_7012": (400, RailMisconfigured),
    "DEVELOPER_7028": (401, RailAccessLost),
    **dict.fromkeys(
        ("DEVELOPER_7063", "DEVELOPER_7076", "DEVELOPER_7078", "DEVELOPER_7089", "DEVELOPER_7127"), (400, RailRefused)
    ),
    "DEVELOPER_7100": (403, RailMisconfigured),
}
STRIPE: dict[int, tuple[str, str, Remedy]] = {
    400: ("invalid_request_error", "parameter_unknown", RailRefused),
    401: ("invalid_request_error", "", RailAccessLost),
    402: ("card_error", "card_declined", RailRefused),
    403: ("invalid_request_error", "", RailMisconfigured),
    404: ("invalid_request_error", "resource_missing", stripe.StripeFault),
    409: ("idempotency_error", "idempotency_key_in_use", RailUnavailable),
    424: ("api_error", "", RailUnavailable),
    429: ("invalid_request_error", "rate_limit", RailThrottled),
    500: ("api_error", "", RailUnavailable),
    502: ("api_error", "", RailUnavailable),
    503: ("api_error", "", RailUnavailable),
    504: ("api_error", "", RailUnavailable),
}


def answer(status: int, body: object) -> Answer:
    return Answer(status, httpx.Headers(), msgspec.json.encode(body))


@pytest.mark.parametrize("code", PLAID)
def test_each_code_of_the_bank_reader_is_told_by_what_helps(code: str) -> None:
    kind, status, remedy = PLAID[code]
    given = answer(status, {"error_type": kind, "error_code": code, "error_message": "words"})
    found = plaid.to_error(given, plaid.read_fault(given), doing="/transactions/sync")
    is_readers_own = code == plaid.SET_MOVED

    assert is_readers_own == (remedy is plaid.PlaidFault)  # the loop begins anew: tests/rails/test_plaid_on_sandbox.py
    assert is_readers_own or type(found) is remedy


@pytest.mark.parametrize("code", RAMP)
def test_each_code_of_the_payer_is_told_by_what_helps(code: str) -> None:
    status, remedy = RAMP[code]
    given = answer(status, {"error_v2": {"error_code": code, "message": "No."}, "error": "No."})

    assert type(ramp.to_error(given, doing="bills", is_write=False)) is remedy


@pytest.mark.parametrize("status", STRIPE)
def test_each_status_of_the_card_processor_is_told_by_what_helps(status: int) -> None:
    kind, code, remedy = STRIPE[status]
    given = answer(status, {"error": {"type": kind} | ({"code": code} if code else {})})

    assert type(stripe.to_error(given, doing="charges", through_platform=False)) is remedy


def test_remedies_are_of_the_error_family_or_the_readers_own() -> None:
    remedies = {one[-1] for table in (PLAID, RAMP, STRIPE) for one in table.values()}

    assert all(issubclass(one, RailError) for one in remedies - {plaid.PlaidFault, stripe.StripeFault})


@pytest.mark.skipif(not SAMPLES.exists(), reason="what is known of the vendors is not on this machine")
def test_no_fault_of_the_facts_is_left_out() -> None:
    _, bank = (FACTS / "plaid.md").read_text().split("## 6 Errors")
    table = bank.partition("\nRead in sources")[0]
    told = {word for row in table.splitlines()[2:] for word in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", row)}
    payer = set(re.findall(r"\bDEVELOPER_\d+\b", (FACTS / "ramp.md").read_text()))
    _, cards = (FACTS / "stripe.md").read_text().split("## 7 Errors")
    statuses = {int(one) for one in re.findall(r"\b[45]\d\d\b", cards.partition("SDK mapping")[0])}

    kinds = {kind for kind, _, _ in PLAID.values()}
    assert told - kinds - {"LOGIN_REPAIRED"} == PLAID.keys()
    assert payer == RAMP.keys()
    assert statuses == STRIPE.keys()
