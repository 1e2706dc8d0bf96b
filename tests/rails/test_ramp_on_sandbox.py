"""The payer of bills against the sandbox, over loopback HTTP."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.execution import (
    CardState,
    CardTransaction,
    ExecutionBill,
    ExecutionPayment,
    ExecutionState,
    ExecutionVendor,
    LedgerMark,
    RailPaymentState,
)
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.submissions import SubmittedLine
from runway_core.errors import (
    NotSupported,
    OutcomeUnknown,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
    RecordGone,
)
from runway_core.ports.execution_rail import ExecutionRail
from runway_rail_kit import Pauses
from runway_rail_ramp import RampRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.memory_calls import MemoryCallLedger
from runway_testkit.rail_desk import fold

from tests.rails.paper_qbo import no_sleep
from tests.rails.ramp_desk import DAY_S, HOUR_S, PayerDesk

IDLE = {"GET bills": 2, "GET transactions": 1}
"""Open bills, paid bills, purchases: no filter of Ramp's tells of two of these, and none of what changed of a bill."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=700, rails="qbo,ramp", more_arguments=["--no-throttle"]) as running:
        yield running


@pytest.fixture
async def desk(sandbox: SandboxProcess) -> AsyncIterator[PayerDesk]:
    factory = RampRailFactory(pauses=Pauses(attempts=5, sleep=no_sleep))
    desk = PayerDesk(sandbox.ready, factory)
    desk.clock.advance(datetime.fromisoformat((await desk.post("clock", {}))["now"]) - desk.clock.now())
    await desk.person("connect")
    yield desk
    await desk.chaos()
    await desk.person("grant", scopes=[f"{name}:read" for name in NAMES] + ["bills:write"])
    await factory.aclose()


NAMES = ("bills", "business", "entities", "transactions", "vendors")


def bills_of(pages: Sequence[ChangePage]) -> dict[str, ExecutionBill]:
    records = [change.record for page in pages for change in page.changes]
    return {record.external_id: record for record in records if isinstance(record, ExecutionBill)}


def payments_of(pages: Sequence[ChangePage]) -> dict[str, ExecutionPayment]:
    records = [change.record for page in pages for change in page.changes]
    return {record.external_id: record for record in records if isinstance(record, ExecutionPayment)}


async def quiet_bill(desk: PayerDesk, pages: Sequence[ChangePage]) -> ExecutionBill:
    """An approved bill of the ledger that nobody has instructed to pay, and that no planted difference names."""
    named = {record["id"] for one in (await desk.truth())["differences"] for record in one["records"]}
    bills = [one for one in bills_of(pages).values() if one.ledger_bill_id and one.external_id not in named]
    return next(one for one in bills if one.state is ExecutionState.APPROVED)


async def test_a_first_load_shows_bills_payments_vendors_and_purchases_as_the_truth_has_them(desk: PayerDesk) -> None:
    pages = await desk.pull()
    records = [change.record for page in pages for change in page.changes]
    vendors = {one.external_id: one for one in records if isinstance(one, ExecutionVendor)}
    purchases = {one.external_id: one for one in records if isinstance(one, CardTransaction)}
    bills, payments = bills_of(pages), payments_of(pages)
    pairs = [one["records"] for one in (await desk.truth())["same"] if one["records"][1]["rail"] == "ramp"]
    same = {(there["kind"], there["id"]): here for here, there in pairs}

    assert {name for kind, name in same if kind == "bill"} <= bills.keys()
    assert {name for kind, name in same if kind == "vendor"} == vendors.keys()
    assert {name for kind, name in same if kind == "transaction"} <= purchases.keys()
    for name, bill in bills.items():
        if bill.ledger_bill_id is not None:
            assert same["bill", name] == {"rail": "qbo", "kind": "Bill", "id": bill.ledger_bill_id}
        assert bill.open_balance == (0 if bill.state is ExecutionState.PAID else bill.total)
        assert bill.vendor_id in vendors
    assert {one.state for one in payments.values()} >= {RailPaymentState.SETTLED}
    assert all(one.amount == bills[one.bill_id].total for one in payments.values())
    assert {CardState.CLEARED, CardState.DECLINED} <= {one.state for one in purchases.values()}
    assert {one.card_transaction_id for one in payments.values() if one.card_transaction_id} <= purchases.keys()


