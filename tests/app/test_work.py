"""Work across companies: what to decide, mend and call, by owner and day, in a fixed number of queries."""

import csv
import io

import httpx
from runway_core.domain.decisions import DecisionOutcome
from runway_core.domain.policy import Role
from runway_core.domain.tasks import MOST_TASKS, TaskKind
from runway_core.experiences.work import WorkQuery

from tests.app.firm import HOSTILE, Firm
from tests.store.statements import counted


async def test_work_is_told_over_all_companies(client: httpx.AsyncClient, firm: Firm) -> None:
    text = (await client.get("/work")).text
    view = await firm.runway.work()

    assert [one.task.task_kind for one in view.items] == sorted(
        (one.task.task_kind for one in view.items), key=list(TaskKind).index
    )
    assert {one.company_name for one in view.items} == {"Sample", HOSTILE}
    assert view.counts.decide > 0
    assert view.counts.mend == sum(one.task.task_kind is TaskKind.MEND for one in view.items) + view.unlisted
    assert "Decide about Landlord Properties, RENT-2026-03" in text
    assert f'href="/companies/{firm.sample.company_id}/tray#f-' in text
    assert HOSTILE not in text


async def test_only_the_work_of_one_person_of_one_kind_or_of_today(client: httpx.AsyncClient, firm: Firm) -> None:
    hers = await firm.runway.work(WorkQuery(owner="ada"))
    today = await firm.runway.work(WorkQuery(kind=TaskKind.DECIDE, days=0))
    page = (await client.get("/work?owner=ada&kind=decide&days=0&stray=1")).text
    nobody = (await client.get("/work?owner=nobody")).text

    assert {one.company_name for one in hers.items} == {"Sample"}
    assert all(one.task.on is not None and one.task.on <= one.as_of for one in today.items)
    assert today.counts.decide == len(today.items) > 0
    assert 'href="/work?owner=ada&amp;kind=decide"' in page
    assert "Nothing is to be done" in nobody


async def test_a_decision_that_waits_for_a_yes_and_then_for_its_release_is_work(firm: Firm) -> None:
    company_id, decisions = firm.sample.company_id, firm.runway.decisions
    decided = await decisions.decide(company_id, "B5", DecisionOutcome.PAY, actor="ada")
    await firm.runway.positions.recompute(company_id)
    waiting = [one.task for one in (await firm.runway.work()).items if one.task.what.startswith("Approve")]
    await decisions.approve(company_id, decided.paper_id, actor="bo", role=Role.CONTROLLER)
    await firm.runway.positions.recompute(company_id)
    approved = [one.task.what for one in (await firm.runway.work()).items if one.task.record == waiting[0].record]

    assert [(task.what, task.detail) for task in waiting] == [
        ("Approve Harbor Insurance, POL-9", "It needs approval by controller")
    ]
    assert approved == ["Release Harbor Insurance, POL-9"]


async def test_a_company_keeps_the_most_pressing_tasks_of_a_kind_and_the_number_of_all(firm: Firm) -> None:
    position = await firm.runway.positions.current(firm.sample.company_id)
    assert position is not None
    mend = [task for task in position.tasks if task.task_kind is TaskKind.MEND]
    open_findings = await firm.runway.findings.list(firm.sample.company_id)

    assert len(mend) == min(MOST_TASKS, len(open_findings))
    assert position.task_counts.mend == len(open_findings)
    assert mend[0].detail.startswith("Bills BA-1042 and INV-BA1042")


async def test_work_takes_three_queries_whatever_the_number_of_companies(firm: Firm) -> None:
    with counted() as few:
        await firm.runway.work()
    for number in range(5):
        company = await firm.runway.companies.add(f"More {number}", home_currency="USD", time_zone="UTC")
        settings = {"books": "hostile"}
        await firm.runway.connections.add(company.company_id, rail="memory", settings=settings, secrets={})
        await firm.runway.sync(company.company_id)
    with counted() as many:
        view = await firm.runway.work()

    assert len(few) == len(many) == 3
    assert len({one.company_id for one in view.items}) == 7


async def test_work_over_the_api_and_as_a_table(client: httpx.AsyncClient, firm: Firm) -> None:
    answer = await client.get("/v1/work", params={"owner": "ada", "kind": "decide"})
    wrong = await client.get("/v1/work", params={"days": 99})
    saved = await client.get("/work.csv?owner=ada")
    rows = list(csv.DictReader(io.StringIO(saved.text)))

    document = answer.json()
    assert document["items"][0]["task"]["amount"]["currency"] == "USD"
    assert {item["owner"] for item in document["items"]} == {"ada"}
    assert document["owners"] == sorted(["ada", document["owners"][0]])
    assert wrong.status_code == 422
    assert {row["company_name"] for row in rows} == {"Sample"}
    assert rows[0]["task.task_kind"] == "decide"
    assert firm.foreign.company_id not in saved.text
