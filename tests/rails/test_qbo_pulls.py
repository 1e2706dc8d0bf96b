"""Pulls after the first: one call when nothing happened, and as many more as are needed to be sure."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from runway_core.domain.changes import ChangePage, Cursor
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import Account, CompanyInfo
from runway_core.errors import RailUnavailable

from tests.rails.paper_qbo import PaperQbo


class Mirror:
    """Pulls again and again, and keeps what came."""

    def __init__(self, paper: PaperQbo, **settings: Any) -> None:
        self.paper = paper
        self.settings = settings
        self.cursor: Cursor | None = None
        self.held: dict[RecordKey, object] = {}
        self.pages: list[ChangePage] = []

    async def pull(self) -> int:
        """Pull once; tell how many calls it took."""
        rail = self.paper.open(**self.settings)
        self.pages = [page async for page in rail.changes_since(self.cursor)]
        for page in self.pages:
            self.held.update({change.record.key: change.record for change in page.changes})
            for deletion in page.deletions:
                self.held.pop(deletion.key, None)
            if page.present_keys is not None:
                self.held = {key: record for key, record in self.held.items() if key in page.present_keys}
        self.cursor = self.pages[-1].next_cursor
        return rail.calls

    def ids(self, kind: RecordKind = RecordKind.BILL) -> set[str]:
        return {key.external_id for key in self.held if key.kind is kind}

    def balance(self, account_id: str) -> int:
        account = self.held[RecordKey(RecordKind.ACCOUNT, account_id)]
        assert isinstance(account, Account)
        return int(account.balance)

    def is_whole(self) -> bool:
        return self.pages[-1].present_keys is not None


@pytest.fixture
def paper() -> PaperQbo:
    paper = PaperQbo()
    for number in range(1, 21):
        paper.put_bill(str(number))
    paper.put_account("7", 500)
    paper.clock.advance(timedelta(days=1))
    return paper


@pytest.fixture
async def mirror(paper: PaperQbo) -> Mirror:
    mirror = Mirror(paper)
    await mirror.pull()
    paper.clock.advance(timedelta(minutes=15))
    return mirror


async def test_an_idle_pull_is_one_call(paper: PaperQbo, mirror: Mirror) -> None:
    assert [await mirror.pull() for _ in range(3)] == [1, 1, 1]
    assert mirror.pages[-1].changes == ()
    assert "Bill" in paper.requests[-1].url.params["entities"]


async def test_money_that_moved_asks_for_the_accounts_once(paper: PaperQbo, mirror: Mirror) -> None:
    """Whether change data capture shows an account whose balance alone moved is not known: it must not matter."""
    paper.cdc_shows_balances = False
    paper.put_bill("3", amount=0)
    paper.put_account("7", 400)

    calls = await mirror.pull()
    again = await mirror.pull()  # the overlap shows the bill once more

    assert calls == 2
    assert mirror.balance("7") == 400
    assert again == 1


async def test_a_vendor_that_changed_moves_no_money(paper: PaperQbo, mirror: Mirror) -> None:
    paper.put("Vendor", "50", DisplayName="Norton")

    assert await mirror.pull() == 1
    assert mirror.ids(RecordKind.VENDOR) == {"50"}


async def test_a_deletion_moves_money(paper: PaperQbo, mirror: Mirror) -> None:
    paper.remove("Bill", "5")

    assert await mirror.pull() == 2
    assert "5" not in mirror.ids()


async def test_a_time_in_the_future_is_no_watermark(paper: PaperQbo, mirror: Mirror) -> None:
    """Such a row comes every time; nothing later than it may be missed, and it costs one account query only once."""
    paper.clock.advance(timedelta(days=40))
    paper.put_bill("3")
    paper.clock.advance(timedelta(days=-40))
    await mirror.pull()
    paper.clock.advance(timedelta(minutes=15))
    paper.put_bill("4", amount=4)

    assert await mirror.pull() == 2
    assert {change.record.external_id for change in mirror.pages[-1].changes} >= {"3", "4"}
    paper.clock.advance(timedelta(minutes=15))
    assert await mirror.pull() == 1


async def test_a_change_that_shows_late_is_caught_by_the_overlap(paper: PaperQbo, mirror: Mirror) -> None:
    await mirror.pull()
    paper.clock.advance(timedelta(minutes=-2))
    paper.put_bill("4", amount=4)
    paper.clock.advance(timedelta(minutes=17))
    await mirror.pull()

    assert any(change.record.external_id == "4" for change in mirror.pages[-1].changes)


async def test_the_companys_own_record_is_read_daily(paper: PaperQbo, mirror: Mirror) -> None:
    paper.clock.advance(timedelta(hours=25))
    paper.put("CompanyInfo", "1", CompanyName="Paper & Daughters")

    assert await mirror.pull() == 3
    company = mirror.held[RecordKey(RecordKind.COMPANY_INFO, "1")]
    assert isinstance(company, CompanyInfo)
    assert company.name == "Paper & Daughters"
    paper.clock.advance(timedelta(minutes=15))
    assert await mirror.pull() == 1


async def test_an_answer_that_was_cut_off_is_asked_for_kind_by_kind(paper: PaperQbo, mirror: Mirror) -> None:
    for number in range(100, 700):
        paper.put_bill(str(number))
        paper.put("Payment", str(number + 1000), TxnDate="2026-05-05", TotalAmt=1)
    paper.remove("Bill", "5")
    calls = await mirror.pull()

    assert calls == 1 + 15 + 1
    assert not mirror.is_whole()
    assert mirror.ids() == set(paper.shelves["Bill"])
    assert mirror.ids(RecordKind.CUSTOMER_PAYMENT) == set(paper.shelves["Payment"])


async def test_one_kind_cut_off_alone_is_answered_by_a_whole_reading(paper: PaperQbo, mirror: Mirror) -> None:
    """More than a thousand bills changed: deletions behind them stay unknown, so everything is read again."""
    for number in range(100, 1300):
        paper.put_bill(str(number))
    paper.remove("Bill", "5")
    await mirror.pull()

    assert mirror.is_whole()
    assert mirror.ids() == set(paper.shelves["Bill"])


async def test_an_overlap_that_is_full_needs_no_whole_reading(paper: PaperQbo, mirror: Mirror) -> None:
    for number in range(100, 1300):
        paper.put_bill(str(number))
    paper.clock.advance(timedelta(seconds=10))
    await mirror.pull()
    paper.clock.advance(timedelta(seconds=60))
    paper.remove("Bill", "6")
    paper.put_bill("7", amount=7)
    await mirror.pull()

    assert not mirror.is_whole()
    assert mirror.ids() == set(paper.shelves["Bill"])


async def test_bulk_entry_just_before_the_first_load_is_read_whole() -> None:
    """Everything lies within the overlap, so change data capture is cut off at once."""
    paper = PaperQbo()
    for number in range(1, 1301):
        paper.put_bill(str(number))
    mirror = Mirror(paper)
    await mirror.pull()

    assert mirror.ids() == set(paper.shelves["Bill"])
    assert mirror.is_whole()


async def test_a_deletion_behind_the_cut_of_a_first_load_is_found() -> None:
    paper = PaperQbo()
    for number in range(1, 1301):
        paper.put_bill(str(number))
    asked: list[str] = []

    def delete_at_the_end(request: httpx.Request) -> None:
        asked.append(request.url.path)
        if request.url.path.endswith("/cdc") and sum(path.endswith("/cdc") for path in asked) == 1:
            paper.remove("Bill", "17")

    paper.interrupt = delete_at_the_end
    mirror = Mirror(paper)
    await mirror.pull()

    assert mirror.ids() == set(paper.shelves["Bill"])
    assert RecordKey(RecordKind.BILL, "17") not in (mirror.pages[-1].present_keys or ())


@pytest.mark.parametrize("days", [29.5, 31, 400])
async def test_a_cursor_older_than_the_horizon_reads_everything(paper: PaperQbo, mirror: Mirror, days: float) -> None:
    paper.remove("Bill", "5")
    paper.clock.advance(timedelta(days=days))
    await mirror.pull()

    assert mirror.is_whole()
    assert "5" not in mirror.ids()


async def test_a_horizon_that_only_the_vendor_sees_reads_everything(paper: PaperQbo, mirror: Mirror) -> None:
    """Our clock stood still, such as on a restored machine; the vendor refuses the time."""
    paper.remove("Bill", "5")

    def refuse_old(request: httpx.Request) -> httpx.Response | None:
        first = request.url.path.endswith("/cdc") and not any(
            "FROM Bill" in asked.url.params.get("query", "") for asked in paper.requests[-20:]
        )
        return paper.fault("4001", "Invalid query", detail="changedSince is too long ago") if first else None

    paper.requests.clear()
    paper.interrupt = refuse_old
    await mirror.pull()

    assert mirror.is_whole()
    assert "5" not in mirror.ids()


@pytest.mark.parametrize("token", ["", "{}", "not json", '{"phase":"since"}', '{"phase":"odd","version":1}'])
async def test_a_cursor_that_cannot_be_read_reads_everything(paper: PaperQbo, token: str) -> None:
    mirror = Mirror(paper)
    mirror.cursor = Cursor(token)
    await mirror.pull()

    assert mirror.is_whole()


async def test_a_cursor_of_another_company_reads_everything(paper: PaperQbo, mirror: Mirror) -> None:
    assert mirror.cursor is not None
    mirror.cursor = Cursor(mirror.cursor.token.replace("9341450000000001", "9341450000000002"))
    await mirror.pull()

    assert mirror.is_whole()


async def test_a_pull_that_fails_midway_is_repeated_whole(paper: PaperQbo, mirror: Mirror) -> None:
    """Change data capture answered and the account query did not: nothing was told, so nothing is lost."""
    paper.put_bill("3", amount=3)
    paper.interrupt = lambda request: (
        httpx.Response(503, text="<html>down</html>") if "FROM Account" in request.url.params.get("query", "") else None
    )
    with pytest.raises(RailUnavailable):
        await mirror.pull()
    paper.interrupt = None

    assert await mirror.pull() == 2
    assert any(change.record.external_id == "3" for change in mirror.pages[-1].changes)


async def test_a_cursor_at_rest_is_small(mirror: Mirror) -> None:
    await mirror.pull()

    assert mirror.cursor is not None
    assert len(mirror.cursor.token) < 400
