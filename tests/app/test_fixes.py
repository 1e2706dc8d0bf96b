"""Fixes through HTTP: what will be written is shown first, then written once, and can be taken back."""

import re
from datetime import timedelta
from decimal import Decimal

import httpx
from runway_core.domain.bills import Bill
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import RecordKey
from runway_core.domain.record import Record
from runway_testkit.sample import AS_OF

from tests.app.firm import Firm
from tests.app.test_api import read


async def writable(firm: Firm) -> TrackedFinding:
    """A finding of the Sample company whose first fix is a plain write."""
    found = await firm.runway.findings.list(firm.sample.company_id)
    return next(t for t in found if t.finding.fixes and t.finding.fixes[0].fields)


def make_bill(external_id: str, *, number: str, total: Decimal) -> Bill:
    """An open bill without a due date."""
    return Bill(
        external_id=external_id,
        number=number,
        vendor_id="V1",
        vendor_name="Norton Lumber",
        document_date=AS_OF - timedelta(days=9),
        currency="USD",
        total=total,
        open_balance=total,
    )


def held(firm: Firm, tracked: TrackedFinding) -> Record:
    key = tracked.finding.fixes[0].record
    assert isinstance(key, RecordKey)
    return firm.ledger.records[key]


def says(record: Record, tracked: TrackedFinding) -> bool:
    fields = tracked.finding.fixes[0].fields
    return all(str(getattr(record, name)) == value for name, value in fields.items())


async def test_a_fix_is_previewed_written_and_taken_back(client: httpx.AsyncClient, firm: Firm) -> None:
    tracked = await writable(firm)
    base = f"/v1/companies/{firm.sample.company_id}/fixes"
    order = {"fixes": [{"finding_id": tracked.finding_id}, {"finding_id": "nothing"}]}
    before = held(firm, tracked)
    preview = read(await client.post(f"{base}/preview", json=order))
    untouched = held(firm, tracked)
    written = read(await client.post(base, json=order))
    again = read(await client.post(base, json=order))
    mended = held(firm, tracked)
    fix = written["items"][0]["fix"]
    one = read(await client.get(f"{base}/{fix['paper_id']}"))
    undone = read(await client.post(f"{base}/{fix['paper_id']}/undo"))
    listed = read(await client.get(base))

    assert preview["items"][0]["fix"]["writes"] == fix["writes"]
    assert untouched == before
    assert (fix["state"], fix["changed_by"], one) == ("waiting", "api", fix)
    assert says(mended, tracked)
    assert (written["items"][1]["fix"], written["items"][1]["error_code"]) == (None, "not-found")
    assert again == written
    assert held(firm, tracked).model_copy(update=_marks(before)) == before
    assert (undone["undoes"], undone["state"]) == (fix["paper_id"], "waiting")
    assert {(fix["undoes"], fix["state"]) for fix in listed["items"]} == {
        (None, "undone"),
        (fix["paper_id"], "waiting"),
    }


def _marks(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in ("revision", "revision_number", "modified_at")}


