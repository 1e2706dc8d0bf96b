"""Each refusal of Plaid is one of the error family, by its code first, its type second, its status last."""

import msgspec
import pytest
from runway_core.errors import RailAccessLost, RailError, RailMisconfigured, RailRefused, RailThrottled, RailUnavailable
from runway_rail_kit import Answer
from runway_rail_plaid.faults import read_fault, to_error


def refuse(kind: str, code: str, status: int = 400) -> RailError:
    body = msgspec.json.encode({"error_type": kind, "error_code": code, "error_message": "words", "request_id": "r1"})
    answer = Answer(status=status, headers={}, body=body)
    return to_error(answer, read_fault(answer), doing="/transactions/sync")


@pytest.mark.parametrize(
    ("kind", "code", "status", "error"),
    [
        ("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", 400, RailAccessLost),
        ("ITEM_ERROR", "A_CODE_OF_TOMORROW", 400, RailAccessLost),
        ("ITEM_ERROR", "PRODUCT_NOT_READY", 400, RailUnavailable),
        ("INVALID_INPUT", "INVALID_ACCESS_TOKEN", 400, RailAccessLost),
        ("INVALID_INPUT", "INVALID_API_KEYS", 400, RailMisconfigured),
        ("INVALID_INPUT", "INVALID_ACCOUNT_ID", 400, RailRefused),
        ("INVALID_REQUEST", "MISSING_FIELDS", 400, RailRefused),
        ("INSTITUTION_ERROR", "INSTITUTION_DOWN", 400, RailUnavailable),
        ("INSTITUTION_ERROR", "INSTITUTION_NO_LONGER_SUPPORTED", 400, RailAccessLost),
        ("API_ERROR", "PLANNED_MAINTENANCE", 503, RailUnavailable),
        ("OF_TOMORROW", "UNHEARD_OF", 502, RailUnavailable),
        ("RATE_LIMIT_EXCEEDED", "TRANSACTIONS_SYNC_LIMIT", 429, RailThrottled),
        ("RATE_LIMIT_EXCEEDED", "TRANSACTIONS_SYNC_LIMIT", 400, RailThrottled),
        ("OF_TOMORROW", "UNHEARD_OF", 429, RailThrottled),
    ],
)
def test_a_refusal_is_told_by_its_remedy(kind: str, code: str, status: int, error: type[RailError]) -> None:
    refused = refuse(kind, code, status)

    assert type(refused) is error
    assert (refused.provider_code, refused.request_id) == (code, "r1")


@pytest.mark.parametrize("body", [b"<html>down for maintenance</html>", b"", b'{"error_code": 7}'])
def test_an_answer_without_sense_is_unavailable(body: bytes) -> None:
    answer = Answer(status=500, headers={"retry-after": "9"}, body=body)
    refused = to_error(answer, read_fault(answer), doing="/item/get")

    assert type(refused) is RailUnavailable
    assert refused.retry_after_seconds == 9
