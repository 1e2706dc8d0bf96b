"""The bank reader against the sandbox, over loopback HTTP."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from runway_core.domain.bank import BankAccount, BankAccountKind, BankLine
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import (
    NotSupported,
    RailAccessLost,
    RailMisconfigured,
    RailThrottled,
    RailUnavailable,
    RecordGone,
)
from runway_core.ports.ledger_rail import RecordFix
from runway_rail_kit import Pauses
from runway_rail_plaid import PlaidRailFactory
from runway_sandbox.serve import SandboxProcess, start_sandbox
from runway_testkit.memory_calls import MemoryCallLedger

from tests.rails.paper_qbo import no_sleep
from tests.rails.plaid_desk import DAY_S, BankDesk


def lines_of(pages: list[ChangePage]) -> list[BankLine]:
    return [change.record for page in pages for change in page.changes if isinstance(change.record, BankLine)]


def accounts_of(pages: list[ChangePage]) -> list[BankAccount]:
    return [change.record for page in pages for change in page.changes if isinstance(change.record, BankAccount)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with start_sandbox(clients=1, bills_per_client=60, rails="qbo,plaid", more_arguments=["--no-throttle"]) as running:
        yield running


@pytest.fixture
async def desk(sandbox: SandboxProcess) -> AsyncIterator[BankDesk]:
    factory = PlaidRailFactory(pauses=Pauses(attempts=5, sleep=no_sleep))
    desk = BankDesk(sandbox.ready, factory)
    yield desk
    await desk.post("chaos", {"profile": "none"})
    await desk.bank("repair_login")
    await factory.aclose()


async def test_a_first_reading_is_the_whole_statement_with_the_accounts_as_the_company_sees_them(
    desk: BankDesk,
) -> None:
    pages = await desk.pull()
    lines, accounts = lines_of(pages), accounts_of(pages)

    assert pages[-1].is_last
    assert pages[-1].present_keys == frozenset(record.key for record in (*lines, *accounts))
    assert {one.bank_account_id for one in lines} <= {one.external_id for one in accounts}
    assert all(one.read_at is not None and one.read_at <= desk.clock.now() for one in accounts)
    card = next(one for one in accounts if one.bank_account_kind is BankAccountKind.CREDIT_CARD)
    assert card.posted is not None
    assert card.posted <= 0  # what is owed
    charged = [one.amount for one in lines if one.bank_account_id == card.external_id]
    assert min(charged) < 0
    assert [page.rejected for page in pages] == [()] * len(pages)


async def test_an_idle_tick_is_one_call_and_changes_nothing(desk: BankDesk) -> None:
    cursor = (await desk.pull())[-1].next_cursor
    rail = desk.open()
    (page,) = [page async for page in rail.changes_since(cursor)]

    assert rail.calls == 1
    assert (page.changes, page.deletions, page.present_keys, page.is_last) == ((), (), None, True)


async def test_after_an_hour_the_age_of_the_banks_data_is_asked_for(desk: BankDesk) -> None:
    cursor = (await desk.pull())[-1].next_cursor
    desk.clock.advance(timedelta(minutes=61))
    rail = desk.open()
    (page,) = [page async for page in rail.changes_since(cursor)]

    assert rail.calls == 3
    assert all(isinstance(change.record, BankAccount) for change in page.changes)


async def test_a_pending_line_is_retired_when_its_posted_one_comes(desk: BankDesk) -> None:
    first = await desk.pull()
    paid = await desk.pay_bill()
    await desk.advance(DAY_S)
    await desk.bank("fetch")
    second = await desk.pull(first[-1].next_cursor)
    await desk.advance(6 * DAY_S)
    await desk.bank("fetch")
    third = await desk.pull(second[-1].next_cursor)

    shown = [one for one in (*lines_of(second), *lines_of(third)) if one.amount == -paid]
    assert not shown[-1].is_pending
    if len(shown) == 2:  # where a weekend lies between it is pending for longer, and is seen so
        assert shown[0].is_pending
        assert shown[1].replaces_id == shown[0].external_id
        assert shown[0].key in {gone.key for page in third for gone in page.deletions}


async def test_a_list_that_moves_while_it_is_read_is_read_again_from_its_first_cursor(desk: BankDesk) -> None:
    quiet = lines_of(await desk.pull())
    await desk.post("chaos", {"profile": "none", "edits_while_paging": 0.5})
    moved = lines_of(await desk.pull())
    await desk.post("chaos", {"profile": "none", "edits_while_paging": 1})
    with pytest.raises(RailUnavailable, match="changed its list"):
        await desk.pull()

    assert sorted(one.external_id for one in moved) == sorted(one.external_id for one in quiet)


async def test_a_cursor_of_another_login_leads_to_a_whole_reading(desk: BankDesk) -> None:
    pages = await desk.pull(Cursor('{"cursor":"bm90IG91cnM=","checked_at":null}'))

    assert pages[-1].present_keys is not None
    assert lines_of(pages)


async def test_a_bank_that_wants_its_person_is_access_lost(desk: BankDesk) -> None:
    await desk.bank("lose_login")
    with pytest.raises(RailAccessLost, match="ITEM_LOGIN_REQUIRED") as lost:
        await desk.pull()
    with pytest.raises(RailAccessLost):  # the Item itself answers 200 and bears its fault
        await desk.open().check_connection()

    assert lost.value.request_id
    assert "access-" not in str(lost.value)


@pytest.mark.parametrize(
    ("profile", "error"),
    [("outage", RailUnavailable), ("maintenance", RailUnavailable), ("throttled", RailThrottled)],
)
async def test_a_vendor_in_trouble_is_told_from_one_that_is_busy(
    desk: BankDesk, profile: str, error: type[Exception]
) -> None:
    await desk.post("chaos", {"profile": profile, **({"throttled": 1} if profile == "throttled" else {})})
    with pytest.raises(error):
        await desk.pull()


async def test_five_in_a_hundred_failing_calls_lose_nothing(desk: BankDesk) -> None:
    quiet = lines_of(await desk.pull())
    await desk.post("chaos", {"profile": "flaky", "throttled": 0})
    again = lines_of(await desk.pull())

    assert {one.external_id for one in again} == {one.external_id for one in quiet}


async def test_wrong_keys_are_ours_and_a_dead_token_is_the_persons(desk: BankDesk) -> None:
    held = dict(desk.vault.secrets)
    desk.vault.secrets = {**held, "secret": SecretStr("wrong")}
    with pytest.raises(RailMisconfigured, match="INVALID_API_KEYS"):
        await desk.pull()
    desk.vault.secrets = {**held, "access_token": SecretStr("access-sandbox-gone")}
    with pytest.raises(RailAccessLost, match="INVALID_ACCESS_TOKEN") as lost:
        await desk.pull()

    assert "access-sandbox-gone" not in str(lost.value)


async def test_one_account_is_read_live_and_nothing_is_written(desk: BankDesk) -> None:
    account = accounts_of(await desk.pull())[0]
    rail = desk.open()
    change = await rail.read_record(account.key)

    assert change.record.key == account.key
    assert isinstance(change.record, BankAccount)
    assert change.record.read_at == desk.clock.now()
    with pytest.raises(RecordGone):
        await rail.read_record(RecordKey(RecordKind.BANK_ACCOUNT, "nobody"))
    with pytest.raises(NotSupported):
        await rail.read_record(RecordKey(RecordKind.BANK_TRANSACTION, "one"))
    with pytest.raises(NotSupported):
        await rail.apply_fix(RecordFix(account.key, ""), idempotency_key="k")


async def test_the_bank_tells_its_name(desk: BankDesk) -> None:
    profile = await desk.open().check_connection()

    assert (profile.name, profile.external_id) == ("First Platypus Bank", desk.settings["item_id"])


async def test_a_refusal_slows_all_workers_down_for_that_login_alone(desk: BankDesk) -> None:
    desk.calls = MemoryCallLedger()
    await desk.pull()
    before = await desk.calls.budgets(now=desk.clock.now())
    await desk.post("chaos", {"profile": "throttled", "throttled": 1})
    with pytest.raises(RailThrottled):
        await desk.pull()
    (look,) = await desk.calls.budgets(now=desk.clock.now())

    assert before == []
    assert look.key == f"plaid/{desk.settings['base_url']}/{desk.settings['item_id']}"
    assert look.percent < 100


async def test_a_login_without_data_yet_keeps_its_place_and_is_read_whole_later(desk: BankDesk) -> None:
    await desk.sign_in_anew()
    (early,) = await desk.pull()
    await desk.advance(120)
    later = await desk.pull(early.next_cursor)

    assert (early.changes, early.present_keys, early.is_last) == ((), None, True)
    assert later[-1].present_keys is not None
    assert lines_of(later)
