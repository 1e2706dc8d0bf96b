"""What Ramp's refusals mean: by remedy, with the code and the trace to ask with, and never a deletion by themselves."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey, RecordKind
from runway_core.domain.submissions import BillSubmission, SubmittedLine
from runway_core.errors import (
    OutcomeUnknown,
    RailAccessLost,
    RailError,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
    RecordGone,
)
from runway_core.ports.ledger_rail import RailContext
from runway_rail_kit import Answer, Pauses
from runway_rail_ramp import RampRail, RampRailFactory
from runway_rail_ramp.faults import to_error
from runway_testkit.clock import FixedClock

from tests.rails.paper_qbo import no_sleep
from tests.rails.sandbox_desk import DictVault

SAMPLES = Path("/work/shared/samples/ramp")
BILL = RecordKey(RecordKind.RAIL_BILL, "b1")
SUBMISSION = BillSubmission(
    ledger_bill_id="145",
    ledger_vendor_id="9",
    number="INV-1",
    document_date=date(2026, 5, 1),
    due_date=date(2026, 5, 31),
    currency="USD",
    lines=[SubmittedLine(Decimal("12.50"))],
)
Handler = Callable[[httpx.Request], httpx.Response]


def fault(code: str, message: str = "No.", **more: Any) -> bytes:
    return msgspec.json.encode({"error_v2": {"error_code": code, "message": message, **more}, "error": {}})


def error_of(status: int, body: bytes, *, is_write: bool = False) -> RailError:
    answer = Answer(status, httpx.Headers({"x-trace-id": "trace-1"}), body)
    return to_error(answer, doing="bills", is_write=is_write)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, fault("DEVELOPER_7089"), RailRefused),
        (400, fault("DEVELOPER_7005"), RailRefused),
        (400, fault("DEVELOPER_7012"), RailMisconfigured),
        (401, fault("DEVELOPER_7028"), RailAccessLost),
        (403, fault("DEVELOPER_7100", "These scopes are missing: bills:write"), RailMisconfigured),
        (422, fault("DEVELOPER_7001"), RailRefused),
        (429, fault("DEVELOPER_7000"), RailThrottled),
        (429, b"", RailThrottled),
        (500, fault("DEVELOPER_7000"), RailUnavailable),
        (504, b"upstream request timeout", RailUnavailable),
        (200, b"<html>", RailUnavailable),
    ],
)
def test_each_refusal_is_told_by_what_helps(status: int, body: bytes, expected: type[RailError]) -> None:
    error = error_of(status, body)

    assert type(error) is expected
    assert error.rail == "ramp"
    assert error.request_id == "trace-1" or type(error) is RailAccessLost


@pytest.mark.parametrize(("status", "body"), [(500, fault("DEVELOPER_7000")), (504, b""), (200, b"<html>")])
def test_a_write_that_failed_on_the_way_may_have_been_done(status: int, body: bytes) -> None:
    assert type(error_of(status, body, is_write=True)) is OutcomeUnknown
    assert type(error_of(422, fault("DEVELOPER_7001"), is_write=True)) is RailRefused
    assert type(error_of(429, b"", is_write=True)) is RailThrottled


def test_what_is_wrong_with_each_member_is_passed_on() -> None:
    told = str(error_of(422, fault("DEVELOPER_7001", additional_info={"due_at": ["Not a valid date."]})))

    assert "due_at" in told
    assert "Not a valid date." in told


@pytest.mark.skipif(not SAMPLES.exists(), reason="the documented payloads are not on this machine")
def test_the_documented_refusal_is_understood() -> None:
    error = error_of(422, (SAMPLES / "error_422_page_size.json").read_bytes())

    assert type(error) is RailRefused
    assert error.provider_code == "DEVELOPER_7001"
    assert "page_size" in str(error)


class Vendor:
    """A made-up Ramp whose token address always gives a token, numbered."""

    def __init__(self, handler: Handler, *, token: httpx.Response | None = None) -> None:
        self._handler = handler
        self._token = token
        self.tokens = 0
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            self.tokens += 1
            if self._token is not None:
                return self._token
            return httpx.Response(200, json={"access_token": f"tok{self.tokens}", "expires_in": 864000})
        self.asked.append(request.url.path.partition("/developer/v1/")[2])
        return self._handler(request)

    def open(self) -> RampRail:
        factory = RampRailFactory(http_transport=httpx.MockTransport(self), pauses=Pauses(sleep=no_sleep))
        vault = DictVault({"client_id": SecretStr("id"), "client_secret": SecretStr("sec")})
        return factory.open(
            RailContext(
                company_id=CompanyId("acme"),
                connection_id=ConnectionId("acme-ramp"),
                home_currency="USD",
                settings={"base_url": "https://ramp.test"},
                vault=vault,
                clock=FixedClock(datetime(2026, 5, 5, tzinfo=UTC)),
            )
        )


def missing() -> httpx.Response:
    return httpx.Response(404, content=fault("DEVELOPER_7002"), headers={"content-type": "application/json"})


def business() -> httpx.Response:
    return httpx.Response(200, json={"id": "biz"})


async def test_a_404_is_a_missing_object_only_when_the_same_token_opens_the_business() -> None:
    vendor = Vendor(lambda request: business() if request.url.path.endswith("business") else missing())
    with pytest.raises(RecordGone):
        await vendor.open().read_record(BILL)

    assert vendor.asked == ["bills/b1", "business"]
    assert vendor.tokens == 1


@pytest.mark.parametrize("body", [{}, {"id": "b2"}, {"data": [], "page": {"next": None}}, {"id": None}])
async def test_an_answer_that_is_not_of_the_bill_asked_for_says_nothing_of_it(body: dict[str, Any]) -> None:
    """Taken for the bill, it would be put aside, and the bill would not be asked for again that day."""
    vendor = Vendor(lambda _: httpx.Response(200, json=body))
    with pytest.raises(RailUnavailable):
        await vendor.open().read_record(BILL)


async def test_a_404_of_a_dead_token_renews_it_and_asks_again() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer tok1":
            return missing()
        if request.url.path.endswith("business"):
            return business()
        return httpx.Response(
            200,
            json={
                "id": "b1",
                "status": "OPEN",
                "amount": {"amount": 100, "currency_code": "USD"},
                "issued_at": "2026-05-01",
            },
        )

    vendor = Vendor(answer)
    change = await vendor.open().read_record(BILL)

    assert change.key == BILL
    assert vendor.tokens == 2


async def test_a_404_to_every_token_is_access_that_was_lost() -> None:
    vendor = Vendor(lambda _request: missing())
    with pytest.raises(RailAccessLost):
        await vendor.open().read_record(BILL)

    assert vendor.tokens == 2


async def test_a_404_whose_proof_got_no_answer_proves_nothing() -> None:
    vendor = Vendor(lambda request: httpx.Response(504) if request.url.path.endswith("business") else missing())
    with pytest.raises(RailUnavailable):
        await vendor.open().read_record(BILL)


async def test_a_404_is_a_missing_object_for_a_token_that_may_not_see_the_business() -> None:
    refused = httpx.Response(403, content=fault("DEVELOPER_7100"), headers={"content-type": "application/json"})
    vendor = Vendor(lambda request: refused if request.url.path.endswith("business") else missing())
    with pytest.raises(RecordGone):
        await vendor.open().read_record(BILL)


async def test_a_token_follows_no_page_to_another_host() -> None:
    page = {"data": [], "page": {"next": "https://elsewhere.test/developer/v1/vendors?start=x"}}
    vendor = Vendor(lambda _request: httpx.Response(200, json=page))
    with pytest.raises(RailUnavailable, match="another host"):
        [page async for page in vendor.open().changes_since(None)]

    assert vendor.asked == ["vendors"]


async def test_a_filter_that_is_not_heard_makes_no_other_bill_the_submitted_one() -> None:
    """Names of filters that Ramp does not know bring everything."""
    others = [
        {"id": f"b{n}", "status": "OPEN", "amount": {"amount": 1, "currency_code": "USD"}, "remote_id": str(n)}
        for n in range(3)
    ]
    vendor = Vendor(lambda _request: httpx.Response(200, json={"data": others, "page": {"next": None}}))
    with pytest.raises(RailRefused, match="no vendor"):
        await vendor.open().submit_bill(SUBMISSION)

    assert vendor.asked == ["bills", "bills/drafts", "vendors"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401, content=fault("DEVELOPER_7002")), RailAccessLost),
        (httpx.Response(404, content=fault("DEVELOPER_7002")), RailAccessLost),
        (httpx.Response(400, json={"error": "invalid_scope"}), RailMisconfigured),
        (httpx.Response(400, content=fault("DEVELOPER_7012")), RailMisconfigured),
        (httpx.Response(422, content=fault("DEVELOPER_7001")), RailMisconfigured),
        (httpx.Response(401, json={"error": "invalid_client"}), RailMisconfigured),
        (httpx.Response(500, content=fault("DEVELOPER_7000")), RailUnavailable),
        (httpx.Response(429), RailUnavailable),
        (httpx.Response(504), RailUnavailable),
    ],
)
async def test_a_refused_sign_in_is_told_by_what_helps(answer: httpx.Response, expected: type[RailError]) -> None:
    vendor = Vendor(lambda _request: business(), token=answer)
    with pytest.raises(expected) as refused:
        await vendor.open().check_connection()

    assert type(refused.value) is expected
    assert vendor.asked == []
