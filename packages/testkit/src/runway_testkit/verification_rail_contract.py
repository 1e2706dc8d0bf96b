"""What every verification rail promises: inherit `VerificationRailContract`, and give a `desk` fixture.

class TestAcmeRail(VerificationRailContract):
@pytest.fixture
def desk(self) -> VerificationDesk: ...
"""

from typing import Protocol

import pytest
from runway_core.domain.bank import BankAccount, BankLine
from runway_core.errors import RailAccessLost

from runway_testkit.rail_desk import RailDesk, fold, pull


class VerificationDesk(RailDesk, Protocol):
    """One company's bank, changed as the world would, and rails opened on it."""

    async def add_line(self) -> None:
        """Let one line come to the statement, so that the rail can read it."""
        ...


class VerificationRailContract:
    """Every promise of a verification rail."""

    async def test_a_whole_reading_says_what_is_there_and_each_line_has_its_account(
        self, desk: VerificationDesk
    ) -> None:
        """If this fails: are all accounts in the first reading, and does its last page list every key?"""
        pages = await pull(desk)
        records = [change.record for page in pages for change in page.changes]
        accounts = {record.external_id for record in records if isinstance(record, BankAccount)}

        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert pages[-1].present_keys == frozenset(record.key for record in records)
        assert {record.kind for record in records} <= desk.abilities.kinds
        assert accounts
        assert {record.bank_account_id for record in records if isinstance(record, BankLine)} <= accounts

    async def test_every_balance_says_how_old_it_is(self, desk: VerificationDesk) -> None:
        """If this fails: is the time the bank's, not that of the answer?"""
        pages = await pull(desk)
        accounts = [c.record for page in pages for c in page.changes if isinstance(c.record, BankAccount)]

        assert all(account.read_at is not None for account in accounts if account.posted is not None)
        assert all(account.read_at <= pages[-1].source_time for account in accounts if account.read_at is not None)

    async def test_a_second_reading_brings_nothing_when_nothing_happened(self, desk: VerificationDesk) -> None:
        first = await pull(desk)
        second = await pull(desk, first[-1].next_cursor)

        assert fold(second) == {}
        assert second[-1].present_keys is None

    async def test_resuming_at_any_page_loses_nothing(self, desk: VerificationDesk) -> None:
        """If this fails: a page's cursor lies beyond what was given out by then."""
        pages = await pull(desk)
        whole = fold(pages)
        assert len(pages) > 1, "the desk's statement must fill more than one page"
        for place, page in enumerate(pages):
            resumed = await pull(desk, page.next_cursor)
            assert fold(resumed, fold(pages[: place + 1])) == whole

    async def test_a_new_line_comes_without_reading_everything_again(self, desk: VerificationDesk) -> None:
        first = await pull(desk)
        await desk.add_line()
        news = await pull(desk, first[-1].next_cursor)
        lines = [change.record for page in news for change in page.changes if isinstance(change.record, BankLine)]

        assert len(lines) == 1
        assert news[-1].present_keys is None
        assert fold(news, fold(first)).keys() == fold(await pull(desk)).keys()

    async def test_a_bank_that_wants_its_person_is_access_lost_and_tells_no_secret(
        self, desk: VerificationDesk
    ) -> None:
        first = await pull(desk)
        await desk.lose_access()
        with pytest.raises(RailAccessLost) as lost:
            await pull(desk, first[-1].next_cursor)

        assert not [secret for secret in desk.secrets if secret in f"{lost.value} {lost.value!r}"]