async def test_an_idle_pull_is_three_calls_and_more_once_an_hour(desk: PayerDesk) -> None:
    cursor = (await desk.pull())[-1].next_cursor
    await desk.count_calls()
    idle = await desk.pull(cursor)
    first = await desk.count_calls()
    desk.clock.advance(timedelta(minutes=61))
    await desk.pull(idle[-1].next_cursor)
    hourly = await desk.count_calls()

    assert first == IDLE
    assert hourly == {"GET bills": 4, "GET transactions": 1, "GET vendors": 1}


async def test_a_pull_that_read_more_bills_than_a_page_holds_asks_for_new_ones_instead(desk: PayerDesk) -> None:
    desk.settings["page_size"] = 10
    pages = await desk.pull()
    await desk.count_calls()
    bill = await quiet_bill(desk, pages)
    await desk.person("schedule", bill.external_id)
    news = await desk.pull(pages[-1].next_cursor)
    desk.clock.advance(timedelta(minutes=61))
    hourly = await desk.pull(news[-1].next_cursor)

    assert bill.external_id not in bills_of(news)  # approvals and plans of so many bills show once an hour
    assert bills_of(hourly)[bill.external_id].state is ExecutionState.SCHEDULED


async def test_a_payment_goes_from_scheduled_to_settled_and_the_bill_is_paid_then(desk: PayerDesk) -> None:
    pages = await desk.pull()
    bill = await quiet_bill(desk, pages)
    await desk.person("schedule", bill.external_id)
    scheduled = await desk.pull(pages[-1].next_cursor)
    await desk.advance(5 * DAY_S)
    moving = await desk.pull(scheduled[-1].next_cursor)
    await desk.advance(7 * DAY_S)
    settled = await desk.pull(moving[-1].next_cursor)

    states = [payments_of(page)[bill.external_id].state for page in (scheduled, settled)]
    assert states == [RailPaymentState.SCHEDULED, RailPaymentState.SETTLED]
    paid, payment = bills_of(settled)[bill.external_id], payments_of(settled)[bill.external_id]
    assert (paid.state, paid.open_balance) == (ExecutionState.PAID, Decimal(0))
    assert paid.ledger_mark is LedgerMark.BILL_AND_PAYMENT
    assert payment.released_on is not None
    assert payment.settled_on is not None
    assert payment.released_on < payment.settled_on
    assert paid.paid_on == payment.settled_on


async def test_a_bill_that_is_paid_in_two_parts_has_two_payments_here_and_in_the_ledger(desk: PayerDesk) -> None:
    pages = await desk.pull()
    bill = await quiet_bill(desk, pages)
    part = int(bill.total * 40)  # in cents: two fifths
    await desk.person("schedule", bill.external_id, amount=part)
    scheduled = await desk.pull(pages[-1].next_cursor)
    await desk.advance(8 * DAY_S)
    begun = await desk.pull(scheduled[-1].next_cursor)
    await desk.person("schedule", bill.external_id)
    both = await desk.pull(begun[-1].next_cursor)
    await desk.advance(12 * DAY_S)
    paid = await desk.pull(both[-1].next_cursor)
    pairs = [one["records"] for one in (await desk.truth())["same"] if one["records"][0]["kind"] == "BillPayment"]
    ledger = await desk.in_books("update", "Bill", str(bill.ledger_bill_id), PrivateNote="Looked at")
    links = {link["TxnId"] for link in ledger["LinkedTxn"]}

    def told(news: Sequence[ChangePage]) -> list[tuple[Decimal, str]]:
        mine = [one for one in payments_of(news).values() if one.bill_id == bill.external_id]
        return [(one.amount, one.state.value) for one in sorted(mine, key=lambda one: one.external_id)]

    first, rest = Decimal(part) / 100, bill.total - Decimal(part) / 100
    assert told(scheduled) == [(first, "scheduled")]
    assert told(begun) == [(first, "in_flight")]  # Ramp tells of all the money alone that it arrived
    assert told(both) == [(first, "in_flight"), (rest, "scheduled")]
    assert told(paid) == [(first, "settled"), (rest, "settled")]
    assert [bills_of(news)[bill.external_id].state.value for news in (begun, both, paid)] == [
        "in_flight",
        "scheduled",
        "paid",
    ]
    assert ledger["Balance"] == 0
    assert len(links) == 2
    assert links <= {ours["id"] for ours, _ in pairs}


