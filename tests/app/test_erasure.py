"""A company erased over the API: by an owner, who names it."""

from fastapi import FastAPI
from runway_core.domain.policy import Role

from tests.app.firm import Firm
from tests.app.people_desk import add_owner, reach


async def test_an_owner_erases_a_company_and_what_is_asked_of_it_says_so(app: FastAPI, firm: Firm) -> None:
    await add_owner(firm.runway)
    program = (await reach(app, firm.runway, Role.OWNER)).program
    company = f"/v1/companies/{firm.sample.company_id}"
    survey = (await program.get(f"{company}/erasure")).json()
    unnamed = await program.post(f"{company}/erasure", json={"confirm": "Sampel"})
    before = await program.get(f"{company}/history?kind=bill&external_id=B4")
    erased = await program.post(f"{company}/erasure", json={"confirm": firm.sample.name})
    after = await program.get(f"{company}/history?kind=bill&external_id=B4")
    asked = [await program.get(f"{company}{path}") for path in ("", "/digest", "/findings", "/bills?as_of=2026-03-01")]
    listed = (await program.get("/v1/companies")).json()["items"]

    assert survey["rows"]["bill"] > 1
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "invalid-request")
    assert (erased.status_code, erased.json()["erased_by"]) == (200, "owner-all")
    assert [(item["is_erased"], item["content"] is None) for item in before.json()["items"]] == [(False, False)]
    assert [(item["is_erased"], item["content"]) for item in after.json()["items"]] == [(True, None)]
    assert after.json()["company"]["name"] == "(erased)"
    assert {(answer.status_code, answer.json()["code"]) for answer in asked} == {(410, "company-erased")}
    assert firm.sample.company_id not in {item["company_id"] for item in listed}
