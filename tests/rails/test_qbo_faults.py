"""Every refusal of QuickBooks, in every form it comes in, is an error that says what to do."""

import json
from typing import Any

import httpx
import pytest
from runway_core.domain.changes import ChangePage
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import (
    OutcomeUnknown,
    RailAccessLost,
    RailError,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
    RecordGone,
    StaleRevision,
)
from runway_core.ports.ledger_rail import RecordFix

from tests.rails.paper_qbo import DrawerVault, PaperQbo

BILL = RecordKey(RecordKind.BILL, "1")
XML_TYPE = {"content-type": "application/xml;charset=UTF-8", "intuit_tid": "tid-xml"}


def service(code: str, message: str = "Refused", detail: str = "No.") -> str:
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return json.dumps({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2026-05-05T03:15:13-07:00"})


def gateway(code: str, message: str = "message=Refused", detail: str | None = None) -> str:
    error = {"message": message, "detail": detail, "code": code, "element": None}
    return json.dumps({"warnings": None, "fault": {"error": [error], "type": "SERVICE"}, "time": 1730024394085})


def xml(code: str, message: str = "Refused") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<IntuitResponse time="2016-12-07T15:27:09.527-08:00" xmlns="http://schema.intuit.com/finance/v3">'
        f'<Fault type="SERVICE"><Error code="{code}"><Message>{message}</Message>'
        "<Detail>The request limit was reached.  Try again later</Detail></Error></Fault></IntuitResponse>"
    )


HTML = "<!DOCTYPE HTML><HTML><BODY><h2>Service Unavailable</h2></BODY></HTML>"
BACK_SOON = "<html><body>We'll be back soon</body></html>"

READS: list[tuple[int, str, type[RailError]]] = [
    (400, service("4000", "Error parsing query"), RailRefused),
    (400, service("4001", "Invalid query"), RailRefused),
    (400, service("2020", "Required param missing"), RailRefused),
    (400, service("610", "Object Not Found"), RecordGone),
    (400, service("5010", "Stale Object Error"), StaleRevision),
    (400, service("6240", "Duplicate Name", "Another one is already using this \nname."), RailRefused),
    (400, service("2500", "Invalid Reference Id"), RailRefused),
    (400, service("6000", "A business validation error"), RailRefused),
    (400, service("6190", "Subscription ended"), RailAccessLost),
    (200, service("6190", "Subscription ended"), RailAccessLost),
    (400, service("500", "Unsupported Operation"), RailRefused),
    (400, service("5020", "Permission denied"), RailRefused),
    (400, service("999999999", "Something new"), RailUnavailable),
    (400, service("2345", "Something new"), RailRefused),
    (400, service("333", "Something new"), RailAccessLost),
    (400, service("10100", "Result too big"), RailRefused),
    (400, service("10200", "Company was reset"), RailAccessLost),
    (401, service("120", "Authorization Failure"), RailAccessLost),
    (401, gateway("120", "Authorization Failure"), RailAccessLost),
    (
        403,
        gateway("3100", "message=NotAuthorized; errorCode=003100; statusCode=403"),
        RailMisconfigured,
    ),
    (500, gateway("3100", "message=NotAuthorized; errorCode=003100; statusCode=500"), RailUnavailable),
    (200, gateway("3100", "message=NotAuthorized; errorCode=003100; statusCode=500"), RailUnavailable),
    (403, gateway("003201", "message=AuthorizationFailure; errorCode=003201; statusCode=403"), RailAccessLost),
    (403, "", RailMisconfigured),
    (404, "", RailMisconfigured),
    (413, "", RailRefused),
    (400, "", RailRefused),
    (429, xml("3001"), RailThrottled),
    (403, xml("3001", "message=ThrottleExceeded; errorCode=003001; statusCode=403"), RailThrottled),
    (429, "", RailThrottled),
    (429, service("3001"), RailThrottled),
    (400, xml("6240"), RailRefused),
    (500, service("10000", "An application error"), RailUnavailable),
    (200, service("10000", "An application error"), RailUnavailable),
    (400, service("150", "Maintenance"), RailUnavailable),
    (500, "", RailUnavailable),
    (502, HTML, RailUnavailable),
    (503, HTML, RailUnavailable),
    (504, "", RailUnavailable),
    (302, "", RailUnavailable),
    (200, HTML, RailUnavailable),
    (200, BACK_SOON, RailUnavailable),
    (200, "", RailUnavailable),
    (200, '{"QueryResponse":{"Bill":[{"Id"', RailUnavailable),
    (200, '{"QueryResponse":{"Bill":7}}', RailUnavailable),
    (200, "[]", RailUnavailable),
    (200, "{}", RailUnavailable),
    (200, '{"Fault":{}}', RailUnavailable),
    (200, '"plain text"', RailUnavailable),
    (200, "\xff\xfe", RailUnavailable),
]


def answering(paper: PaperQbo, status: int, body: str, **headers: str) -> None:
    paper.interrupt = lambda request: (
        None
        if request.url.path.endswith("/token")
        else httpx.Response(status, content=body.encode("latin-1"), headers={"intuit_tid": "tid-1", **headers})
    )


def make_books() -> PaperQbo:
    paper = PaperQbo()
    paper.put_bill("1")
    return paper


@pytest.mark.parametrize(("status", "body", "expected"), READS)
async def test_a_refused_read_is_the_error_that_says_what_to_do(
    status: int, body: str, expected: type[RailError]
) -> None:
    paper = make_books()
    answering(paper, status, body)

    with pytest.raises(RailError) as caught:
        await paper.open().read_record(BILL)

    assert type(caught.value) is expected
    assert caught.value.rail == "qbo"
    assert caught.value.request_id in {"tid-1", None}
    assert "access-1" not in str(caught.value)


async def test_the_code_the_text_and_the_request_id_are_kept() -> None:
    paper = make_books()
    answering(paper, 400, service("6240", "Duplicate", "Another vendor is using this \nname."))

    with pytest.raises(RailRefused, match=r"Another vendor is using this name\.") as caught:
        await paper.open().read_record(BILL)

    assert caught.value.provider_code == "6240"
    assert caught.value.request_id == "tid-1"


async def test_a_throttled_call_says_when_to_come_again() -> None:
    paper = make_books()
    answering(paper, 429, xml("3001"), **XML_TYPE)
    with pytest.raises(RailThrottled) as without:
        await paper.open().read_record(BILL)
    answering(paper, 429, xml("3001"), **{"retry-after": "90"})
    with pytest.raises(RailThrottled) as stated:
        await paper.open().read_record(BILL)

    assert without.value.retry_after_seconds == 60
    assert stated.value.retry_after_seconds == 90
    assert len(paper.requests) == 2  # not hammered


async def test_a_short_retry_after_is_kept_within_the_call() -> None:
    paper = make_books()
    answers = iter([httpx.Response(429, headers={"retry-after": "2"}), None])
    paper.interrupt = lambda request: next(answers)

    change = await paper.open().read_record(BILL)

    assert change.record.external_id == "1"


@pytest.mark.parametrize("trouble", ["503", "reset", "timeout", "connect"])
async def test_a_read_is_repeated_when_nothing_comes(trouble: str) -> None:
    paper = make_books()
    left = [1, 2, 3]

    def fail_three_times(request: httpx.Request) -> httpx.Response | None:
        if not left:
            return None
        left.pop()
        if trouble == "503":
            return httpx.Response(503, text=HTML)
        raise {"reset": httpx.ReadError, "timeout": httpx.ReadTimeout, "connect": httpx.ConnectError}[trouble]("gone")

    paper.interrupt = fail_three_times
    rail = paper.open()

    assert (await rail.read_record(BILL)).record.external_id == "1"
    assert rail.calls == 4


async def test_a_read_gives_up_after_a_few_attempts() -> None:
    paper = make_books()
    answering(paper, 503, HTML)
    rail = paper.open()
    with pytest.raises(RailUnavailable, match="try again later"):
        await rail.read_record(BILL)

    assert rail.calls == 4


async def test_a_refusal_inside_a_success_is_asked_once_more() -> None:
    """It may be an outage's page: nobody is asked to reconnect for one of those."""
    paper = make_books()
    answers = iter([httpx.Response(200, text=service("6190", "Subscription ended")), None])
    paper.interrupt = lambda request: next(answers)

    assert (await paper.open().read_record(BILL)).record.external_id == "1"


async def test_a_refusal_is_not_repeated() -> None:
    paper = make_books()
    answering(paper, 400, service("4001"))
    rail = paper.open()
    with pytest.raises(RailRefused):
        await rail.read_record(BILL)

    assert rail.calls == 1


FIX = RecordFix(key=BILL, expected_revision="0", fields={"memo": "checked"})


def after_first_read(paper: PaperQbo, trouble: Any) -> None:
    def meddle(request: httpx.Request) -> httpx.Response | None:
        return trouble(request) if request.method == "POST" and "bill" in request.url.path else None

    paper.interrupt = meddle


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, service("5010", "Stale Object Error"), StaleRevision),
        (400, service("6210", "Account period closed"), RailRefused),
        (400, service("600", "Duplicate request id"), OutcomeUnknown),
        (429, xml("3001"), RailThrottled),
        (500, service("10000"), OutcomeUnknown),
        (502, HTML, OutcomeUnknown),
        (503, HTML, OutcomeUnknown),
        (200, BACK_SOON, OutcomeUnknown),
        (200, '{"Bill":{"Id":"1"', OutcomeUnknown),
        (200, '{"time":"2026-05-05T03:15:13-07:00"}', OutcomeUnknown),
        (401, service("120"), RailAccessLost),
    ],
)
async def test_a_refused_write_is_the_error_that_says_what_to_do(
    status: int, body: str, expected: type[RailError]
) -> None:
    paper = make_books()
    after_first_read(paper, lambda request: httpx.Response(status, text=body))

    with pytest.raises(RailError) as caught:
        await paper.open().apply_fix(FIX, idempotency_key="k")

    assert type(caught.value) is expected
    assert sum(request.method == "POST" for request in paper.requests) == 1  # never repeated blindly


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ReadTimeout("late"), OutcomeUnknown),
        (httpx.RemoteProtocolError("cut"), OutcomeUnknown),
        (httpx.WriteError("cut"), OutcomeUnknown),
        (httpx.ConnectError("refused"), RailUnavailable),
        (httpx.ConnectTimeout("late"), RailUnavailable),
    ],
)
async def test_a_write_without_an_answer_is_of_unknown_outcome_unless_it_never_left(
    error: httpx.HTTPError, expected: type[RailError]
) -> None:
    def fail(request: httpx.Request) -> None:
        raise error

    paper = make_books()
    after_first_read(paper, fail)

    with pytest.raises(RailError) as caught:
        await paper.open().apply_fix(FIX, idempotency_key="k")

    assert type(caught.value) is expected


