"""The reader of card payments against the sandbox, over loopback HTTP."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.processor import (
    Charge,
    Dispute,
    DisputeState,
    PayoutState,
    ProcessorEntry,
    ProcessorEntryKind,
    Refund,
    SentPayout,
)
from runway_core.domain.record import Record
from runway_core.errors import (
    NotSupported,
    RailAccessLost,
    RailMisconfigured,
    RailThrottled,
    RailUnavailable,
    RecordGone,
)
from runway_rail_kit import Pauses
from runway_rail_stripe import StripeRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.memory_calls import MemoryCallLedger
from runway_testkit.rail_desk import fold

from tests.rails.paper_qbo import no_sleep
from tests.rails.stripe_desk import DAY_S, CardDesk

Kind = TypeVar("Kind", bound=Record)


def only(kind: type[Kind], pages: list[ChangePage]) -> list[Kind]:
    return [change.record for page in pages for change in page.changes if isinstance(change.record, kind)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=6, bills_per_client=60, rails="qbo,stripe", more_arguments=["--no-throttle"]) as running:
        yield running


@pytest.fixture
async def desk(sandbox: SandboxProcess) -> AsyncIterator[CardDesk]:
    factory = StripeRailFactory(pauses=Pauses(attempts=5, sleep=no_sleep))
    desk = CardDesk(sandbox.ready, factory, place=5)
    await desk.look_up_odd()
    yield desk
    await desk.post("chaos", {"profile": "none"})
    await desk.change("restore")
    await factory.aclose()


async def start(desk: CardDesk) -> Cursor:
    """A cursor after a whole reading, and calls counted from there."""
    cursor = (await desk.pull())[-1].next_cursor
    await desk.post("reset-calls", {})
    return cursor


async def test_an_idle_tick_is_one_call_and_changes_nothing(desk: CardDesk) -> None:
    cursor = await start(desk)
    rail = desk.open()
    (page,) = [page async for page in rail.changes_since(cursor)]

    assert await desk.counted() == {"events": 1}
    assert rail.calls == 1
    assert (page.changes, page.next_cursor, page.present_keys, page.is_last) == ((), cursor, None, True)


async def test_once_an_hour_an_idle_tick_asks_for_movements_as_well(desk: CardDesk) -> None:
    cursor = await start(desk)
    desk.clock.advance(timedelta(minutes=61))
    (page,) = await desk.pull(cursor)
    await desk.pull(page.next_cursor)

    assert await desk.counted() == {"events": 2, "balance_transactions": 1}
    assert page.changes == ()


async def test_a_receipt_by_card_names_its_customer_and_its_invoice(desk: CardDesk) -> None:
    pages = await desk.pull()
    paid = [charge for charge in only(Charge, pages) if charge.invoice_number is not None]

    assert paid
    assert all(charge.customer_name and charge.customer_id for charge in paid)
    assert all(charge.invoice_number in charge.text for charge in paid if charge.invoice_number)
    assert {one.entry_kind for one in only(ProcessorEntry, pages)} >= {
        ProcessorEntryKind.CHARGE,
        ProcessorEntryKind.PAYOUT,
    }


async def test_many_new_payments_are_listed_and_few_are_read_one_by_one(desk: CardDesk) -> None:
    cursor = await start(desk)
    for _ in range(12):
        await desk.take_payment()
    many = await desk.pull(cursor)
    counted = await desk.counted()
    await desk.post("reset-calls", {})
    await desk.take_payment()
    few = await desk.pull(many[-1].next_cursor)

    assert len(only(Charge, many)) == len(only(ProcessorEntry, many)) == 12
    assert counted == {"events": 1, "charges": 1, "balance_transactions": 1, "invoice_payments": 1}
    assert len(only(Charge, few)) == len(only(ProcessorEntry, few)) == 1
    assert (await desk.counted())["charges/{id}"] == 1


async def test_a_refund_that_no_event_tells_of_is_found_by_the_next_sweep(desk: CardDesk) -> None:
    charge = await desk.take_payment()
    cursor = await start(desk)
    await desk.post("chaos", {"profile": "none", "cdc_forgets": 1})
    await desk.refund(charge)
    unaware = await desk.pull(cursor)
    desk.clock.advance(timedelta(hours=25))
    swept = await desk.pull(unaware[-1].next_cursor)

    assert only(Refund, unaware) == []
    assert charge in {one.charge_id for one in only(Refund, swept)}
    assert next(one for one in only(Charge, swept) if one.external_id == charge).refunded == Decimal("456.00")
    assert swept[-1].present_keys is None


async def test_after_four_weeks_of_silence_everything_is_read_again(desk: CardDesk) -> None:
    cursor = await start(desk)
    desk.clock.advance(timedelta(days=29))
    pages = await desk.pull(cursor)

    assert pages[-1].present_keys is not None
    assert fold(pages) == fold(await desk.pull())


async def test_currencies_with_no_or_three_decimals_keep_their_amounts(desk: CardDesk) -> None:
    cursor = await start(desk)
    yen = await desk.change("charge", amount=1_500, currency="jpy")
    dinar = await desk.change("charge", amount=12_340, currency="kwd")
    pages = await desk.pull(cursor)
    amounts = {charge.external_id: (charge.currency, charge.amount) for charge in only(Charge, pages)}
    moved = {one.source_id: (one.currency, one.gross) for one in only(ProcessorEntry, pages)}

    assert amounts[yen] == moved[yen] == ("JPY", Decimal(1_500))
    assert amounts[dinar] == moved[dinar] == ("KWD", Decimal("12.340"))


async def test_a_charge_in_another_currency_is_settled_in_the_accounts_own(desk: CardDesk) -> None:
    cursor = await start(desk)
    charge_id = await desk.change("charge", amount=10_000, currency="eur", rate="1.085")
    yen = await desk.change("charge", amount=2_000, currency="jpy", rate="0.0067")
    pages = await desk.pull(cursor)
    paid = {charge.external_id: (charge.currency, charge.amount) for charge in only(Charge, pages)}
    moved = {one.source_id: (one.currency, one.gross, one.fee) for one in only(ProcessorEntry, pages)}

    assert paid == {charge_id: ("EUR", Decimal("100.00")), yen: ("JPY", Decimal(2_000))}
    assert moved == {
        charge_id: ("USD", Decimal("108.50"), Decimal("3.45")),
        yen: ("USD", Decimal("13.40"), Decimal("0.69")),
    }


async def test_disputes_take_the_amount_and_a_fee_and_bring_back_the_amount(desk: CardDesk) -> None:
    charge = await desk.take_payment()
    cursor = await start(desk)
    dispute = await desk.change("dispute", id=charge)
    inquiry = await desk.change("dispute", id=await desk.take_payment(), is_inquiry=True)
    opened = await desk.pull(cursor)
    await desk.change("close_dispute", id=dispute, is_won=True)
    closed = await desk.pull(opened[-1].next_cursor)
    moved = [one for one in (*only(ProcessorEntry, opened), *only(ProcessorEntry, closed)) if one.source_id == dispute]

    states = {one.external_id: one.state for one in only(Dispute, opened)}
    assert states == {dispute: DisputeState.NEEDS_ANSWER, inquiry: DisputeState.INQUIRY}
    assert [one.state for one in only(Dispute, closed)] == [DisputeState.WON]
    assert [one.is_disputed for one in only(Charge, opened) if one.external_id == charge] == [True]
    assert [(one.gross, one.fee) for one in moved] == [
        (Decimal("-456.00"), Decimal("15.00")),
        (Decimal("456.00"), Decimal(0)),
    ]


async def test_a_payout_that_comes_back_is_failed_and_its_money_is_held_again(desk: CardDesk) -> None:
    await desk.take_payment()
    payout_id = await desk.pay_out()
    await desk.advance(3 * DAY_S)
    cursor = await start(desk)
    await desk.change("fail_payout", id=payout_id)
    pages = await desk.pull(cursor)

    (payout,) = only(SentPayout, pages)
    (back,) = only(ProcessorEntry, pages)
    assert (payout.state, payout.failure) == (PayoutState.FAILED, "account_closed")
    assert (back.entry_kind, back.net, back.payout_id) == (ProcessorEntryKind.PAYOUT, payout.amount, None)


async def test_a_payout_by_hand_lists_no_parts(desk: CardDesk) -> None:
    await desk.take_payment()
    await desk.advance(3 * DAY_S)
    cursor = await start(desk)
    payout_id = await desk.change("pay_out", amount=1_000)
    pages = await desk.pull(cursor)
    whole = await desk.pull()

    assert [(one.external_id, one.is_automatic) for one in only(SentPayout, pages)] == [(payout_id, False)]
    assert payout_id not in {one.payout_id for one in only(ProcessorEntry, whole)}


async def test_what_is_paid_while_pages_are_read_comes_with_the_next_pull(desk: CardDesk) -> None:
    desk.settings["page_size"] = 5
    await desk.post("chaos", {"profile": "none", "edits_while_paging": 0.5})
    first = await desk.pull()
    await desk.post("chaos", {"profile": "none"})
    second = await desk.pull(first[-1].next_cursor)

    assert only(Charge, second)
    assert fold(second, fold(first)) == fold(await desk.pull())


@pytest.mark.parametrize(
    ("profile", "share", "error"),
    [
        ("outage", {}, RailUnavailable),
        ("maintenance", {}, RailUnavailable),
        ("none", {"server_error": 1}, RailUnavailable),
        ("none", {"unanswered": 1}, RailUnavailable),
        ("none", {"fault_ok": 1}, RailUnavailable),  # the object is busy
        ("none", {"throttled": 1}, RailThrottled),
    ],
)
async def test_a_vendor_in_trouble_is_told_from_one_that_is_busy(
    desk: CardDesk, profile: str, share: dict[str, Any], error: type[Exception]
) -> None:
    await desk.post("chaos", {"profile": profile, **share})
    with pytest.raises(error) as failed:
        await desk.pull()

    assert type(failed.value) is error


async def test_five_in_a_hundred_failing_calls_lose_nothing(desk: CardDesk) -> None:
    quiet = fold(await desk.pull())
    await desk.post("chaos", {"profile": "flaky"})
    again = fold(await desk.pull())

    assert again == quiet


async def test_a_key_of_the_companys_own_reads_the_same_until_it_is_changed(desk: CardDesk) -> None:
    through_platform = fold(await desk.pull())
    desk.settings["through_platform"] = False
    desk.vault.secrets = {"secret_key": desk.own_key}
    own = fold(await desk.pull())
    desk.vault.secrets = {"secret_key": SecretStr("rk_test_rolled")}
    with pytest.raises(RailAccessLost, match="new restricted key") as lost:
        await desk.pull()

    assert own == through_platform
    assert "rk_test_rolled" not in str(lost.value)
    assert lost.value.request_id


async def test_a_wrong_platform_key_is_ours_and_a_missing_permission_is_named(desk: CardDesk) -> None:
    await desk.change("forbid", resource="balance_transactions")
    with pytest.raises(RailMisconfigured, match=r"permission \(balance_transactions\)"):
        await desk.pull()
    desk.vault.secrets = {"secret_key": SecretStr("sk_test_wrong")}
    with pytest.raises(RailMisconfigured, match="platform's"):
        await desk.pull()


async def test_invoices_are_left_alone_where_the_key_may_not_read_them(desk: CardDesk) -> None:
    await desk.change("forbid", resource="invoice_payments")
    desk.settings["reads_invoices"] = False
    pages = await desk.pull()

    assert only(Charge, pages)


async def test_one_thing_is_read_as_it_is_and_movements_are_not(desk: CardDesk) -> None:
    pages = await desk.pull()
    paid = next(charge for charge in only(Charge, pages) if charge.invoice_number is not None)
    rail = desk.open()

    assert (await rail.read_record(paid.key)).record == paid
    assert (await rail.read_record(only(SentPayout, pages)[0].key)).record == only(SentPayout, pages)[0]
    with pytest.raises(RecordGone):
        await rail.read_record(RecordKey(RecordKind.REFUND, "re_nobody"))
    with pytest.raises(NotSupported):
        await rail.read_record(only(ProcessorEntry, pages)[0].key)


async def test_the_account_tells_its_name_and_another_one_is_refused(desk: CardDesk, sandbox: SandboxProcess) -> None:
    profile = await desk.open().check_connection()
    desk.settings |= {"through_platform": False, "account_id": "acct_other"}
    desk.vault.secrets = {"secret_key": desk.own_key}
    with pytest.raises(RailMisconfigured, match="acct_other"):
        await desk.open().check_connection()

    assert profile.name == sandbox.ready["stripe"]["companies"][5]["name"]
    assert profile.external_id == sandbox.ready["stripe"]["companies"][5]["account_id"]


async def test_nothing_before_the_first_day_is_read(desk: CardDesk) -> None:
    first = desk.clock.now().date() - timedelta(days=60)
    desk.settings["read_from"] = first.isoformat()
    records = [change.record for page in await desk.pull() for change in page.changes]

    days: list[date] = [getattr(record, "booked_on") for record in records]  # noqa: B009 - records of several classes
    assert days
    assert min(days) >= first - timedelta(days=30)  # parts of the first payouts are older


async def test_a_refusal_slows_all_workers_down_for_that_account_alone(desk: CardDesk) -> None:
    desk.calls = MemoryCallLedger()
    await desk.post("chaos", {"profile": "throttled", "throttled": 1})
    with pytest.raises(RailThrottled):
        await desk.pull()
    (look,) = await desk.calls.budgets(now=desk.clock.now())

    assert look.key == f"stripe/{desk.settings['base_url']}/{desk.settings['account_id']}"
    assert look.percent < 100


async def test_takings_of_a_till_are_payouts_less_fees_to_the_cent(sandbox: SandboxProcess) -> None:
    factory = StripeRailFactory(pauses=Pauses(sleep=no_sleep))
    desk = CardDesk(sandbox.ready, factory, place=0)
    await desk.look_up_odd()
    pages = await desk.pull()
    entries, payouts = only(ProcessorEntry, pages), only(SentPayout, pages)
    await factory.aclose()

    assert len(payouts) > 60
    for payout in payouts:
        net = sum(
            entry.net
            for entry in entries
            if entry.payout_id == payout.external_id and entry.entry_kind is not ProcessorEntryKind.PAYOUT
        )
        assert (net == payout.amount) is (payout.external_id not in desk.odd_payouts)
