"""What all screens share: keys that the help lists, order that keeps the focus, links on paper, questions at hand."""

import re
from datetime import timedelta
from pathlib import Path

import httpx
import runway_app_http
from runway_core.domain.findings import FindingState

from tests.app.firm import Firm

STATIC = Path(runway_app_http.__file__).parent / "ui" / "static"
KEYS = frozenset("/jkxeaspdgtcowh?")


async def test_the_script_knows_each_key_that_the_help_lists(client: httpx.AsyncClient) -> None:
    help_text = (await client.get("/")).text.partition('<dialog id="keys"')[2].partition("</dialog>")[0]
    script = (STATIC / "runway.js").read_text()
    listed = {key for key in re.findall(r"<kbd>(.+?)</kbd>", help_text) if key != "Enter"}
    known = set(re.findall(r'key === "(.)"', script)) | set(re.findall(r"[{,]?\s(\w): (?:\"|\()", script))

    assert listed == KEYS
    assert known >= KEYS
    assert "Single-key shortcuts are on" in help_text
    assert "!box.checked" in script


async def test_what_keys_act_on_stands_in_the_rows(client: httpx.AsyncClient, firm: Firm) -> None:
    """The script looks for these: boxes to tick, the fix, and the fields that accepting and snoozing need."""
    base = f"/companies/{firm.sample.company_id}"
    row = (await client.get(f"{base}/tray?check=AP01")).text.partition('<tr id="f-')[2]
    decide = row.partition("data-finding>")[2].partition("</form>")[0]

    assert re.search(rf'action="{base}/findings/\w+/fix\?', row)
    assert 'name="reason"' in decide
    assert 'name="until"' in decide
    assert 'type="checkbox" form="across"' in (await client.get("/")).text


async def test_a_heading_keeps_the_focus_when_the_table_was_ordered_by_it(client: httpx.AsyncClient) -> None:
    text = (await client.get("/?status=amber")).text

    assert '<a href="/?status=amber&amp;sort=-cash#by-cash" id="by-cash">' in text
    assert text.count('id="by-attention"') == 1


async def test_a_finding_is_one_click_from_the_message_that_asks_about_it(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    base = f"/companies/{firm.sample.company_id}"
    found = re.search(rf'href="({base}/questions\?ask=(\w+)#ask)"', (await client.get(f"{base}/tray")).text)
    assert found is not None
    page = (await client.get(found[1])).text

    assert 'id="ask"' in page
    assert re.search(rf'name="finding" value="{found[2]}" checked', page)


async def test_the_tray_tells_the_runway_and_how_far_clearing_went(client: httpx.AsyncClient, firm: Firm) -> None:
    company_id = firm.sample.company_id
    waiting = await firm.runway.findings.list(company_id)
    first, second = waiting[0].finding_id, waiting[1].finding_id
    await firm.runway.findings.decide(company_id, first, FindingState.ACCEPTED, actor="ada", reason="right")
    tomorrow = firm.clock.now().date() + timedelta(days=9)
    await firm.runway.findings.decide(company_id, second, FindingState.SNOOZED, actor="ada", until=tomorrow)
    text = (await client.get(f"/companies/{company_id}/tray")).text

    assert "<p>Runway 32 days, through 2 Apr.</p>" in text
    assert f"1 of {len(waiting)} found so far are cleared" in text


def test_on_paper_links_are_spelled_out_and_controls_are_gone() -> None:
    paper = (STATIC / "runway.css").read_text().partition("@media print {")[2]

    assert 'main a[href]::after { content: " (" attr(href) ")"' in paper
    assert re.search(r"form \{ display: none !important; \}", paper)
    assert "details::details-content { content-visibility: visible" in paper