@pytest.mark.parametrize("is_over_a_page", [False, True])
async def test_the_second_payment_of_a_bill_that_was_taken_back_goes_and_the_first_stays(
    desk: PayerDesk, sandbox: SandboxProcess, is_over_a_page: bool
) -> None:
    desk = PayerDesk(sandbox.ready, desk.factory, page_size=20) if is_over_a_page else desk
    desk.clock.advance(datetime.fromisoformat((await desk.post("clock", {}))["now"]) - desk.clock.now())
    pages = await desk.pull()
    bill = await quiet_bill(desk, pages)
    await desk.person("schedule", bill.external_id, amount=100)
    await desk.advance(8 * DAY_S)
    await desk.person("schedule", bill.external_id)
    whole = await desk.pull()  # its cursor knows of both
    await desk.person("unschedule", bill.external_id)
    await desk.advance(HOUR_S + 60)
    news = await desk.pull(whole[-1].next_cursor)
    (other,) = (one for one in payments_of(whole).values() if one.external_id.startswith(f"{bill.external_id}/"))
    deleted = {deletion.key.external_id for deletion in news[-1].deletions}

    assert other.external_id in deleted
    assert bill.external_id not in deleted
    assert bill.external_id in payments_of(news)
    assert (await desk.open().read_record(RecordKey(RecordKind.RAIL_PAYMENT, bill.external_id))).record
    with pytest.raises(RecordGone):
        await desk.open().read_record(other.key)


async def test_a_payment_that_was_taken_back_is_a_deletion_of_the_payment_alone(desk: PayerDesk) -> None:
    pages = await desk.pull()
    bill = await quiet_bill(desk, pages)
    await desk.person("schedule", bill.external_id)
    scheduled = await desk.pull(pages[-1].next_cursor)
    await desk.person("unschedule", bill.external_id)
    taken_back = await desk.pull(scheduled[-1].next_cursor)

    payment = RecordKey(RecordKind.RAIL_PAYMENT, bill.external_id)
    assert payment in fold(scheduled)
    assert payment in {deletion.key for deletion in taken_back[-1].deletions}
    assert bills_of(taken_back)[bill.external_id].state is ExecutionState.APPROVED


async def test_a_bill_whose_payment_is_dated_back_is_found_because_it_left_the_open_ones(desk: PayerDesk) -> None:
    pages = await desk.pull()
    bill = await quiet_bill(desk, pages)
    long_ago = (desk.clock.now() - timedelta(days=40)).date().isoformat()
    await desk.in_books("pay", "Bill", str(bill.ledger_bill_id), TxnDate=long_ago)
    news = await desk.pull(pages[-1].next_cursor)

    paid = bills_of(news)[bill.external_id]
    assert (paid.state, str(paid.paid_on)) == (ExecutionState.PAID, long_ago)
    assert payments_of(news)[bill.external_id].is_outside


