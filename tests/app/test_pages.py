"""The pages, through HTTP, over a real database."""

import csv
import io
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest
from runway_core.domain.decisions import DecisionOutcome
from runway_core.errors import RailAccessLost

from tests.app.firm import FORMULA, HOSTILE, Firm

PAGES = (
    "",
    "/tray",
    "/tray?state=all",
    "/reconciliation",
    "/console",
    "/outlook",
    "/scenarios",
    "/scenarios?label=Van&day=2026-03-20&sum=900",
    "/planned",
    "/planned?closed=true",
    "/questions",
    "/policy",
)
TABLES = (
    "/portfolio.csv",
    *(f"/companies/{{id}}/{table}.csv" for table in ("tray", "bills", "console", "outlook", "policy")),
    "/companies/{id}/collections.csv",
    "/companies/{id}/history.csv?kind=bill&external_id=B1",
    "/health.csv",
)
VOID = frozenset({"meta", "link", "input", "br", "path", "circle", "rect"})


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed, and what the tests ask for is collected."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.children: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.open:
            self.children.append((self.open[-1], tag))
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


async def read(client: httpx.AsyncClient, address: str) -> tuple[Reader, str]:
    answer = await client.get(address)
    assert answer.status_code == 200, f"{address}: {answer.text}"
    return Reader(answer.text), answer.text


def addresses(firm: Firm) -> list[str]:
    companies = [firm.sample, firm.hostile, firm.unread]
    firm_wide = [
        "/health",
        "/policy",
        "/work",
        "/work?kind=call",
        "/digest",
        "/tray",
        "/tray?by=company",
        "/tray?check=AP01",
        "/across",
    ]
    return ["/", "/?search=nobody", *firm_wide] + [f"/companies/{c.company_id}{p}" for c in companies for p in PAGES]


async def test_every_page_is_whole_and_names_its_parts(client: httpx.AsyncClient, firm: Firm) -> None:
    for address in addresses(firm):
        page, text = await read(client, address)

        assert text.startswith("<!doctype html>")
        assert page.all("html")[0]["lang"] == "en"
        assert len(page.all("h1")) == 1, address
        assert page.children.count(("table", "caption")) == len(page.all("table")), address
        assert all(heading.get("scope") in ("col", "row") for heading in page.all("th")), address
        ids = [a["id"] for _, a in page.elements if a.get("id")]
        assert len(ids) == len(set(ids)), address


async def test_no_page_carries_inline_script_or_style(client: httpx.AsyncClient, firm: Firm) -> None:
    for address in addresses(firm):
        page, _ = await read(client, address)

        assert page.all("style") == []
        assert all(script["src"] for script in page.all("script")), address
        for tag, attributes in page.elements:
            assert "style" not in attributes, f"{address}: {tag}"
            assert not [name for name in attributes if name.startswith("on")], f"{address}: {tag}"


