"""Every refusal that Stripe is known to give means one thing to do; settings and keys are checked before."""

from typing import Any

import httpx
import msgspec
import pytest
from pydantic import ValidationError
from runway_core.domain.changes import Cursor
from runway_core.errors import RailAccessLost, RailMisconfigured, RailRefused, RailThrottled, RailUnavailable
from runway_rail_kit import Answer
from runway_rail_stripe.cursor import Place, read_place, write_place
from runway_rail_stripe.faults import StripeFault, to_error
from runway_rail_stripe.settings import StripeSecrets, StripeSettings


def answer(status: int, error: Any = None, **headers: str) -> Answer:
    body = b"<html>" if error is None else msgspec.json.encode({"error": error})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=httpx.Headers({"request-id": "req_1", **named}), body=body)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (answer(400, {"type": "invalid_request_error", "code": "parameter_unknown"}), RailRefused, "parameter_unknown"),
        (answer(400, {"type": "invalid_request_error", "code": "rate_limit"}), RailThrottled, "charges"),
        (answer(400, {"type": "idempotency_error", "message": "Keys"}), RailRefused, "Keys"),
        (answer(402, {"type": "card_error", "code": "card_declined"}), RailRefused, "card_declined"),
        (answer(403, {"type": "invalid_request_error"}), RailMisconfigured, "charges"),
        (answer(403, {"code": "account_invalid"}), RailAccessLost, "connect"),
        (answer(409, {"type": "idempotency_error"}), RailUnavailable, "409"),
        (answer(424, {"type": "api_error"}), RailUnavailable, "424"),
        (answer(429, {"code": "rate_limit"}, stripe_rate_limited_reason="global-rate"), RailThrottled, "global-rate"),
        (answer(429, {"code": "lock_timeout"}), RailUnavailable, "429"),
        (answer(429), RailThrottled, "too many"),
        (answer(500, {"type": "api_error"}), RailUnavailable, "500"),
        (answer(503), RailUnavailable, "503"),
        (answer(302), RailUnavailable, "302"),
        (answer(400, {"type": "api_error"}, stripe_should_retry="true"), RailUnavailable, "400"),
        (answer(400, "invalid_grant"), RailRefused, "400"),  # flat, as OAuth addresses answer
    ],
)
def test_a_refusal_is_told_by_status_and_code(given: Answer, error: type[Exception], says: str) -> None:
    found = to_error(given, doing="charges", through_platform=True)

    assert type(found) is error
    assert says in str(found)
    assert getattr(found, "request_id") == "req_1"  # noqa: B009 - of several classes


@pytest.mark.parametrize(("through_platform", "error"), [(True, RailMisconfigured), (False, RailAccessLost)])
def test_a_refused_key_is_ours_or_the_companys(through_platform: bool, error: type[Exception]) -> None:
    wrong = to_error(answer(401, {"type": "invalid_request_error"}), doing="x", through_platform=through_platform)
    rolled = to_error(answer(401, {"code": "api_key_expired"}), doing="x", through_platform=through_platform)

    assert (type(wrong), type(rolled)) == (error, error)
    assert "rolled" in str(rolled)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(404, {"code": "resource_missing", "param": "id"}), "resource_missing"),
        (answer(404), "resource_missing"),
        (answer(400, {"code": "resource_missing", "param": "starting_after"}), "resource_missing"),
        (answer(400, {"code": "payout_reconciliation_not_ready"}), "payout_reconciliation_not_ready"),
    ],
)
def test_what_is_not_there_is_the_readers_to_deal_with(given: Answer, code: str) -> None:
    found = to_error(given, doing="x", through_platform=True)

    assert isinstance(found, StripeFault)
    assert found.code == code


def test_a_wait_that_is_named_is_kept_and_else_a_second_is_taken() -> None:
    named = to_error(answer(429, {}, retry_after="7"), doing="x", through_platform=True)
    unnamed = to_error(answer(429, {}), doing="x", through_platform=True)

    assert isinstance(named, RailThrottled)
    assert isinstance(unnamed, RailThrottled)
    assert (named.retry_after_seconds, unnamed.retry_after_seconds) == (7, 1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "account_id"),
        ({"account_id": "1234"}, "account_id"),
        ({"account_id": "acct_1", "base_url": "http://example.com"}, "in the clear"),
        ({"account_id": "acct_1", "base_url": "ftp://x"}, "not a web address"),
        ({"account_id": "acct_1", "environment": "stripe", "base_url": "https://example.com"}, "custom"),
        ({"account_id": "acct_1", "page_size": 101}, "page_size"),
        ({"account_id": "acct_1", "colour": "red"}, "colour"),
    ],
)
def test_wrong_settings_are_named(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        StripeSettings.model_validate(given)


def test_a_publishable_key_is_no_key_to_read_with() -> None:
    with pytest.raises(ValidationError, match="secret or a restricted key"):
        StripeSecrets.model_validate({"secret_key": "pk_live_1"})

    assert StripeSettings(account_id="acct_1").base_url == "https://api.stripe.com"


def test_a_cursor_remembers_what_shares_a_second_and_one_that_is_unreadable_counts_as_none() -> None:
    place = Place(event_at=1_000).see_events({"evt_a": 1_000, "evt_b": 1_000, "evt_old": 800})
    place = place.see_entries({"txn_a": 50, "txn_b": 60, "txn_c": 60})
    again = read_place(write_place(place))

    assert again == place
    assert (again.knows_event("evt_a"), again.knows_event("evt_old")) == (True, False)
    assert (again.entry_at, again.entries) == (60, ["txn_b", "txn_c"])
    assert again.see_entries({"txn_d": 60}).entries == ["txn_b", "txn_c", "txn_d"]
    assert again.see_entries({"txn_e": 59}) == again
    assert read_place(Cursor("{")).is_new
    assert read_place(None).is_new