async def test_what_an_edit_of_a_paid_bill_changed_comes_with_the_whole_reading_a_day_later(desk: PayerDesk) -> None:
    pages = await desk.pull()
    paid = next(bill for bill in bills_of(pages).values() if bill.state is ExecutionState.PAID)
    await desk.person("edit", paid.external_id, memo="seen again")
    soon = await desk.pull(pages[-1].next_cursor)
    await desk.advance(DAY_S + 60)
    later = await desk.pull(soon[-1].next_cursor)

    assert getattr(bills_of(soon).get(paid.external_id), "memo", None) != "seen again"
    assert bills_of(later)[paid.external_id].memo == "seen again"
    assert later[-1].present_kinds == frozenset({RecordKind.RAIL_VENDOR, RecordKind.RAIL_BILL, RecordKind.RAIL_PAYMENT})


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("server_error", RailUnavailable),
        ("unavailable", RailUnavailable),
        ("html_ok", RailUnavailable),
        ("unanswered", RailUnavailable),
        ("throttled", RailThrottled),
    ],
)
async def test_trouble_on_the_way_is_told_by_its_remedy_and_loses_nothing(
    desk: PayerDesk, trouble: str, expected: type[Exception]
) -> None:
    cursor = (await desk.pull())[-1].next_cursor
    await desk.chaos(**{trouble: 1.0})
    with pytest.raises(expected):
        await desk.pull(cursor)
    await desk.chaos()

    assert (await desk.pull(cursor))[-1].is_last


async def test_a_flaky_vendor_is_asked_again_until_all_of_it_is_read(desk: PayerDesk) -> None:
    calm = fold(await desk.pull())
    await desk.post("chaos", {"profile": "flaky", "throttled": 0.0})

    assert fold(await desk.pull()) == calm


async def test_a_missing_scope_is_named(desk: PayerDesk) -> None:
    await desk.person("grant", scopes=["business:read", "bills:read", "vendors:read"])
    await desk.person("end_tokens")
    with pytest.raises(RailMisconfigured, match="transactions:read"):
        await desk.pull()


async def test_the_business_says_who_it_is(desk: PayerDesk) -> None:
    profile = await desk.open().check_connection()

    assert (profile.name, profile.external_id) == (desk.name, desk.business_id)


async def test_single_records_are_read_and_what_is_not_there_is_gone(desk: PayerDesk) -> None:
    changes = {change.key: change for page in await desk.pull() for change in page.changes}
    rail = desk.open()
    for kind in desk.abilities.kinds:
        key = next(key for key in changes if key.kind is kind)
        assert (await rail.read_record(key)).record == changes[key].record
    with pytest.raises(RecordGone):
        await rail.read_record(RecordKey(RecordKind.RAIL_BILL, "00000000-0000-4000-8000-000000000000"))
    with pytest.raises(NotSupported):
        await rail.read_record(RecordKey(RecordKind.INVOICE, "1"))


async def test_all_companies_share_one_budget_because_the_vendor_counts_by_address(desk: PayerDesk) -> None:
    desk.calls = MemoryCallLedger()
    cursor = (await desk.pull())[-1].next_cursor
    await desk.chaos(throttled=1.0)
    with pytest.raises(RailThrottled):
        await desk.pull(cursor)
    (slowed,) = await desk.calls.budgets(now=desk.clock.now())

    assert slowed.key == f"ramp/{desk.settings['base_url']}"


# Drafts


async def joined_vendor(desk: PayerDesk) -> str:
    records = [change.record for page in await desk.pull() for change in page.changes]
    return next(one.ledger_vendor_id for one in records if isinstance(one, ExecutionVendor) and one.ledger_vendor_id)


async def test_a_bill_is_submitted_once_and_waits_for_people(desk: PayerDesk) -> None:
    bill = await desk.enter_bill(await joined_vendor(desk))
    rail = desk.open()
    assert isinstance(rail, ExecutionRail)
    made = (await rail.submit_bill(bill)).record
    await desk.count_calls()
    again = (await desk.open().submit_bill(bill)).record
    repeated = await desk.count_calls()

    assert isinstance(made, ExecutionBill)
    assert (made.state, made.total, made.ledger_bill_id) == (
        ExecutionState.AWAITING_APPROVAL,
        Decimal("120.5"),
        bill.ledger_bill_id,
    )
    assert again == made
    assert not [name for name in repeated if name.startswith("POST")]


