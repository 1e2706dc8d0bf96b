"""Any order of news, repeats, deletions and lost leases leaves what a dictionary would."""

import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from runway_core.domain.changes import ChangePage
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import LeaseLost
from runway_core.ports.store import Store
from runway_store_sql import SqlStore
from runway_testkit.memory_store import MemoryStore
from runway_testkit.store_desk import StoreDesk, make_bill

ids = st.sampled_from(["1", "2", "3", "4"])
revisions = st.integers(0, 3)
memos = st.sampled_from([None, "timber", "nails"])


class StoreMachine(RuleBasedStateMachine):
    """The model is a dictionary: id → (revision, memo, deleted)."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.desk = self.runner.run(StoreDesk(self.open_store()).open())
        self.model: dict[str, tuple[int, str | None, bool]] = {}
        self.entries = 2
        self.last: ChangePage | None = None

    def open_store(self) -> Store:
        return MemoryStore()

    def commit(self, page: ChangePage) -> int:
        self.last = page
        receipt = self.runner.run(self.desk.commit(page))
        self.entries += receipt.counts.changed
        return receipt.counts.changed

    @rule(external_id=ids, revision=revisions, memo=memos)
    def a_bill_is_shown(self, external_id: str, revision: int, memo: str | None) -> None:
        held = self.model.get(external_id)
        is_news = held is None or (revision >= held[0] and held != (revision, memo, False))
        changed = self.commit(self.desk.make_page(make_bill(external_id, revision=revision, memo=memo)))
        if is_news:
            self.model[external_id] = (revision, memo, False)

        assert changed == is_news

    @rule(external_id=ids)
    def a_bill_is_deleted(self, external_id: str) -> None:
        held = self.model.get(external_id)
        is_news = held is not None and not held[2]
        changed = self.commit(self.desk.make_page(deleted=[RecordKey(RecordKind.BILL, external_id)]))
        if held is not None:
            self.model[external_id] = (*held[:2], True)

        assert changed == is_news

    @rule(shown=st.frozensets(ids))
    def a_whole_reading_shows_some(self, shown: frozenset[str]) -> None:
        self.desk.seconds += 10
        present = frozenset(RecordKey(RecordKind.BILL, external_id) for external_id in shown)
        missing = [i for i, (_, _, is_deleted) in self.model.items() if i not in shown and not is_deleted]
        changed = self.commit(self.desk.make_page(present=present))
        for external_id in missing:
            self.model[external_id] = (*self.model[external_id][:2], True)

        assert changed == len(missing)

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_page_comes_again(self) -> None:
        assert self.last is not None
        if not self.last.deletions and self.last.present_keys is None:
            assert self.commit(self.last) == 0

    @rule(external_id=ids)
    def a_worker_without_the_lease_tries(self, external_id: str) -> None:
        lost = replace(self.desk.lease, fencing=self.desk.lease.fencing - 1)
        with pytest.raises(LeaseLost):
            self.runner.run(self.desk.commit(self.desk.make_page(make_bill(external_id, revision=9)), lease=lost))

    @rule()
    def another_process_takes_over(self) -> None:
        self.runner.run(self.desk.reopen())

    @invariant()
    def the_mirror_is_the_model_and_the_log_explains_it(self) -> None:
        mirror = self.runner.run(self.desk.read_mirror())
        held = {
            key.external_id: record.record
            for key, record in self.runner.run(self.desk.store.mirror.read_records(self.desk.id, list(mirror))).items()
        }

        assert {i: (int(held[i].revision), held[i].memo) for i in held} == {i: m[:2] for i, m in self.model.items()}  # type: ignore[attr-defined]  # bills alone
        assert {key.external_id: is_deleted for key, (_, is_deleted) in mirror.items()} == {
            i: m[2] for i, m in self.model.items()
        }
        assert mirror == self.runner.run(self.desk.fold_log())
        assert self.runner.run(self.desk.check_chain()) == self.entries

    def teardown(self) -> None:
        self.runner.close()


class SqliteMachine(StoreMachine):
    """The same on a SQLite file."""

    def open_store(self) -> Store:
        self.folder = Path(tempfile.mkdtemp(prefix="runway-machine-"))
        self.store = SqlStore(f"sqlite:///{self.folder / 'books.db'}")
        return self.runner.run(self.store.__aenter__())

    def teardown(self) -> None:
        self.runner.run(self.store.__aexit__(None, None, None))
        super().teardown()
        shutil.rmtree(self.folder)


TestMemoryMachine = StoreMachine.TestCase
TestMemoryMachine.settings = settings(max_examples=40, stateful_step_count=25)
TestSqliteMachine = SqliteMachine.TestCase
TestSqliteMachine.settings = settings(max_examples=12, stateful_step_count=20)
