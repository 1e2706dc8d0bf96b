"""One digest in every form: page (which prints), message in HTML and plain text, message as a file, table, JSON."""

import csv
import io
from email import message_from_bytes, policy
from html import unescape

import httpx
import pytest
from runway_app_http.ui.digest_mail import write_digest_mail

from tests.app.firm import Firm

FORMS = ("", "/digest/mail.html", "/digest.eml", "/digest.csv")


@pytest.mark.parametrize("form", FORMS)
async def test_the_same_books_give_the_same_bytes_in_every_form(
    client: httpx.AsyncClient, firm: Firm, form: str
) -> None:
    address = f"/companies/{firm.sample.company_id}{form}"
    first, again = await client.get(address), await client.get(address)

    assert first.status_code == 200
    assert first.content == again.content


async def test_every_form_tells_the_figures_of_one_model(client: httpx.AsyncClient, firm: Firm) -> None:
    at = f"/companies/{firm.sample.company_id}"
    view = await firm.runway.digest(firm.sample.company_id)
    page = unescape((await client.get(at)).text)
    html = unescape((await client.get(f"{at}/digest/mail.html")).text)
    letter = message_from_bytes((await client.get(f"{at}/digest.eml")).content, policy=policy.default)
    plain = letter.get_body(("plain",))
    table = list(csv.DictReader(io.StringIO((await client.get(f"{at}/digest.csv")).text)))
    document = (await client.get(f"/v1{at}/digest")).json()

    assert plain is not None
    assert plain.get_content().split() == write_digest_mail(view).text.split()
    assert all(view.verdict in form for form in (page, html, plain.get_content()))
    assert document["verdict"] == view.verdict
    assert len(table) == len(view.due) == len(document["due"]) > 3
    for line, row, told in zip(view.due, table, document["due"], strict=True):
        assert row["event.label"] == told["event"]["label"] == line.event.label
        assert row["event.amount"] == told["event"]["amount"]
        assert row["cash_after.amount"] == told["cash_after"]["amount"]
        assert all(line.event.label in form for form in (page, html, plain.get_content()))


async def test_a_printed_digest_has_no_controls(client: httpx.AsyncClient, firm: Firm) -> None:
    page = (await client.get(f"/companies/{firm.sample.company_id}")).text
    style = (await client.get("/static/runway.css")).text
    printed = style[style.index("@media print") :]

    assert 'class="no-print"' in page
    assert ".no-print" in printed
    assert "display: none" in printed