async def test_names_that_attack_are_only_text(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/companies/{firm.hostile.company_id}"
    for address in ["/", "/health", *(f"{base}{page}" for page in PAGES), f"{base}/history?kind=bill&external_id=B1"]:
        _, text = await read(client, address)

        assert "<script>alert" not in text, address
        assert "&lt;script&gt;alert" in text, address


async def test_every_control_has_a_name(client: httpx.AsyncClient, firm: Firm) -> None:
    for address in addresses(firm):
        page, _ = await read(client, address)
        inputs = [a for a in page.all("input") if a.get("type") != "hidden"]

        assert page.children.count(("label", "input")) + page.children.count(("span", "input")) == len(inputs), address


async def test_the_order_is_told_to_screen_readers(client: httpx.AsyncClient) -> None:
    plain, _ = await read(client, "/")
    turned, _ = await read(client, "/?sort=-runway")

    assert [h["aria-sort"] for h in plain.all("th") if "aria-sort" in h] == ["ascending"]
    assert [h["aria-sort"] for h in turned.all("th") if "aria-sort" in h] == ["descending"]


async def test_what_shares_a_column_orders_the_table_too(client: httpx.AsyncClient) -> None:
    page, text = await read(client, "/?sort=change")

    assert [h["aria-sort"] for h in page.all("th") if "aria-sort" in h] == ["ascending"]
    assert 'href="/?sort=-change#by-change" id="by-change" aria-label="week’s change, ordered by it"' in text
    assert 'href="/?sort=-band#by-band" id="by-band"' in text


async def test_the_portfolio_says_what_it_shows(client: httpx.AsyncClient) -> None:
    _, whole = await read(client, "/")
    _, filtered = await read(client, "/?status=amber&sort=-runway")
    _, empty = await read(client, "/?search=nobody")

    assert '<p role="status">3 companies</p>' in whole
    assert '<p role="status">1 of 3 companies</p>' in filtered
    assert 'href="/?status=green&amp;sort=-runway"' in filtered or 'href="/?sort=-runway&amp;status=green"' in filtered
    assert "No company matches" in empty


async def test_status_is_a_word_and_a_sign(client: httpx.AsyncClient) -> None:
    _, text = await read(client, "/")

    assert '<span class="status amber"><span class="sign" aria-hidden="true">◆</span> Amber</span>' in text


async def test_negative_figures_carry_a_true_minus(client: httpx.AsyncClient, firm: Firm) -> None:
    _, text = await read(client, f"/companies/{firm.sample.company_id}/outlook")

    assert "−18,500.00" in text
    assert "-18,500.00" not in text


async def test_times_are_told_where_the_company_is(client: httpx.AsyncClient, firm: Firm) -> None:
    _, chicago = await read(client, f"/companies/{firm.sample.company_id}")
    _, tokyo = await read(client, f"/companies/{firm.unread.company_id}")

    assert "2 Mar 2026, 09:00 CST" in chicago
    assert "3 Mar 2026, 00:00 JST" in tokyo
    assert "read 3 minutes ago" in chicago


async def test_old_data_says_so(client: httpx.AsyncClient, firm: Firm) -> None:
    _, fresh = await read(client, f"/companies/{firm.sample.company_id}")
    firm.clock.advance(timedelta(hours=5))
    _, old = await read(client, f"/companies/{firm.sample.company_id}")

    assert "Some of this is old" not in fresh
    assert "Some of this is old: read 5 hours ago" in old


async def test_a_company_that_was_never_read_shows_no_figures(client: httpx.AsyncClient, firm: Firm) -> None:
    """Nil cash and "91+ days" would look like an answer."""
    for screen in ("", "/tray", "/console", "/outlook"):
        _, text = await read(client, f"/companies/{firm.unread.company_id}{screen}")

        assert "Not connected yet" in text
        assert "91+" not in text


async def test_trouble_comes_first_on_the_health_page(client: httpx.AsyncClient, firm: Firm) -> None:
    firm.clock.advance(timedelta(minutes=15))
    firm.ledger.fail_next(RailAccessLost("memory: connect the company again", rail="memory"))
    await firm.runway.sync(firm.sample.company_id)

    _, text = await read(client, "/health")

    assert "<b>1</b> in trouble" in text
    assert text.index("Sample") < text.index("Zebra Unread")
    assert '<a href="/errors/rail-access-lost">' in text


async def test_evidence_stands_side_by_side(client: httpx.AsyncClient, firm: Firm) -> None:
    _, text = await read(client, f"/companies/{firm.sample.company_id}/tray?check=AP06")

    assert '<th scope="row">number</th><td>BA-1042</td><td>INV-BA1042</td>' in text
    assert '<th scope="row">total</th><td>8,000.00</td><td>8,000.00</td>' in text


async def test_charts_have_a_text_and_a_table(client: httpx.AsyncClient, firm: Firm) -> None:
    for screen in ("console", "outlook"):
        page, text = await read(client, f"/companies/{firm.sample.company_id}/{screen}")
        charts = [a for a in page.all("svg") if a.get("role") == "img"]

        assert len(charts) == 1
        assert "51,200.00" in str(charts[0]["aria-label"])
        assert "Thirteen weeks" in text


@pytest.mark.parametrize("address", ["/?limit=1000", "/?sort=height", "/companies/{id}/tray?state=gone"])
async def test_a_wrong_filter_is_explained_on_a_page(client: httpx.AsyncClient, firm: Firm, address: str) -> None:
    answer = await client.get(address.format(id=firm.sample.company_id))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    Reader(answer.text)


async def test_a_stray_word_in_a_link_is_no_error(client: httpx.AsyncClient) -> None:
    await read(client, "/?utm_source=mail&status=amber")


@pytest.mark.parametrize("table", TABLES)
async def test_tables_are_saved_as_csv(client: httpx.AsyncClient, firm: Firm, table: str) -> None:
    answer = await client.get(table.format(id=firm.sample.company_id))

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8"))))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


async def test_decisions_are_saved_as_a_table(client: httpx.AsyncClient, firm: Firm) -> None:
    company_id = firm.sample.company_id
    decided = await firm.runway.decisions.decide(company_id, "B5", DecisionOutcome.PAY, actor="ada")
    (row,) = csv.DictReader(io.StringIO((await client.get(f"/companies/{company_id}/decided.csv")).text))

    assert (row["decision.paper_id"], row["vendor_name"]) == (decided.paper_id, "Harbor Insurance")
    assert (row["decision.state"], row["decision.changed_by"]) == ("decided", "ada")


async def test_csv_names_fields_as_the_api_does_and_keeps_the_filter(client: httpx.AsyncClient) -> None:
    rows = list(csv.DictReader(io.StringIO((await client.get("/portfolio.csv?status=amber")).text)))

    assert [row["name"] for row in rows] == ["Sample"]
    assert rows[0]["opening_cash.amount"] == "51200.00"
    assert rows[0]["as_of"] == "2026-03-02"


async def test_csv_cells_never_begin_a_formula(client: httpx.AsyncClient, firm: Firm) -> None:
    for table in TABLES:
        text = (await client.get(table.format(id=firm.hostile.company_id))).text
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))] == []

    bills = list(csv.DictReader(io.StringIO((await client.get(TABLES[2].format(id=firm.hostile.company_id))).text)))
    assert [bill["vendor_name"] for bill in bills] == [HOSTILE, f"'{FORMULA}"]


