"""What rails send becomes pulls: few of them, and none for what asks for none."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKind
from runway_core.domain.jobs import Lane, Work
from runway_core.domain.webhooks import DeliveryKey, InboxDelivery, Listener, RailAccount, RailEvent
from runway_core.sync.nudges import SETTLE, plan_nudges

START = datetime(2026, 5, 5, 10, 15, tzinfo=UTC)


def listen(account: str, company: str, *, state: ConnectionState = ConnectionState.ACTIVE) -> Listener:
    return Listener(
        RailAccount("qbo", account), FirmId("own"), CompanyId(company), ConnectionId(f"{company}-qbo"), state
    )


def hear(name: str, *accounts: str, after: int = 0, rail: str = "qbo") -> InboxDelivery:
    at = START + timedelta(seconds=after)
    events = tuple(RailEvent(account, RecordKind.BILL, "1", "update", at) for account in accounts)
    return InboxDelivery(DeliveryKey(rail, name), b"{}", events, received_at=at, last_seen_at=at)


def test_a_burst_for_one_company_is_one_pull() -> None:
    burst = [hear(str(number), "1", "1", after=number) for number in range(100)]

    [job] = plan_nudges(burst, [listen("1", "acme")])

    assert (job.work, job.lane, job.company_id, job.rail) == (Work.PULL, Lane.WEBHOOK, "acme", "qbo")
    assert job.dedupe_key == "pull:acme-qbo"
    assert job.run_at == START + SETTLE
    assert (job.correlation_id, job.cause_id) == ("0", "99")


def test_a_delivery_for_several_companies_is_a_pull_of_each() -> None:
    jobs = plan_nudges([hear("a", "1", "2", "3")], [listen("1", "acme"), listen("2", "zeta"), listen("9", "other")])

    assert [job.company_id for job in jobs] == ["acme", "zeta"]


def test_every_firm_that_connected_the_company_gets_its_pull() -> None:
    jobs = plan_nudges([hear("a", "1")], [listen("1", "acme"), listen("1", "acme-of-another-firm")])

    assert [job.connection_id for job in jobs] == ["acme-qbo", "acme-of-another-firm-qbo"]


def test_a_connection_that_waits_for_a_person_is_not_pulled() -> None:
    states = {state: plan_nudges([hear("a", "1")], [listen("1", "acme", state=state)]) for state in ConnectionState}

    assert {state for state, jobs in states.items() if not jobs} == {
        ConnectionState.RECONNECT_NEEDED,
        ConnectionState.DISCONNECTED,
    }


def test_an_account_of_another_rail_is_another_company() -> None:
    assert plan_nudges([hear("a", "1", rail="other")], [listen("1", "acme")]) == []


def test_what_nobody_connected_asks_for_nothing() -> None:
    assert plan_nudges([hear("a", "1"), hear("b")], []) == []


@given(st.permutations([hear(str(number), str(number % 3), after=number) for number in range(7)]))
def test_the_order_in_which_deliveries_come_does_not_matter(deliveries: list[InboxDelivery]) -> None:
    listeners = [listen(str(number), f"company-{number}") for number in range(3)]

    assert plan_nudges(deliveries, listeners[::-1]) == plan_nudges(sorted(deliveries, key=lambda d: d.key), listeners)
