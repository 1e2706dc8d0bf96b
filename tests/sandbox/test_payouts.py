"""Days pass: the processor pays out by itself, the bank shows it, and the books get their deposit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from runway_sandbox.bank import BankFeed, BankLine
from runway_sandbox.books import WireObject

from tests.sandbox.test_stripe import DAY_S, INVOICES, NO_CARDS, START, Window, economy

SATURDAY = datetime(2026, 5, 9, 1, 0, tzinfo=UTC)  # the till is paid out on Saturdays


@pytest.fixture
def window(serve: Any) -> Window:
    return Window(serve(economy(), start_at=START))


def days_until(moment: datetime) -> float:
    return (moment - START) / timedelta(days=1)


def wait(window: Window, days: float) -> None:
    window.sandbox.advance(days * DAY_S)


def new_payouts(window: Window) -> list[Any]:
    return window.all(window.api.v1.payouts, created={"gte": int(START.timestamp())})


def lines_of(window: Window, payout: Any) -> list[BankLine]:
    """What the bank shows of a payout, whatever document it comes of."""
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    recent = [line for line in BankFeed(book).lines() if line.made_on >= START.date()]
    return [line for line in recent if line.amount * 100 == payout.amount]


def deposit_of(window: Window, payout_id: str) -> WireObject | None:
    """The deposit that the truth names for a payout."""
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    pairs = [one["records"] for one in window.truth()["same"]]
    ours = [a["id"] for a, b in pairs if (a["kind"], b["kind"], b["id"]) == ("Deposit", "payout", payout_id)]
    if not ours:
        return None
    wire: WireObject = book.find("Deposit", ours[0]).parse()
    return wire


def test_what_is_available_is_paid_out_on_the_weekday_of_all_payouts_before(window: Window) -> None:
    schedule = window.api.v1.accounts.retrieve(window.account).settings.payouts.schedule
    held = [one for one in window.all(window.api.v1.balance_transactions) if one.available_on < SATURDAY.timestamp()]
    unpaid = {one.id for one in held[:10] if one.type == "charge"} - parts_of_past(window)
    wait(window, days_until(SATURDAY) - 0.01)
    before = new_payouts(window)
    wait(window, 0.02)
    (payout,) = new_payouts(window)
    parts = {one.id: one for one in window.all(window.api.v1.balance_transactions, type="charge") if one.id in unpaid}
    wait(window, 0.5)
    listed = window.all(window.api.v1.balance_transactions, payout=payout.id)

    assert (schedule.interval, schedule.weekly_anchor, schedule.delay_days) == ("weekly", "saturday", 2)
    assert before == []
    assert payout.created == SATURDAY.timestamp()
    assert payout.automatic
    assert {one.id for one in listed if one.type != "payout"} == parts.keys() != set()
    assert sum(one.net for one in parts.values()) == payout.amount


def parts_of_past(window: Window) -> set[str]:
    recent = window.api.v1.payouts.list({"limit": 5}).data
    return {one.id for payout in recent for one in window.all(window.api.v1.balance_transactions, payout=payout.id)}


def test_a_payout_is_told_reaches_the_bank_and_is_entered_a_business_day_later(window: Window, receiver: Any) -> None:
    window.sandbox.control("/webhooks", {"rail": "stripe", "url": receiver.url})
    window.api.v1.balance.retrieve()
    wait(window, days_until(SATURDAY) + 1)
    (sent,) = new_payouts(window)
    early = lines_of(window, sent)
    wait(window, 1.8)  # Monday evening
    (arrived,) = new_payouts(window)
    unbooked = deposit_of(window, sent.id)
    wait(window, 1)
    deposit = deposit_of(window, sent.id)
    assert deposit is not None
    told = [msgspec.json.decode(receiver.received.get(timeout=5)[1])["type"] for _ in range(3)]

    assert (sent.status, arrived.status) == ("in_transit", "paid")
    assert [(one.posts_on, sent.trace_id.value in one.text) for one in early] == [(date(2026, 5, 11), True)]
    assert unbooked is None
    assert told == ["payout.created", "payout.reconciliation_completed", "payout.paid"]
    assert (deposit["TxnDate"], deposit["TotalAmt"] * 100) == ("2026-05-11", sent.amount)
    assert deposit["MetaData"]["CreateTime"].startswith("2026-05-12")
    assert lines_of(window, sent) == early  # entered, it is no second line at the bank


def test_the_deposit_of_a_till_says_sales_tax_and_fees_as_all_before_it(window: Window) -> None:
    window.api.v1.balance.retrieve()
    wait(window, days_until(SATURDAY) + 4)
    (payout,) = new_payouts(window)
    parts = [one for one in window.all(window.api.v1.balance_transactions, payout=payout.id) if one.type != "payout"]
    book = window.sandbox.world.book(window.sandbox.world.desks[0])
    last = list(book.card_batches)[-1] or list(book.card_batches)[-2]
    usual = book.find("Deposit", last).parse()
    deposit = deposit_of(window, payout.id)
    assert deposit is not None
    accounts = [[line["DepositLineDetail"]["AccountRef"]["value"] for line in one["Line"]] for one in (usual, deposit)]
    sales, tax, fees = (line["Amount"] for line in deposit["Line"])

    assert accounts[0] == accounts[1]
    assert (sales + tax) * 100 == sum(one.amount for one in parts)
    assert fees * 100 == -sum(one.fee for one in parts)
    assert abs(tax / (sales + tax) - usual["Line"][1]["Amount"] / (usual["TotalAmt"] - usual["Line"][2]["Amount"])) < (
        Decimal("0.001")
    )


def test_receipts_that_were_held_leave_undeposited_funds_with_the_payout_of_the_next_day(serve: Any) -> None:
    window = Window(serve(economy(INVOICES), start_at=START))
    schedule = window.api.v1.accounts.retrieve(window.account).settings.payouts.schedule
    receipts = {
        b["id"]: a["id"] for a, b in (one["records"] for one in window.truth()["same"]) if b["kind"] == "charge"
    }
    wait(window, 8)
    (payout,) = new_payouts(window)
    listed = window.all(window.api.v1.balance_transactions, payout=payout.id)
    deposit = deposit_of(window, payout.id)
    assert deposit is not None
    links = {link["TxnId"] for line in deposit["Line"] for link in line.get("LinkedTxn") or ()}

    assert (schedule.interval, "weekly_anchor" in schedule) == ("daily", False)
    assert links == {receipts[one.source] for one in listed if one.source in receipts} != set()
    assert deposit["TotalAmt"] * 100 == payout.amount


def test_an_account_without_a_habit_is_paid_out_daily(serve: Any) -> None:
    window = Window(serve(economy(NO_CARDS), start_at=START))
    window.change("charge", amount=10_000)
    wait(window, 3.7)

    assert window.api.v1.accounts.retrieve(window.account).settings.payouts.schedule.interval == "daily"
    assert [datetime.fromtimestamp(one.created, UTC).date() for one in new_payouts(window)] == [date(2026, 5, 8)]


def test_weeks_that_pass_at_once_are_paid_out_week_by_week(window: Window) -> None:
    window.change("charge", amount=40_000)
    wait(window, 8)
    window.change("charge", amount=50_000)
    wait(window, 30)
    created = [datetime.fromtimestamp(one.created, UTC) for one in new_payouts(window)]
    wait(window, 30)

    assert created == [SATURDAY + timedelta(days=7), SATURDAY]
    assert len(new_payouts(window)) == 2  # nothing is left, and nothing is paid out twice
    assert window.api.v1.balance.retrieve().pending[0].amount == 0


def test_an_account_that_nobody_looks_at_pays_nothing_out(window: Window) -> None:
    window.truth()
    wait(window, 20)

    assert new_payouts(window) == []


def test_who_pays_out_by_hand_is_paid_out_by_nothing_else_until_a_schedule_is_set(window: Window) -> None:
    window.change("charge", amount=900_000)
    wait(window, 3)
    window.api.v1.payouts.create({"amount": 5_000, "currency": "usd"})
    wait(window, 14)
    by_hand = new_payouts(window)
    schedule = window.api.v1.accounts.retrieve(window.account).settings.payouts.schedule
    window.change("schedule", interval="daily")
    window.change("charge", amount=10_000)
    wait(window, 4)

    assert [one.automatic for one in by_hand] == [False]
    assert schedule.interval == "manual"
    assert next(one.automatic for one in new_payouts(window))


def test_a_payout_that_fails_before_it_is_entered_is_never_entered(window: Window) -> None:
    window.api.v1.balance.retrieve()
    wait(window, days_until(SATURDAY) + 1)
    (payout,) = new_payouts(window)
    window.change("fail_payout", id=payout.id)
    wait(window, 10)

    assert deposit_of(window, payout.id) is None
    assert lines_of(window, payout) == []