async def test_an_unknown_outcome_is_settled_by_repeating_with_the_same_key() -> None:
    """The write was done and its answer lost; the vendor knows the request id and answers as the first time."""
    paper = make_books()
    lost: list[bool] = []

    def lose_the_answer(request: httpx.Request) -> None:
        if not lost:
            lost.append(True)
            paper._answer_write("Bill", request)
            raise httpx.ReadTimeout("late")

    after_first_read(paper, lose_the_answer)
    rail = paper.open()
    with pytest.raises(OutcomeUnknown):
        await rail.apply_fix(FIX, idempotency_key="k")
    change = await rail.apply_fix(FIX, idempotency_key="k")

    assert change.record.revision == "1"
    assert paper.shelves["Bill"]["1"]["SyncToken"] == "1"


async def test_an_answer_that_is_too_large_is_not_taken() -> None:
    paper = make_books()
    paper.put_bill("1", PrivateNote="x" * 70_000_000)

    with pytest.raises(RailUnavailable, match="more than"):
        await paper.open().read_record(BILL)


async def test_a_cdc_answer_of_another_shape_is_unavailable() -> None:
    paper = make_books()
    pages: list[ChangePage] = [page async for page in paper.open().changes_since(None)]
    answering(paper, 200, '{"time":"2026-05-05T03:15:13-07:00"}')

    with pytest.raises(RailUnavailable, match="CDCResponse"):
        [page async for page in paper.open().changes_since(pages[-1].next_cursor)]


