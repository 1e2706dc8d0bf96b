"""What was answered at a moment can be asked again: every view of the past is that of the books as they were known."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from runway_testkit.sample import READ_AT

from tests.app.firm import Firm

VIEWS = ("digest", "tray", "console", "outlook", "bills", "invoices", "balances")


@pytest.fixture
async def moved(firm: Firm) -> Firm:
    """Two days later the largest open bill is paid and gone, and another one is larger."""
    firm.clock.advance(timedelta(days=2))
    books = await firm.runway.books.read(firm.sample.company_id)
    paid, grown = sorted(books.open_bills, key=lambda bill: -bill.open_balance)[:2]
    firm.ledger.now = firm.clock.now() - timedelta(minutes=3)
    firm.ledger.delete(paid.key)
    firm.ledger.put(grown.model_copy(update={"total": grown.total + 500, "open_balance": grown.open_balance + 500}))
    await firm.runway.sync(firm.sample.company_id)
    return firm


async def test_the_digest_of_then_has_the_figures_of_then(firm: Firm) -> None:
    company_id = firm.sample.company_id
    then = await firm.runway.digest(company_id)
    tray = await firm.runway.tray(company_id)
    firm.clock.advance(timedelta(days=2))
    firm.ledger.now = firm.clock.now() - timedelta(minutes=3)
    largest = max((await firm.runway.books.read(company_id)).open_bills, key=lambda bill: bill.open_balance)
    firm.ledger.put(largest.model_copy(update={"open_balance": largest.open_balance + Decimal(500)}))
    await firm.runway.sync(company_id)

    now = await firm.runway.digest(company_id)
    known = await firm.runway.digest(company_id, known_at=READ_AT)
    known_tray = await firm.runway.tray(company_id, known_at=READ_AT)

    assert now.weeks != known.weeks
    for name in (
        "as_of",
        "runway",
        "burn",
        "figures",
        "cash",
        "weeks",
        "due",
        "receivables",
        "status",
        "findings_open",
    ):
        assert getattr(known, name) == getattr(then, name), name
    assert [group.check for group in known_tray.groups] == [group.check for group in tray.groups]


async def test_every_view_takes_a_moment_and_a_day(moved: Firm, client: httpx.AsyncClient) -> None:
    company = moved.sample.company_id
    for view in VIEWS:
        then = await client.get(f"/v1/companies/{company}/{view}", params={"as_of": READ_AT.isoformat()})
        same_day = await client.get(f"/v1/companies/{company}/{view}", params={"as_of": READ_AT.date().isoformat()})
        now = await client.get(f"/v1/companies/{company}/{view}")

        assert then.status_code == same_day.status_code == now.status_code == 200, (view, then.text[:300])
        assert then.json()["as_of"] == same_day.json()["as_of"] < now.json()["as_of"], view
        assert then.json()["books_read_at"].startswith(READ_AT.strftime("%Y-%m-%dT%H:%M"))


async def test_a_bill_that_is_gone_is_among_the_bills_of_then(moved: Firm, client: httpx.AsyncClient) -> None:
    address = f"/v1/companies/{moved.sample.company_id}/bills"
    now = (await client.get(address)).json()["items"]
    then = (await client.get(address, params={"as_of": READ_AT.isoformat()})).json()["items"]

    assert len(then) == len(now) + 1


async def test_the_portfolio_of_then_holds_the_companies_of_then(moved: Firm, client: httpx.AsyncClient) -> None:
    then = (await client.get("/v1/portfolio", params={"as_of": READ_AT.isoformat()})).json()
    before = (await client.get("/v1/portfolio", params={"as_of": "2020-01-01"})).json()

    assert (then["total"], before["total"]) == (3, 0), (then, before)
    assert then["generated_at"] == READ_AT.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("as_of", "status", "said"),
    [("2999-01-01", 422, "lies ahead"), ("2001-01-01", 404, "not known yet"), ("lately", 422, "no day or moment")],
)
async def test_a_moment_that_cannot_be_asked_about_is_refused(
    firm: Firm, client: httpx.AsyncClient, as_of: str, status: int, said: str
) -> None:
    answer = await client.get(f"/v1/companies/{firm.sample.company_id}/digest", params={"as_of": as_of})

    assert answer.status_code == status, answer.text
    assert said in answer.text


async def test_the_history_of_a_record_ends_at_the_moment(moved: Firm, client: httpx.AsyncClient) -> None:
    bills = (await client.get(f"/v1/companies/{moved.sample.company_id}/bills")).json()["items"]
    grown = max(bills, key=lambda item: float(item["bill"]["open_balance"]))["bill"]["external_id"]
    query = {"kind": "bill", "external_id": grown}
    address = f"/v1/companies/{moved.sample.company_id}/history"

    now = (await client.get(address, params=query)).json()["items"]
    then = (await client.get(address, params={**query, "as_of": READ_AT.isoformat()})).json()["items"]

    assert [entry["what"] for entry in then] == ["created"]
    assert [entry["what"] for entry in now] == ["created", "updated"]