async def test_the_tray_shows_what_a_button_will_write_and_then_waits(client: httpx.AsyncClient, firm: Firm) -> None:
    tracked = await writable(firm)
    base = f"/companies/{firm.sample.company_id}"
    page = (await client.get(f"{base}/tray")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    action = f"{base}/findings/{tracked.finding_id}/fix"
    [(name, value)] = list(tracked.finding.fixes[0].fields.items())[:1]
    done = await client.post(action, data={"form_token": token[1], "number": "0"})
    waiting = (await client.get(f"{base}/tray")).text
    firm.clock.advance(timedelta(minutes=15))
    firm.ledger.now += timedelta(minutes=15)
    await firm.runway.sync(firm.sample.company_id)
    after = (await client.get(f"{base}/tray")).text
    undo = re.search(rf'action="({base}/fixes/[^"]+/undo)"', after)
    assert undo is not None
    taken = await client.post(undo[1], data={"form_token": token[1]})

    assert f'action="{action}"' in page
    assert "what will be written to Books in memory" in page
    assert f"<td>{value}</td>" in page
    assert name.replace("_", " ") in page
    assert (done.status_code, done.headers["location"]) == (303, f"{base}/tray")
    assert "written, waiting for the ledger" in waiting
    assert "It waits for the ledger" in waiting
    assert f'id="f-{tracked.finding_id}"' not in after
    assert (taken.status_code, taken.headers["location"]) == (303, f"{base}/tray")
    assert "Taken back" in (await client.get(f"{base}/tray")).text


async def test_a_refused_fix_says_why_on_the_page(client: httpx.AsyncClient, firm: Firm) -> None:
    tracked = await writable(firm)
    base = f"/companies/{firm.sample.company_id}"
    page = (await client.get(f"{base}/tray")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    firm.ledger.put(held(firm, tracked))  # somebody touched it
    stale = await client.post(f"{base}/findings/{tracked.finding_id}/fix", data={"form_token": token[1], "number": "0"})
    odd = await client.post(f"{base}/findings/{tracked.finding_id}/fix", data={"form_token": token[1], "number": "x"})
    foreign = await client.post(f"{base}/findings/{tracked.finding_id}/fix", data={"number": "0"})

    assert stale.status_code == odd.status_code == 422
    assert "was changed since" in stale.text
    assert foreign.status_code == 403


async def test_like_fixes_are_written_together_and_each_is_reported(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/companies/{firm.sample.company_id}"
    undated = [make_bill(f"U{n}", number=f"{8800 + 37 * n}", total=Decimal(300 + 11 * n)) for n in range(3)]
    firm.ledger.put(*undated)
    await firm.runway.sync(firm.sample.company_id)
    page = (await client.get(f"{base}/tray?check=AP01")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    seal = re.search(r'name="seal" value="([0-9a-f]+)"', page)
    assert token is not None
    assert seal is not None
    boxes = re.findall(r'name="fix" value="([0-9a-f]+)"', page)
    order = {"form_token": token[1], "check": "AP01", "seal": seal[1], "fix": boxes}
    firm.ledger.put(undated[1])  # somebody touched it at the vendor
    done = await client.post(f"{base}/fixes?check=AP01", data=order)
    again = await client.post(f"{base}/fixes?check=AP01", data=order)
    dated = [firm.ledger.bill(bill.external_id) for bill in undated]

    assert "Write those ticked" in page
    assert done.status_code == 200
    assert done.text.count("written, waiting for the ledger</td>") == done.text.count("not written: ") + 2
    assert done.text.count("not written: ") == 1
    assert "was changed since" in done.text
    assert [bill.due_date is None for bill in dated] == [False, True, False]
    assert (again.status_code, "changed since it was shown" in again.text) == (422, True)


async def test_only_ticked_fixes_are_written(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/companies/{firm.sample.company_id}"
    undated = [make_bill(f"U{n}", number=f"{8800 + 37 * n}", total=Decimal(300 + 11 * n)) for n in range(3)]
    firm.ledger.put(*undated)
    await firm.runway.sync(firm.sample.company_id)
    page = (await client.get(f"{base}/tray?check=AP01")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    seal = re.search(r'name="seal" value="([0-9a-f]+)"', page)
    boxes = re.findall(r'name="fix" value="([0-9a-f]+)"', page)
    assert token is not None
    assert seal is not None
    order = {"form_token": token[1], "check": "AP01", "seal": seal[1]}
    nothing = await client.post(f"{base}/fixes?check=AP01", data=order)
    strange = await client.post(f"{base}/fixes?check=AP01", data=order | {"fix": "feed"})
    one = await client.post(f"{base}/fixes?check=AP01", data=order | {"fix": boxes[0]})
    written = [bill for bill in undated if firm.ledger.bill(bill.external_id).due_date is not None]

    assert [nothing.status_code, strange.status_code, one.status_code] == [422, 422, 200]
    assert "tick the fixes" in nothing.text
    assert one.text.count("written, waiting for the ledger</td>") == 1
    assert len(written) <= 1


async def test_a_batch_is_written_as_it_was_shown_or_not_at_all(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/companies/{firm.sample.company_id}"
    page = (await client.get(f"{base}/tray")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    before = dict(firm.ledger.records)
    odd = await client.post(f"{base}/fixes", data={"form_token": token[1], "check": "AP01", "seal": "0" * 32})

    assert odd.status_code == 422
    assert firm.ledger.records == before
