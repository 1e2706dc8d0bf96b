"""What calculators see of a card processor: payouts with their parts, and what is not paid out yet."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from runway_core.domain.company import Connection
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.ledger import Deposit
from runway_core.domain.processor import (
    Charge,
    ChargeState,
    Payout,
    PayoutPartKind,
    PayoutState,
    ProcessorBalance,
    ProcessorEntry,
    ProcessorEntryKind,
    Refund,
    RefundState,
    SentPayout,
)
from runway_core.domain.processor_links import find_reading_day, make_payouts, make_processor_balances

TODAY = date(2026, 3, 2)


def charge(external_id: str = "ch1", *, number: str | None = None) -> Charge:
    return Charge(
        external_id=external_id,
        feed="cards",
        booked_on=date(2026, 2, 20),
        currency="USD",
        amount=Decimal(100),
        refunded=Decimal(0),
        state=ChargeState.SUCCEEDED,
        customer_name="Ann",
        invoice_number=number,
        text="Subscription",
    )


def entry(
    external_id: str,
    net: str,
    *,
    kind: ProcessorEntryKind = ProcessorEntryKind.CHARGE,
    source: str | None = "ch1",
    payout: str | None = None,
    **more: Any,
) -> ProcessorEntry:
    amount = Decimal(net)
    fee = Decimal("3.20") if kind is ProcessorEntryKind.CHARGE else Decimal(0)
    values = {"booked_on": date(2026, 2, 20), "available_on": date(2026, 2, 24), "currency": "USD", **more}
    return ProcessorEntry(
        external_id=external_id,
        feed="cards",
        entry_kind=kind,
        category=kind.value,
        gross=amount + fee,
        fee=fee,
        net=amount,
        source_id=source,
        payout_id=payout,
        **values,
    )


def payout(external_id: str = "po1", *, arrives: date = date(2026, 2, 27), **more: Any) -> SentPayout:
    values = {"amount": Decimal("96.80"), "state": PayoutState.PAID, "currency": "USD", **more}
    return SentPayout(external_id=external_id, feed="cards", booked_on=date(2026, 2, 25), arrives_on=arrives, **values)


def see(payouts: list[SentPayout], entries: list[ProcessorEntry], **more: Any) -> tuple[Payout, ...]:
    held = {"charges": [charge(number="1042")], "refunds": [], "disputes": [], "deposits": [], **more}
    charges = held.pop("charges")
    return make_payouts(payouts, entries, charges, **held)


def balances(
    entries: list[ProcessorEntry], payouts: list[SentPayout] | None = None, charges: list[Charge] | None = None
) -> list[tuple[str, Decimal, bool, date]]:
    found = make_processor_balances(entries, payouts or [], charges or [], read_on=TODAY)
    return [(one.currency, one.amount, one.is_available, one.available_on) for one in found]


def test_a_payout_has_its_parts_with_who_paid_for_what() -> None:
    refund = Refund(
        external_id="re1",
        feed="cards",
        booked_on=TODAY,
        currency="USD",
        amount=Decimal(40),
        state=RefundState.SUCCEEDED,
        charge_id="ch1",
    )
    (seen,) = see(
        [payout(amount=Decimal("56.80"))],
        [
            entry("t1", "96.80", payout="po1"),
            entry("t2", "-40.00", kind=ProcessorEntryKind.REFUND, source="re1", payout="po1"),
            entry("t3", "-56.80", kind=ProcessorEntryKind.PAYOUT, source="po1", payout="po1"),
            entry("t4", "12.00"),
        ],
        refunds=[refund],
    )

    assert [(part.external_id, part.part_kind, part.net) for part in seen.parts] == [
        ("t1", PayoutPartKind.CHARGE, Decimal("96.80")),
        ("t2", PayoutPartKind.REFUND, Decimal("-40.00")),
    ]
    assert {(part.invoice_number, part.customer_name, part.text) for part in seen.parts} == {
        ("1042", "Ann", "Subscription")
    }
    assert (seen.rail, seen.amount, seen.is_automatic, seen.has_arrived) == ("cards", Decimal("56.80"), True, True)


def test_a_payout_whose_parts_are_not_held_is_shown_as_one_without_a_list() -> None:
    known, unknown, by_hand = see(
        [payout(), payout("po2"), payout("po3", is_automatic=False)], [entry("t1", "96.80", payout="po1")]
    )

    assert [one.is_automatic for one in (known, unknown, by_hand)] == [True, False, False]


def test_payouts_that_failed_or_were_cancelled_never_arrive() -> None:
    states = [PayoutState.FAILED, PayoutState.CANCELLED, PayoutState.IN_TRANSIT]
    seen = see([payout(state.value, state=state) for state in states], [])

    assert [(one.external_id, one.has_arrived) for one in seen] == [("in_transit", False)]


@pytest.mark.parametrize(
    ("day", "total", "currency", "arrived"),
    [
        (date(2026, 2, 27), "96.80", "USD", True),
        (date(2026, 3, 3), "96.80", "USD", True),  # four days after it arrives
        (date(2026, 3, 4), "96.80", "USD", False),
        (date(2026, 2, 22), "96.80", "USD", False),
        (date(2026, 2, 27), "96.81", "USD", False),
        (date(2026, 2, 27), "96.80", "CAD", False),
    ],
)
def test_a_payout_that_the_ledger_booked_does_not_count_twice(
    day: date, total: str, currency: str, arrived: bool
) -> None:
    deposit = Deposit(external_id="d1", document_date=day, currency=currency, total=Decimal(total))
    (seen,) = see([payout(state=PayoutState.IN_TRANSIT)], [], deposits=[deposit])

    assert seen.has_arrived is arrived


def test_what_no_payout_took_is_held_by_currency_and_day() -> None:
    held = [
        entry("t1", "50.00", source=None, available_on=TODAY),
        entry("t2", "30.00", source=None, available_on=date(2026, 3, 4)),
        entry("t3", "-5.00", kind=ProcessorEntryKind.FEE, source=None, available_on=date(2026, 3, 4)),
        entry("t4", "7.00", source=None, currency="CAD", available_on=date(2026, 3, 5)),
        entry("t5", "96.80", payout="po1"),
    ]
    earlier = [payout("po0", arrives=date(2026, 2, 20)), payout()]

    expected = [
        ("CAD", Decimal("7.00"), False, date(2026, 3, 5)),
        ("USD", Decimal("25.00"), False, date(2026, 3, 4)),
        ("USD", Decimal("50.00"), True, date(2026, 3, 6)),  # a week after the last, as that after the one before
    ]
    assert balances(held, earlier) == expected
    assert balances(held[::-1], earlier[::-1]) == expected


def test_a_charge_that_pays_an_invoice_is_left_to_the_ledger() -> None:
    held = [entry("t1", "50.00", available_on=TODAY), entry("t2", "8.00", source="ch2", available_on=TODAY)]

    assert balances(held, [], [charge(number="1042"), charge("ch2")]) == [("USD", Decimal("8.00"), True, TODAY)]


def test_where_payouts_are_made_by_hand_only_what_cannot_be_paid_out_yet_is_told() -> None:
    held = [
        entry("t1", "50.00", source=None, available_on=date(2026, 3, 1)),
        entry("t2", "-40.00", kind=ProcessorEntryKind.PAYOUT, source="po1", available_on=date(2026, 3, 1)),
        entry("t3", "20.00", source=None, available_on=date(2026, 3, 3)),
    ]

    assert balances(held, [payout(is_automatic=False)]) == [("USD", Decimal("20.00"), False, date(2026, 3, 3))]


def test_a_balance_of_nothing_is_none() -> None:
    back = entry("t2", "-50.00", kind=ProcessorEntryKind.REFUND, source=None, available_on=TODAY)

    assert balances([entry("t1", "50.00", source=None, available_on=TODAY), back]) == []
    assert make_processor_balances([], [], [], read_on=TODAY) == ()


def test_the_day_of_the_reading_is_the_connections_or_that_of_the_newest_movement() -> None:
    connection = Connection(
        connection_id=ConnectionId("c"),
        company_id=CompanyId("acme"),
        firm_id=FirmId("own"),
        rail="cards",
        settings={},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        last_success_at=datetime(2026, 3, 2, 23, 0, tzinfo=UTC),
    )
    other = connection.model_copy(update={"rail": "bank", "last_success_at": datetime(2026, 3, 9, tzinfo=UTC)})

    assert find_reading_day([entry("t1", "1.00")], [connection, other]) == TODAY
    assert find_reading_day([entry("t1", "1.00")], []) == date(2026, 2, 20)
    assert isinstance(
        make_processor_balances([entry("t1", "1.00", source=None)], [], [], read_on=TODAY)[0], ProcessorBalance
    )
