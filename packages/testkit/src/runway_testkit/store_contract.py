"""What every store promises: inherit `StoreContract`, and give a `store` fixture that is open and empty.

class TestAcmeStore(StoreContract):
@pytest.fixture
async def store(self) -> AsyncIterator[Store]: ...
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr
from runway_core.domain.changes import Cursor, RejectedRecord
from runway_core.domain.company import CompanySettings, ConnectionState
from runway_core.domain.findings import FindingState, Severity
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey, RecordKind
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.sync_run import RunOutcome
from runway_core.errors import InvalidRequest, LeaseHeld, LeaseLost, NotFound, SuspiciousAbsence

from runway_testkit.answered_calls_contract import AnsweredCallsContract
from runway_testkit.changes_contract import ChangesContract
from runway_testkit.coverage_contract import CoverageContract
from runway_testkit.desk_contract import PERSON, DeskContract
from runway_testkit.erasure_contract import ErasureContract
from runway_testkit.firm_findings_contract import FirmFindingsContract
from runway_testkit.inbox_contract import InboxContract
from runway_testkit.kept_views_contract import KeptViewsContract
from runway_testkit.limits_contract import LimitsContract
from runway_testkit.outbox_contract import JobsContract
from runway_testkit.papers_contract import PapersContract
from runway_testkit.people_contract import PeopleContract
from runway_testkit.processor_contract import ProcessorContract
from runway_testkit.store_desk import BY, START, StoreDesk, make_account, make_bill, make_finding, make_position, raw_of
from runway_testkit.subscriptions_contract import SubscriptionsContract

BILL = RecordKey(RecordKind.BILL, "1")


class MirrorContract(DeskContract):
    """Promises of the mirror and the log."""

    async def test_a_page_is_mirrored_with_its_payload(self, desk: StoreDesk) -> None:
        """If this fails: are all fields written and read back, byte for byte?"""
        receipt = await desk.put(make_bill(memo="timber"))
        held = (await desk.store.mirror.read_records(desk.id, [BILL]))[BILL]

        assert held.record == make_bill(memo="timber")
        assert held.raw == raw_of(make_bill())
        assert held.log_sequence == receipt.log_sequence == (await desk.store.log.head(desk.id)).sequence
        assert (held.rail, held.seen_at, held.is_deleted) == ("qbo", START, False)
        assert receipt.counts.created == 1

    async def test_the_same_page_again_changes_nothing(self, desk: StoreDesk) -> None:
        page = desk.make_page(make_bill(), make_account())
        await desk.commit(page)
        before = await desk.store.log.head(desk.id)
        again = await desk.commit(page)

        assert (again.counts.unchanged, again.counts.changed) == (2, 0)
        assert await desk.store.log.head(desk.id) == before
        assert not again.balances_moved

    async def test_an_older_version_is_kept_out(self, desk: StoreDesk) -> None:
        await desk.put(make_bill(revision=3))
        receipt = await desk.put(make_bill(revision=2, memo="old news"))
        held = await desk.store.mirror.read_records(desk.id, [BILL])

        assert receipt.counts.outdated == 1
        assert held[BILL].record.revision == "3"

    async def test_an_update_is_logged_with_what_changed(self, desk: StoreDesk) -> None:
        await desk.put(make_bill())
        await desk.put(make_bill(revision=1, memo="paid by cheque"))
        history = await desk.store.log.history(desk.id, BILL)

        assert [entry.draft.what for entry in history] == ["created", "updated"]
        assert b'"memo":[null,"paid by cheque"]' in history[1].draft.changed

    async def test_a_deletion_leaves_a_tombstone_that_can_come_back(self, desk: StoreDesk) -> None:
        await desk.put(make_bill())
        await desk.commit(desk.make_page(deleted=[BILL], deleted_at=desk.now))
        gone = (await desk.store.mirror.read_records(desk.id, [BILL]))[BILL]
        listed = await desk.store.mirror.find_records(desk.id, RecordKind.BILL)
        await desk.put(make_bill(revision=5))
        back = (await desk.store.mirror.read_records(desk.id, [BILL]))[BILL]

        assert gone.is_deleted
        assert gone.record == make_bill()
        assert list(listed) == []
        assert not back.is_deleted
        assert [e.draft.what for e in await desk.store.log.history(desk.id, BILL)] == ["created", "deleted", "restored"]

    async def test_news_from_before_a_deletion_does_not_undo_it(self, desk: StoreDesk) -> None:
        await desk.put(make_bill())
        at = START + timedelta(hours=1)
        await desk.commit(desk.make_page(deleted=[BILL], deleted_at=at, source_time=at))
        receipt = await desk.commit(desk.make_page(make_bill(memo="late"), source_time=START + timedelta(hours=2)))

        assert receipt.counts.outdated == 1
        assert (await desk.store.mirror.read_records(desk.id, [BILL]))[BILL].is_deleted

    async def test_doubles_within_a_page_leave_the_newest(self, desk: StoreDesk) -> None:
        receipt = await desk.put(make_bill(revision=2), make_bill(revision=1, memo="older"))

        assert (receipt.counts.created, receipt.counts.outdated) == (1, 1)
        assert (await desk.store.mirror.read_records(desk.id, [BILL]))[BILL].record.revision == "2"

    async def test_the_log_explains_the_mirror_and_its_chain_holds(self, desk: StoreDesk) -> None:
        await desk.put(*(make_bill(str(n)) for n in range(40)), make_account())
        await desk.put(*(make_bill(str(n), revision=1, memo="x") for n in range(20)))
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.BILL, str(n)) for n in range(10)]))
        mirror = await desk.read_mirror()

        assert len(mirror) == 41
        assert mirror == await desk.fold_log()
        assert await desk.check_chain() == 41 + 20 + 10 + 2  # the company and its connection were added

    async def test_the_cursor_moves_with_the_page_alone(self, desk: StoreDesk) -> None:
        mirror, connection = desk.store.mirror, desk.connection.connection_id
        before = await mirror.cursor(connection, desk.id)
        await desk.commit(desk.make_page(cursor="first"))
        lost = replace(desk.lease, fencing=desk.lease.fencing - 1)
        with pytest.raises(LeaseLost):
            await desk.commit(desk.make_page(make_bill(), cursor="second"), lease=lost)

        assert before is None
        assert await mirror.cursor(connection, desk.id) == Cursor("first")
        assert await mirror.read_records(desk.id, [BILL]) == {}

    async def test_a_bad_record_goes_to_quarantine_and_the_others_go_on(self, desk: StoreDesk) -> None:
        bad = RejectedRecord(RecordKind.BILL, "9", "the amount is not a number", b'{"Id":"9"}')
        page = desk.make_page(make_bill(), rejected=[bad])
        receipt = await desk.commit(page)
        await desk.commit(page)
        (held,) = await desk.store.mirror.quarantine(desk.id)
        counts = await desk.store.registry.count_quarantined(desk.company.firm_id)

        assert counts == {desk.id: 1}
        assert (receipt.counts.created, receipt.counts.quarantined) == (1, 1)
        assert (held.reason, held.raw, held.external_id) == (bad.reason, bad.raw, "9")
        assert (held.times_seen, held.first_seen_at, held.last_seen_at) == (2, START, START + timedelta(seconds=1))
        act = LogDraft(desk.now, "qbo", "quarantine", held.quarantine_id, "quarantine_discarded", BY)
        assert await desk.store.mirror.discard_quarantined(desk.id, held.quarantine_id, act=act)
        assert not await desk.store.mirror.discard_quarantined(desk.id, held.quarantine_id, act=act)
        assert [entry.draft.what async for entry in desk.store.log.entries(desk.id)].count(act.what) == 1

    async def test_a_mended_record_leaves_quarantine(self, desk: StoreDesk) -> None:
        await desk.commit(desk.make_page(rejected=[RejectedRecord(RecordKind.BILL, "1", "odd", b"{}")]))
        await desk.put(make_bill())

        assert list(await desk.store.mirror.quarantine(desk.id)) == []

    @pytest.mark.parametrize(
        "bad",
        [
            make_bill("2").model_copy(update={"memo": "nul\x00here"}),
            make_bill("2").model_copy(update={"revision_number": 2**63}),
            make_bill("2\x00"),
        ],
        ids=["nul", "huge number", "nul in the id"],
    )
    async def test_what_no_column_can_hold_goes_to_quarantine(self, desk: StoreDesk, bad: object) -> None:
        receipt = await desk.commit(desk.make_page(make_bill(), bad))  # type: ignore[arg-type]  # a parametrized bill

        assert (receipt.counts.created, receipt.counts.quarantined) == (1, 1)
        assert [held.external_id for held in await desk.store.mirror.quarantine(desk.id)] == ["2"]

    async def test_balances_have_history_and_a_close_a_day(self, desk: StoreDesk) -> None:
        await desk.put(make_account(balance="10.0000"))
        await desk.put(make_account(balance="12.5000"))
        desk.seconds = 16 * 3600  # 01:00 of the next day in Chicago
        await desk.reopen()
        receipt = await desk.put(make_account(balance="-3.0000"))
        history = await desk.store.mirror.balance_history(desk.id, "35")
        recent = await desk.store.mirror.balance_history(desk.id, "35", since=START + timedelta(hours=1))
        closes = await desk.store.mirror.balance_closes(desk.id, first_day=date(2026, 3, 1), last_day=date(2026, 3, 31))

        assert receipt.balances_moved
        assert [change.balance for change in history] == [Decimal("10.0000"), Decimal("12.5000"), Decimal("-3.0000")]
        assert [change.balance for change in recent] == [Decimal("-3.0000")]
        assert [(close.day, close.balance) for close in closes] == [
            (date(2026, 3, 2), Decimal("12.5000")),
            (date(2026, 3, 3), Decimal("-3.0000")),
        ]

    async def test_what_a_whole_reading_does_not_show_is_retired(self, desk: StoreDesk) -> None:
        await desk.put(*(make_bill(str(n)) for n in range(6)))
        present = frozenset(RecordKey(RecordKind.BILL, str(n)) for n in range(4))
        desk.seconds += 60
        receipt = await desk.commit(desk.make_page(make_bill("6"), present=present))
        counts = await desk.store.mirror.count_records(desk.id)

        assert (receipt.counts.deleted, receipt.counts.created) == (2, 1)
        assert counts[RecordKind.BILL] == 5

    async def test_a_suspicious_absence_retires_nothing(self, desk: StoreDesk) -> None:
        await desk.put(*(make_bill(str(n)) for n in range(50)))
        desk.seconds += 60
        page = desk.make_page(present=frozenset({BILL}))
        with pytest.raises(SuspiciousAbsence):
            await desk.commit(page)
        kept = await desk.store.mirror.count_records(desk.id)
        receipt = await desk.commit(page, accept_missing=True)

        assert kept[RecordKind.BILL] == 50
        assert receipt.counts.deleted == 49

    async def test_another_rails_records_are_not_retired(self, desk: StoreDesk) -> None:
        await desk.put(make_bill("1"))
        other = StoreDesk(desk.store, rail="ramp")
        await desk.store.registry.add_connection(other.connection, attribution=BY)
        await other.reopen()
        other.seconds = 60
        receipt = await other.commit(other.make_page(present=frozenset()))

        assert receipt.counts.deleted == 0

    async def test_books_hold_open_documents_and_recent_ones(self, desk: StoreDesk) -> None:
        closed = {"open_balance": Decimal("0.0000")}
        old = make_bill("old").model_copy(update={"document_date": date(2020, 1, 1)})
        await desk.put(
            make_bill("recent").model_copy(update=closed), old, old.model_copy(update={"external_id": "gone"} | closed)
        )
        await desk.put(make_bill("dead"), make_account())
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.BILL, "dead")]))
        books = await desk.store.mirror.load_books(
            desk.company, as_of=date(2026, 3, 2), history_from=date(2025, 1, 1), read_at=desk.now
        )

        assert [bill.external_id for bill in books.bills] == ["old", "recent"]
        assert [account.balance for account in books.accounts] == [Decimal("1201.0000")]
        assert books.log_sequence == (await desk.store.log.head(desk.id)).sequence
        assert [connection.rail for connection in books.connections] == ["qbo"]

    async def test_records_are_listed_in_pages_by_id(self, desk: StoreDesk) -> None:
        await desk.put(
            *(make_bill(n, open_balance="0.0000" if n == "b" else "40.0000") for n in ("a", "B", "b", "10", "9"))
        )
        first = await desk.store.mirror.find_records(desk.id, RecordKind.BILL, limit=3)
        rest = await desk.store.mirror.find_records(desk.id, RecordKind.BILL, after="B")
        still_open = await desk.store.mirror.find_records(desk.id, RecordKind.BILL, open_only=True, after="B")

        assert [held.record.external_id for held in first] == ["10", "9", "B"]
        assert [held.record.external_id for held in rest] == ["a", "b"]
        assert [held.record.external_id for held in still_open] == ["a"]

    async def test_companies_are_due_until_their_position_is_stored(self, desk: StoreDesk) -> None:
        mirror = desk.store.mirror
        before = await mirror.companies_due()
        await desk.put(make_bill())
        due = await mirror.companies_due(desk.company.firm_id)
        await desk.store.positions.save_position(await make_position(desk), [])
        stored = await mirror.companies_due()
        await desk.put(make_bill(revision=1))

        assert (list(before), list(due), list(stored)) == ([], [desk.id], [])
        assert list(await mirror.companies_due()) == [desk.id]
        assert list(await mirror.companies_due(FirmId("other"))) == []

    async def test_the_log_is_read_in_batches_from_anywhere(self, desk: StoreDesk) -> None:
        await desk.put(*(make_bill(str(n)) for n in range(10)))
        tail = [entry.sequence async for entry in desk.store.log.entries(desk.id, after=9, batch=2)]

        assert tail == [10, 11, 12]

    async def test_acts_are_appended_to_the_same_chain(self, desk: StoreDesk) -> None:
        draft = LogDraft(
            seen_at=START, rail="", kind="export", external_id="1", what="books_exported", attribution=PERSON
        )
        head = await desk.store.log.append(desk.id, [draft])

        assert head == await desk.store.log.head(desk.id)
        assert await desk.check_chain() == 3
        with pytest.raises(NotFound):
            await desk.store.log.append(CompanyId("nobody"), [draft])


class RegistryContract(DeskContract):
    """Promises of the registry and the vault."""

    async def test_a_company_is_kept_and_changed(self, desk: StoreDesk) -> None:
        registry = desk.store.registry
        changed = desk.company.model_copy(
            update={"name": "Zeta", "tags": ("vip",), "settings": CompanySettings(buffer=Decimal("12.5000"))}
        )
        await registry.update_company(changed, attribution=PERSON)

        assert await registry.company(desk.company.firm_id, desk.id) == changed
        assert await desk.check_chain() == 3
        with pytest.raises(InvalidRequest):
            await registry.add_company(desk.company, attribution=BY)
        with pytest.raises(InvalidRequest):
            await registry.add_connection(desk.connection, attribution=BY)

    async def test_a_lease_keeps_others_out_until_it_runs_out(self, desk: StoreDesk) -> None:
        registry, later = desk.store.registry, START + timedelta(seconds=3600)
        with pytest.raises(LeaseHeld):
            await registry.take_lease(desk.connection, holder="other", now=START, lasts_seconds=60)
        taken = await registry.take_lease(desk.connection, holder="other", now=later, lasts_seconds=60)

        assert taken.fencing > desk.lease.fencing
        with pytest.raises(LeaseLost):
            await desk.put(make_bill())
        with pytest.raises(LeaseLost):
            await registry.renew_lease(desk.lease, now=later, lasts_seconds=60)

    async def test_a_lease_that_ran_out_commits_nothing_until_renewed(self, desk: StoreDesk) -> None:
        desk.seconds = 3600
        with pytest.raises(LeaseLost):
            await desk.put(make_bill())
        renewed = await desk.store.registry.renew_lease(desk.lease, now=desk.now, lasts_seconds=60)
        receipt = await desk.commit(desk.make_page(make_bill()), lease=renewed)

        assert receipt.counts.created == 1

    async def test_a_run_counts_its_pages_and_lets_go(self, desk: StoreDesk) -> None:
        registry = desk.store.registry
        await desk.put(make_bill("1"), make_bill("2"))
        await desk.put(make_bill("1"))
        run = desk.make_run().model_copy(update={"outcome": RunOutcome.SUCCEEDED, "ended_at": desk.now, "calls": 7})
        await registry.end_run(
            desk.lease, run, state=ConnectionState.ACTIVE, source_read_at=START, was_full=True, attribution=BY
        )
        (stored,) = await registry.runs(desk.company.firm_id, desk.id)
        (connection,) = await registry.connections(desk.company.firm_id)
        last = await registry.last_runs(desk.company.firm_id)

        assert last == {desk.id: stored}
        assert (stored.counts.pages, stored.counts.created, stored.counts.unchanged) == (2, 2, 1)
        assert (stored.outcome, stored.calls, stored.ended_at) == (RunOutcome.SUCCEEDED, 7, desk.now)
        assert (connection.state, connection.source_read_at) == (ConnectionState.ACTIVE, START)
        assert connection.last_full_at == connection.last_success_at == desk.now
        assert await registry.take_lease(desk.connection, holder="other", now=desk.now, lasts_seconds=1)

    async def test_a_failed_run_is_logged_and_counted(self, desk: StoreDesk) -> None:
        failed = {"outcome": RunOutcome.FAILED, "ended_at": START, "error_code": "rail-unavailable", "error": "gone"}
        run = desk.make_run().model_copy(update=failed)
        await desk.store.registry.end_run(
            desk.lease, run, state=ConnectionState.FAILING, source_read_at=None, was_full=False, attribution=BY
        )
        (connection,) = await desk.store.registry.connections(desk.company.firm_id, desk.id)
        whats = [entry.draft.what async for entry in desk.store.log.entries(desk.id, after=2)]

        assert (connection.failures_in_a_row, connection.last_error_code) == (1, "rail-unavailable")
        assert connection.last_success_at is None
        assert whats == ["run_failed", "connection_state_changed"]
        with pytest.raises(LeaseLost):
            await desk.put(make_bill())

    async def test_secrets_are_kept_whole_and_forgotten(self, desk: StoreDesk) -> None:
        vault, connection = desk.store.vault, desk.connection.connection_id
        await vault.save(connection, {"access_token": SecretStr("one"), "refresh_token": SecretStr("two")})
        await vault.save(connection, {"refresh_token": SecretStr("three")})
        held = await vault.load(connection)
        await vault.forget(connection)
        await vault.forget(connection)

        assert {name: value.get_secret_value() for name, value in held.items()} == {"refresh_token": "three"}
        assert await vault.load(connection) == {}
        with pytest.raises(NotFound):
            await vault.save(ConnectionId("unknown"), {})


class PositionContract(KeptViewsContract):
    """Promises of stored positions and findings, and of the walls between firms."""

    async def test_a_position_that_saw_less_is_refused(self, desk: StoreDesk) -> None:
        positions = desk.store.positions
        early = await make_position(desk)
        await desk.put(make_bill())
        late = await make_position(desk)

        assert await positions.save_position(late, [])
        assert await positions.save_position(late.model_copy(update={"cleanness": 1}), [])
        assert not await positions.save_position(early, [make_finding(desk)])
        stored = await positions.position(desk.company.firm_id, desk.id)
        assert stored == late.model_copy(update={"cleanness": 1})
        assert list(await positions.positions(desk.company.firm_id)) == [stored]
        assert list(await positions.findings(desk.id)) == []

    async def test_findings_that_are_gone_are_fixed(self, desk: StoreDesk) -> None:
        positions = desk.store.positions
        low, high = make_finding(desk, "1", Severity.LOW), make_finding(desk, "2", Severity.HIGH)
        await positions.save_position(await make_position(desk), [low, high])
        both = await positions.findings(desk.id)
        await positions.save_position(await make_position(desk), [low])

        assert list(both) == [high, low]
        assert [f.state for f in await positions.findings(desk.id)] == [FindingState.FIXED, FindingState.OPEN]
        assert list(await positions.findings(desk.id, states=frozenset({FindingState.OPEN}))) == [low]

    async def test_a_decision_is_stored_logged_and_makes_the_position_due(self, desk: StoreDesk) -> None:
        positions, tracked = desk.store.positions, make_finding(desk)
        await desk.put(make_bill())
        await positions.save_position(await make_position(desk), [tracked])
        accepted = tracked.model_copy(update={"state": FindingState.ACCEPTED, "reason": "it is right"})
        await positions.decide_finding(desk.id, accepted, attribution=PERSON, at=desk.now)
        last = [entry async for entry in desk.store.log.entries(desk.id)][-1]

        assert list(await positions.findings(desk.id)) == [accepted]
        assert (last.draft.what, last.draft.attribution) == ("finding_decided", PERSON)
        assert list(await desk.store.mirror.companies_due()) == [desk.id]
        with pytest.raises(NotFound):
            await positions.decide_finding(desk.id, make_finding(desk, "9"), attribution=PERSON, at=desk.now)

    async def test_several_decisions_are_stored_together_or_not_at_all(self, desk: StoreDesk) -> None:
        positions = desk.store.positions
        both = [make_finding(desk, number) for number in ("1", "2")]
        await positions.save_position(await make_position(desk), both)
        asked = [tracked.model_copy(update={"state": FindingState.ASKED}) for tracked in both]
        before = await desk.store.log.head(desk.id)
        with pytest.raises(NotFound):
            await positions.decide_findings(desk.id, [asked[0], make_finding(desk, "9")], attribution=PERSON, at=START)
        await positions.decide_findings(desk.id, [], attribution=PERSON, at=START)
        untouched = await desk.store.log.head(desk.id), {f.state for f in await positions.findings(desk.id)}
        await positions.decide_findings(desk.id, asked, attribution=PERSON, at=START)

        assert untouched == (before, {FindingState.OPEN})
        assert {f.state for f in await positions.findings(desk.id)} == {FindingState.ASKED}
        assert await desk.check_chain() == before.sequence + 2

    async def test_nothing_crosses_between_two_firms(self, desk: StoreDesk) -> None:
        """If this fails: which statement does not name its company or firm?"""
        other = await StoreDesk(desk.store, firm="rival", company="zenith").open()
        await desk.put(make_bill("1", memo="canary"), make_account())
        await other.put(make_bill("1", memo="rival"))
        await desk.store.positions.save_position(await make_position(desk), [make_finding(desk)])
        await desk.store.vault.save(desk.connection.connection_id, {"token": SecretStr("canary")})
        store, rival, own = desk.store, FirmId("rival"), desk.company.firm_id

        assert [c.company_id for c in await store.registry.companies(rival)] == ["zenith"]
        assert [c.company_id for c in await store.registry.connections(rival)] == ["zenith"]
        assert list(await store.registry.connections(rival, desk.id)) == []
        assert list(await store.registry.runs(rival, desk.id)) == []
        assert set(await store.registry.last_runs(rival)) == {"zenith"}
        assert await store.positions.position(rival, desk.id) is None
        assert list(await store.positions.positions(rival)) == []
        assert list(await store.positions.findings(other.id)) == []
        assert list(await store.mirror.companies_due(rival)) == ["zenith"]
        assert (await store.mirror.count_records(other.id))[RecordKind.ACCOUNT] == 0
        assert (await store.mirror.read_records(other.id, [BILL]))[BILL].record == make_bill("1", memo="rival")
        assert await store.mirror.cursor(desk.connection.connection_id, other.id) is None
        for call in (
            store.registry.company(rival, desk.id),
            store.registry.update_company(desk.company.model_copy(update={"firm_id": rival}), attribution=BY),
            store.registry.take_lease(
                desk.connection.model_copy(update={"firm_id": rival}), holder="x", now=START, lasts_seconds=1
            ),
            store.positions.save_position((await make_position(desk)).model_copy(update={"firm_id": rival}), []),
        ):
            with pytest.raises(NotFound):
                await call
        with pytest.raises(LeaseLost):
            await other.commit(other.make_page(), lease=replace(desk.lease, firm_id=rival))
        asked = desk.company.model_copy(update={"firm_id": rival})
        foreign = await store.mirror.load_books(asked, as_of=START.date(), history_from=START.date(), read_at=START)
        assert (foreign.bills, foreign.connections, foreign.log_sequence) == ((), (), 0)
        assert await store.registry.company(own, desk.id) == desk.company


class StoreContract(
    MirrorContract,
    ChangesContract,
    ProcessorContract,
    RegistryContract,
    PositionContract,
    FirmFindingsContract,
    PapersContract,
    JobsContract,
    InboxContract,
    CoverageContract,
    PeopleContract,
    AnsweredCallsContract,
    LimitsContract,
    ErasureContract,
    SubscriptionsContract,
):
    """Every promise of a store."""