async def test_negative_numbers_stay_numbers_in_csv(client: httpx.AsyncClient, firm: Firm) -> None:
    rows = list(csv.DictReader(io.StringIO((await client.get(TABLES[4].format(id=firm.sample.company_id))).text)))

    assert "-19900.00" in {row["outflow"] for row in rows}


async def test_the_digest_opens_ratios_and_says_how_right_forecasts_were(client: httpx.AsyncClient, firm: Firm) -> None:
    _, text = await read(client, f"/companies/{firm.sample.company_id}")

    assert "Days of sales, counted back" in text
    assert "Open bills less credits 34,500.00 USD" in text
    assert "The first forecast that is kept here is judged when its week has passed." in text


async def test_the_outlook_shows_every_line_and_so_many_weeks_as_are_asked(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    path = f"/companies/{firm.sample.company_id}/outlook"
    expected = await client.get(path)
    sales = await client.get(path, params={"line": "no_new_sales", "weeks": "4"})
    table = await client.get(f"{path}.csv", params={"line": "no_new_sales", "weeks": "4"})

    for page in (expected, sales):
        assert all(name in page.text for name in ("Expected", "No new sales", "Customers pay late"))
        assert all(days in page.text for days in ("32 days", "25 days", "18 days"))
    assert "Covered through 2 Apr, 32 days" in expected.text
    assert "Covered through 26 Mar, 25 days" in sales.text
    assert (expected.text.count('class="week"'), sales.text.count('class="week"')) == (13, 4)
    assert f'href="{path}?line=no_new_sales&amp;weeks=8"' in sales.text
    assert len(table.text.splitlines()) == 1 + 28
    assert (await client.get(path, params={"weeks": "5"})).status_code == 422


async def test_the_api_tells_the_outlook_by_each_line(client: httpx.AsyncClient, firm: Firm) -> None:
    path = f"/v1/companies/{firm.sample.company_id}/outlook"
    lines = [
        (await client.get(path, params={"line": line})).json() for line in ("expected", "no_new_sales", "cautious")
    ]

    assert [view["outlook"]["runway"]["days"] for view in lines] == [32, 25, 18]
    assert {tuple(figures["runway"]["days"] for figures in view["lines"]) for view in lines} == {(32, 25, 18)}


async def test_a_record_is_opened_at_its_rail(client: httpx.AsyncClient, firm: Firm) -> None:
    _, text = await read(client, f"/companies/{firm.sample.company_id}/history?kind=bill&external_id=B4")

    assert '<a href="https://sample.books.example/bill/B4" rel="noreferrer">Open in Books in memory</a>' in text