# --- sign-in ---


async def test_an_access_token_that_ended_is_refreshed_once_and_the_call_repeated() -> None:
    paper = make_books()
    vault = DrawerVault(
        {"client_id": "app", "client_secret": "hush", "access_token": "access-0", "refresh_token": "refresh-1"}
    )
    rail = paper.open(vault=vault)

    await rail.read_record(BILL)

    assert vault.saves[0]["access_token"] == "access-2"
    assert vault.saves[0]["previous_refresh_token"] == "refresh-1"
    assert "previous_refresh_token" not in vault.saves[-1]
    assert rail.calls == 2


async def test_a_second_refusal_means_that_access_is_lost() -> None:
    paper = make_books()
    paper.interrupt = lambda request: None if "token" in request.url.path else paper.refuse_token()
    rail = paper.open()
    with pytest.raises(RailAccessLost, match="connect the company again"):
        await rail.read_record(BILL)

    assert rail.calls == 2


async def test_a_write_that_was_refused_for_its_token_is_repeated() -> None:
    """The gateway decides before anything is worked on, so this is safe."""
    paper = make_books()
    left = [True]

    def refuse_once(request: httpx.Request) -> httpx.Response | None:
        return paper.refuse_token() if left and left.pop() else None

    after_first_read(paper, refuse_once)

    assert (await paper.open().apply_fix(FIX, idempotency_key="k")).record.revision == "1"


async def test_a_token_with_signs_that_cannot_be_sent_is_told() -> None:
    paper = make_books()
    vault = DrawerVault(
        {"client_id": "app", "client_secret": "hush", "access_token": "töken\n", "refresh_token": "refresh-1"}
    )

    with pytest.raises(RailMisconfigured, match="copy it again"):
        await paper.open(vault=vault).read_record(BILL)
