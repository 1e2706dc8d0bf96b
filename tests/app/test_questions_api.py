"""Questions to the client through HTTP, and the answer on the page of its finding."""

import httpx

from tests.app.firm import HOSTILE, Firm
from tests.app.test_api import read


async def test_findings_are_asked_and_answered(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1/companies/{firm.sample.company_id}/questions"
    one, two = [t.finding_id for t in await firm.runway.findings.list(firm.sample.company_id)][:2]
    order = {"finding_ids": [one, two], "note": "Good morning,"}
    preview = read(await client.post(f"{base}/preview", json=order))
    drafted = await client.post(base, json=order)
    draft = read(drafted)
    at = f"{base}/{draft['paper_id']}"
    sent = await client.post(f"{at}/sent", json={"sent_to": "Ed"}, headers={"If-Match": drafted.headers["ETag"]})
    stale = await client.post(f"{at}/drop", headers={"If-Match": drafted.headers["ETag"]})
    waiting = read(await client.get(base))
    answered = read(
        await client.post(f"{at}/answers", json={"answers": [{"finding_id": one, "text": f"No {HOSTILE}"}]})
    )
    page = (await client.get(f"/companies/{firm.sample.company_id}/tray")).text
    states = {t.finding_id: t.state.value for t in await firm.runway.findings.list(firm.sample.company_id)}

    assert preview["body"] == draft["body"]
    assert (read(sent)["state"], read(sent)["sent_to"], sent.headers["ETag"]) == ("sent", "Ed", '"2"')
    assert stale.status_code == 412
    assert [message["paper_id"] for message in waiting["items"]] == [draft["paper_id"]]
    assert answered["items"][0]["answer"] == f"No {HOSTILE}"
    assert (states[one], states[two]) == ("open", "asked")
    assert "<b>Answered:</b> No &lt;script&gt;" in page
    assert read(await client.get(at)) == answered
    assert read(await client.post(f"{at}/drop"))["is_closed"]
    assert read(await client.get(base))["items"] == []
    assert len(read(await client.get(f"{base}?include_closed=true"))["items"]) == 1


async def test_what_cannot_be_asked_is_422(client: httpx.AsyncClient, firm: Firm) -> None:
    base = f"/v1/companies/{firm.sample.company_id}/questions"
    one = (await firm.runway.findings.list(firm.sample.company_id))[0].finding_id
    draft = read(await client.post(base, json={"finding_ids": [one]}))
    early = await client.post(
        f"{base}/{draft['paper_id']}/answers", json={"answers": [{"finding_id": one, "text": "yes"}]}
    )

    assert (await client.post(base, json={"finding_ids": []})).status_code == 422
    assert (await client.post(base, json={"finding_ids": ["none"]})).status_code == 404
    assert early.status_code == 422
