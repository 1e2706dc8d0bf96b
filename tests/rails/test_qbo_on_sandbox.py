"""The rail against the sandbox, over loopback HTTP: what only a whole vendor can show."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from runway_core.domain.changes import ChangePage
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account
from runway_core.errors import (
    OutcomeUnknown,
    RailAccessLost,
    RailMisconfigured,
    RailThrottled,
    RailUnavailable,
)
from runway_core.ports.ledger_rail import RecordFix
from runway_rail_kit import Pauses
from runway_rail_qbo import QboRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox

from tests.rails.paper_qbo import no_sleep
from tests.rails.sandbox_desk import SandboxDesk

FAST = {"calls_per_minute": 10**6, "calls_per_second": 10**6}


def shown(pages: list[ChangePage]) -> dict[RecordKey, bytes]:
    held: dict[RecordKey, bytes] = {}
    for page in pages:
        held.update({change.record.key: change.record.content() for change in page.changes})
        for deletion in page.deletions:
            held.pop(deletion.key, None)
    return held


def balances(pages: list[ChangePage]) -> dict[str, object]:
    records = [change.record for page in pages for change in page.changes]
    return {record.external_id: record.balance for record in records if isinstance(record, Account)}


@pytest.fixture(scope="module", params=["shows", "hides"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[SandboxProcess]:
    """The vendor both ways: change data capture shows accounts whose balance alone moved, or hides them."""
    more = ["--no-throttle", *(["--cdc-hides-balance-moves", "--cdc-cap-per-kind"] if request.param == "hides" else [])]
    with start_sandbox(clients=1, bills_per_client=120, more_arguments=more) as running:
        yield running


@pytest.fixture
async def desk(sandbox: SandboxProcess) -> AsyncIterator[SandboxDesk]:
    factory = QboRailFactory(pauses=Pauses(attempts=8, sleep=no_sleep))
    desk = SandboxDesk(sandbox.ready, company=0, factory=factory, page_size=100, **FAST)
    yield desk
    await desk.play("none")
    desk.hand_on(sandbox.ready)
    await factory.aclose()


async def test_an_idle_tick_is_one_call_by_the_vendors_own_count(desk: SandboxDesk) -> None:
    cursor = (await desk.pull())[-1].next_cursor
    cursor = (await desk.pull(cursor))[-1].next_cursor
    before = await desk.count_calls()
    rail = desk.open()
    pages = [page async for page in rail.changes_since(cursor)]

    assert await desk.count_calls() - before == 1 == rail.calls
    assert pages[-1].is_last


async def test_balances_are_right_after_a_payment_however_the_vendor_shows_it(desk: SandboxDesk) -> None:
    whole = await desk.pull()
    bill = await desk.find_open_bill()
    await desk.mutate("pay", "Bill", bill["Id"])
    news = await desk.pull(whole[-1].next_cursor)
    now = await desk.pull()

    assert {**balances(whole), **balances(news)} == balances(now)
    assert balances(whole) != balances(now)


async def test_a_damaged_record_is_set_aside_and_told_again_when_mended(desk: SandboxDesk) -> None:
    whole = await desk.pull()
    bill = await desk.find_open_bill()
    await desk.mutate("set", "Bill", bill["Id"], TxnDate="soon", MetaData=await stamped_now(desk))
    news = await desk.pull(whole[-1].next_cursor)
    await desk.mutate("set", "Bill", bill["Id"], TxnDate=bill["TxnDate"])
    mended = await desk.pull(news[-1].next_cursor)

    rejected = [rejected for page in news for rejected in page.rejected]
    assert [(one.external_id, one.reason) for one in rejected] == [
        (bill["Id"], "TxnDate: is not a day such as 2026-05-31")
    ]
    assert RecordKey(RecordKind.BILL, bill["Id"]) in shown(mended)


async def stamped_now(desk: SandboxDesk) -> dict[str, str]:
    time = (await desk.ask("SELECT COUNT(*) FROM Bill"))["time"]
    return {"CreateTime": time, "LastUpdatedTime": time}


@pytest.mark.parametrize("profile", ["moving_pages", "flaky", "expired"])
async def test_everything_is_read_whatever_happens_meanwhile(desk: SandboxDesk, profile: str) -> None:
    await desk.play(profile)
    pages: list[ChangePage] = []
    while not pages or not pages[-1].is_last:
        reading = desk.open().changes_since(pages[-1].next_cursor if pages else None)
        with contextlib.suppress(RailUnavailable, RailAccessLost):  # the next pull goes on from the last page
            while not pages or not pages[-1].is_last:
                pages.append(await anext(reading))
    await desk.play("none")
    pages += await desk.pull(pages[-1].next_cursor)
    now = await desk.pull()

    assert shown(pages).keys() == shown(now).keys()
    different = [key for key, content in shown(now).items() if shown(pages)[key] != content]
    assert different == []


async def test_an_answer_that_says_nothing_is_asked_for_again(desk: SandboxDesk) -> None:
    whole = shown(await desk.pull())
    await desk.play("none", malformed=0.3)

    assert shown(await desk.pull()) == whole


async def test_pages_whose_rows_come_twice_and_in_any_order_cost_no_call_more(desk: SandboxDesk) -> None:
    peaceful, spoiled = desk.open(), desk.open()
    whole = shown([page async for page in peaceful.changes_since(None)])
    await desk.play("none", rows_doubled=1, rows_shuffled=1)

    assert shown([page async for page in spoiled.changes_since(None)]) == whole
    assert spoiled.calls <= peaceful.calls


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("outage", RailUnavailable),
        ("maintenance", RailUnavailable),
        ("wrong_environment", RailMisconfigured),
        ("quota", RailThrottled),
    ],
)
async def test_trouble_that_lasts_is_told(desk: SandboxDesk, profile: str, expected: type[Exception]) -> None:
    await desk.play(profile)

    with pytest.raises(expected) as caught:
        await desk.open().check_connection()
    assert type(caught.value) is expected


async def test_an_unanswered_write_is_settled_by_reading_back(desk: SandboxDesk) -> None:
    key = await desk.edit_bill()
    before = await desk.open().read_record(key)
    await desk.play("unanswered_writes", unanswered_write=1.0)
    fix = RecordFix(key=key, expected_revision=before.record.revision, fields={"memo": "settled"})
    with pytest.raises(OutcomeUnknown):
        await desk.open().apply_fix(fix, idempotency_key=f"settle-{key.external_id}-{before.record.revision}")
    await desk.play("none")
    after = await desk.open().read_record(key)

    assert after.record.model_dump()["memo"] == "settled"
    assert after.record.revision != before.record.revision


async def test_every_fix_is_taken(desk: SandboxDesk) -> None:
    bill = await desk.find_open_bill()
    key = RecordKey(RecordKind.BILL, bill["Id"])
    vendors = (await desk.ask("SELECT * FROM Vendor MAXRESULTS 5"))["QueryResponse"]["Vendor"]
    other = next(vendor["Id"] for vendor in vendors if vendor["Id"] != bill["VendorRef"]["value"])
    terms = (await desk.ask("SELECT * FROM Term MAXRESULTS 5"))["QueryResponse"]["Term"]
    lines = {line["Id"]: line for line in bill["Line"] if "AccountBasedExpenseLineDetail" in line}
    accounts = (await desk.ask("SELECT * FROM Account WHERE AccountType = 'Expense'"))["QueryResponse"]["Account"]
    fields = {
        "due_date": "2027-01-31",
        "vendor_id": other,
        "term_id": terms[0]["Id"],
        "number": "FIXED-1",
        "memo": "all at once",
        "line_account": dict.fromkeys(lines, accounts[-1]["Id"]),
    }
    written = await desk.open().apply_fix(
        RecordFix(key=key, expected_revision=bill["SyncToken"], fields=fields), idempotency_key=f"all-{bill['Id']}"
    )

    values = written.record.model_dump(mode="json")
    assert (values["due_date"], values["vendor_id"], values["number"]) == ("2027-01-31", other, "FIXED-1")
    assert (values["term_id"], values["memo"]) == (terms[0]["Id"], "all at once")
    assert {line["account_id"] for line in values["lines"] if line["line_id"] in lines} == {accounts[-1]["Id"]}
    assert values["total"] == written.record.model_dump(mode="json")["total"]
    assert len(values["lines"]) == len(bill["Line"])


async def test_more_than_a_thousand_changes_are_all_told(desk: SandboxDesk) -> None:
    whole = await desk.pull()
    like = await desk.find_open_bill()
    line = {name: value for name, value in like["Line"][0].items() if name not in {"Id", "LineNum"}}
    bill = {"VendorRef": like["VendorRef"], "TxnDate": "2026-05-01", "Line": [line]}
    change = {"rail": "qbo", "company": desk.realm_id, "op": "create", "kind": "Bill", "fields": bill}
    await desk.post("mutate", [change] * 1100)
    await desk.mutate("delete", "Bill", like["Id"])
    news = await desk.pull(whole[-1].next_cursor)
    now = await desk.pull()

    present = news[-1].present_keys
    told = shown([*whole, *news])
    assert told.keys() & (present or told.keys()) == shown(now).keys()


async def test_a_clock_that_runs_ahead_by_weeks_reads_everything_again(desk: SandboxDesk) -> None:
    cursor = (await desk.pull())[-1].next_cursor
    await desk.post("clock", {"advance_seconds": int(timedelta(days=31).total_seconds())})
    pages = await desk.pull(cursor)

    assert pages[-1].present_keys is not None
    assert pages[-1].is_last


async def test_lost_access_is_told(desk: SandboxDesk) -> None:
    """The last test of these books: their tokens end here."""
    await desk.play("lost_access")

    with pytest.raises(RailAccessLost, match="connect the company again"):
        await desk.open().check_connection()