async def test_a_vendor_that_is_listed_twice_is_one(desk: PayerDesk) -> None:
    bill = await desk.enter_bill(await joined_vendor(desk))
    await desk.chaos(rows_doubled=1.0, rows_shuffled=1.0)
    made = (await desk.open().submit_bill(bill)).record

    assert isinstance(made, ExecutionBill)
    assert made.ledger_bill_id == bill.ledger_bill_id


async def test_a_bill_that_the_rail_has_from_the_ledger_is_not_submitted_again(desk: PayerDesk) -> None:
    pages = await desk.pull()
    held = await quiet_bill(desk, pages)
    bill = replace(await desk.enter_bill(await joined_vendor(desk)), ledger_bill_id=str(held.ledger_bill_id))
    await desk.count_calls()
    shown = (await desk.open().submit_bill(bill)).record

    assert shown.external_id == held.external_id
    assert not [name for name in await desk.count_calls() if name.startswith("POST")]


async def test_a_write_without_an_answer_is_resolved_by_reading_and_made_once(desk: PayerDesk) -> None:
    bill = await desk.enter_bill(await joined_vendor(desk))
    await desk.chaos(unanswered_write=1.0)
    made = (await desk.open().submit_bill(bill)).record
    await desk.chaos()
    shown = [one for one in bills_of(await desk.pull()).values() if one.ledger_bill_id == bill.ledger_bill_id]

    assert [one.external_id for one in shown] == [made.external_id]


class WriteLosingTransport(httpx.AsyncHTTPTransport):
    """A network on which every write but sign-in is lost after it was sent, as far as the sender can tell."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and not request.url.path.endswith("/token"):
            raise httpx.ReadTimeout("lost", request=request)
        return await super().handle_async_request(request)


async def test_a_write_of_which_reading_shows_nothing_stays_unknown_and_is_made_later(desk: PayerDesk) -> None:
    bill = await desk.enter_bill(await joined_vendor(desk))
    usual = desk.factory
    desk.factory = RampRailFactory(http_transport=WriteLosingTransport(), pauses=Pauses(sleep=no_sleep))
    with pytest.raises(OutcomeUnknown):
        await desk.open().submit_bill(bill)
    await desk.factory.aclose()
    desk.factory = usual
    made = (await desk.open().submit_bill(bill)).record

    assert isinstance(made, ExecutionBill)
    assert made.ledger_bill_id == bill.ledger_bill_id


async def test_a_vendor_that_is_not_joined_with_the_ledgers_is_for_people(desk: PayerDesk) -> None:
    bill = replace(await desk.enter_bill(await joined_vendor(desk)), ledger_vendor_id="no such vendor")
    with pytest.raises(RailRefused, match="join exactly one"):
        await desk.open().submit_bill(bill)


@pytest.mark.parametrize("number", ["", "N" * 21])
async def test_a_number_that_cannot_be_kept_is_refused_before_anything_is_sent(desk: PayerDesk, number: str) -> None:
    bill = replace(await desk.enter_bill(await joined_vendor(desk)), number=number)
    await desk.count_calls()
    with pytest.raises(RailRefused):
        await desk.open().submit_bill(bill)

    assert await desk.count_calls() == {}


async def test_amounts_are_sent_in_major_units_whatever_they_are(desk: PayerDesk) -> None:
    bill = await desk.enter_bill(await joined_vendor(desk), total="7.00")
    lines = [SubmittedLine(Decimal("7.0000")), SubmittedLine(Decimal("1200.0100"), "Rent")]
    made = (await desk.open().submit_bill(replace(bill, lines=lines))).record

    assert isinstance(made, ExecutionBill)
    assert made.total == Decimal("1207.01")


async def test_a_cursor_of_another_version_reads_everything(desk: PayerDesk) -> None:
    pages = await desk.pull(Cursor('{"since": "never"}'))

    assert pages[-1].present_keys is not None
