"""Conflicts between rails through HTTP: listed, shown side by side, decided on a version, taken back; API and page."""

import csv
import html
import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
from runway_core.domain.execution import ExecutionBill, ExecutionState

from tests.app.firm import FORMULA, HOSTILE, Firm
from tests.store.statements import counted


def at_rail(external_id: str, **more: Any) -> ExecutionBill:
    values: dict[str, Any] = {
        "feed": "ramp",
        "number": f"RX-{external_id}",
        "vendor_id": "RV1",
        "vendor_name": HOSTILE,
        "document_date": date(2026, 2, 17),
        "currency": "USD",
        "total": Decimal(70),
        "open_balance": Decimal(70),
        "state": ExecutionState.APPROVED,
    }
    return ExecutionBill(external_id=external_id, **(values | more))


async def read_payer(firm: Firm) -> str:
    """The Sample company with two bills at a payer that its ledger lacks, and one that may be B1: its address."""
    rent = next(
        bill for bill in (await firm.runway.books.read(firm.sample.company_id)).bills if bill.external_id == "B1"
    )
    doubt = at_rail(
        "R3", ledger_vendor_id=rent.vendor_id, total=rent.total, open_balance=rent.total, vendor_name=rent.vendor_name
    )
    firm.ledger.put(at_rail("R1"), at_rail("R2", vendor_name=FORMULA, vendor_id="RV2"), doubt)
    await firm.runway.sync(firm.sample.company_id)
    return f"/companies/{firm.sample.company_id}"


async def test_the_comparison_and_its_conflicts_are_told(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1{await read_payer(firm)}"
    whole = (await client.get(f"{base}/reconciliation")).json()
    first = (await client.get(f"{base}/conflicts?limit=2")).json()
    second = (await client.get(f"{base}/conflicts?limit=2&cursor={first['next_cursor']}")).json()
    missing = (await client.get(f"{base}/conflicts?kind=missing_in_ledger")).json()["items"]

    assert [(pair["there"], pair["suggested"], pair["left_there"]) for pair in whole["pairs"]] == [("ramp", 1, 2)]
    assert whole["waiting"] == len(first["items"]) + len(second["items"]) == 3
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert {row["tracked"]["conflict"]["amount"]["amount"] for row in missing} == {"70.00"}


async def test_a_conflict_is_decided_on_the_version_that_was_read(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1{await read_payer(firm)}/conflicts"
    (doubt,) = (await client.get(f"{base}?kind=ambiguous_match")).json()["items"]
    address = f"{base}/{doubt['conflict_id']}"
    shown = await client.get(address)
    here = [match["here"] for match in shown.json()["tracked"]["conflict"]["matches"]]
    choice = {"action": "match", "match": here.index([{"kind": "bill", "external_id": "B1"}]) + 1}
    matched = await client.post(address, json=choice, headers={"If-Match": shown.headers["ETag"]})
    stale = await client.post(address, json={"action": "reopen"}, headers={"If-Match": shown.headers["ETag"]})
    back = await client.post(address, json={"action": "reopen"}, headers={"If-Match": matched.headers["ETag"]})

    assert (shown.headers["ETag"], matched.headers["ETag"], back.headers["ETag"]) == ('"0"', '"1"', '"0"')
    assert (matched.json()["state"], matched.json()["resolution"]) == ("resolved", "matched")
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-revision")
    assert back.json()["state"] == "open"


async def test_what_cannot_be_is_refused(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1{await read_payer(firm)}/conflicts"
    (row, *_) = (await client.get(f"{base}?kind=missing_in_ledger")).json()["items"]
    answers = [
        await client.post(f"{base}/{row['conflict_id']}", json=body)
        for body in ({"action": "accept"}, {"action": "match"}, {"action": "fixed"}, {"action": "match", "match": 0})
    ]
    unknown = await client.get(f"{base}/nothing")

    assert [one.status_code for one in answers] == [422] * 4
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")


async def test_the_page_shows_both_sides_and_decides(client: httpx.AsyncClient, firm: Firm) -> None:
    base = await read_payer(firm)
    page = (await client.get(f"{base}/reconciliation")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    ids = re.findall(r'id="c-([0-9a-f]+)"', page)
    assert token is not None
    fields = {"form_token": token[1], "version": "0", "action": "accept", "reason": "entered next month"}
    done = await client.post(f"{base}/conflicts/{ids[0]}?kind=missing_in_ledger", data=fields)
    after = (await client.get(done.headers["location"])).text
    refused = await client.post(f"{base}/conflicts/{ids[1]}", data=fields | {"reason": " "})
    resolved = (await client.get(f"{base}/reconciliation?state=resolved")).text

    assert "3 conflicts between rails" in page
    assert "Side by side" in page
    assert "They are one" in page
    assert HOSTILE not in page
    assert (done.status_code, done.headers["location"]) == (303, f"{base}/reconciliation?kind=missing_in_ledger")
    assert "Accepted as it is." in after
    assert refused.status_code == 422
    assert "the reason is missing" in refused.text
    assert "Take back" in resolved
    assert "entered next month" in resolved


async def test_every_record_of_a_conflict_leads_to_its_history(client: httpx.AsyncClient, firm: Firm) -> None:
    base = await read_payer(firm)
    page = (await client.get(f"{base}/reconciliation")).text
    links = {html.unescape(link) for link in re.findall(r'href="([^"]*/history\?[^"]*)"', page)}
    answers = {link: (await client.get(link)).status_code for link in links}

    assert len(links) >= 4
    assert set(answers.values()) == {200}
    assert (await client.get(f"{base}/history?kind=rail_bill&external_id=ramp:R9")).status_code == 404


async def test_the_table_is_saved_as_it_is_filtered(client: httpx.AsyncClient, firm: Firm) -> None:
    base = await read_payer(firm)
    answer = await client.get(f"{base}/reconciliation.csv?kind=missing_in_ledger")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert "conflicts.csv" in answer.headers["content-disposition"]
    assert [row["tracked.conflict.amount.amount"] for row in rows] == ["70.00", "70.00"]


async def test_one_rail_alone_is_told_so(client: httpx.AsyncClient, firm: Firm) -> None:
    page = (await client.get(f"/companies/{firm.sample.company_id}/reconciliation")).text

    assert "Nothing to compare" in page
    assert "Between rails" in (await client.get(f"/companies/{firm.sample.company_id}/tray")).text


async def test_a_hundred_conflicts_take_as_many_queries_as_three(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1{await read_payer(firm)}/reconciliation"
    await client.get(base)
    with counted() as for_few:
        await client.get(base)
    firm.ledger.put(*(at_rail(f"M{number}", number=f"MX-{number}") for number in range(100)))
    await firm.runway.sync(firm.sample.company_id)
    await client.get(base)
    with counted() as for_many:
        many = (await client.get(base)).json()

    assert many["waiting"] == 103
    assert len(for_many) == len(for_few)
    assert len(for_few) <= 12
