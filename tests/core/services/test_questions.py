"""Questions to the client: one message with date, amount and vendor in each line; answers come back to the findings."""

from datetime import timedelta

import pytest
from runway_core.domain.company import Company
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.questions import QuestionState
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_testkit.sample import AS_OF

from tests.core.desk import FirmDesk, bank, bill


async def desk_with_findings() -> tuple[FirmDesk, Company, list[TrackedFinding]]:
    """Two bills without a due date, and what is found about them, by bill."""
    desk = FirmDesk()
    undated = [bill(one, total, number=f"N-{one}", due_date=None) for one, total in (("B1", 1_234), ("B2", 700))]
    acme = await desk.connect("Acme", bank(), *undated)
    await desk.runway.sync(acme.company_id)
    found = [t for t in await desk.runway.findings.list(acme.company_id) if t.finding.check == "AP01"]
    return desk, acme, sorted(found, key=lambda t: t.finding.subjects)


async def findings(desk: FirmDesk, company: Company, *wanted: TrackedFinding) -> list[TrackedFinding]:
    held = {t.finding_id: t for t in await desk.runway.findings.list(company.company_id, states=None)}
    return [held[one.finding_id] for one in wanted]


async def test_a_preview_names_date_amount_and_vendor_and_keeps_nothing() -> None:
    desk, acme, (one, two) = await desk_with_findings()
    length = await desk.runway.log_length(acme.company_id)
    message = await desk.runway.questions.preview(
        acme.company_id, [one.finding_id, two.finding_id, one.finding_id], actor="ada", note="Good morning Ed,"
    )
    lines = message.body.splitlines()

    assert message.subject == "Acme: 2 questions about your books"
    assert [item.finding_id for item in message.items] == [one.finding_id, two.finding_id]
    assert message.items[0].text.startswith("Bill N-B1, Norton Lumber, 16 Feb 2026, 1,234.00 USD: ")
    assert one.finding.summary in message.items[0].text
    assert f"2. {message.items[1].text}" in lines
    assert "Good morning Ed," in lines
    assert "These 2 things came up when we looked at your books on 2 Mar 2026:" in lines
    assert await desk.runway.log_length(acme.company_id) == length
    assert list(await desk.runway.questions.list(acme.company_id)) == []


async def test_one_question_is_worded_as_one() -> None:
    desk, acme, (one, _) = await desk_with_findings()
    message = await desk.runway.questions.preview(acme.company_id, [one.finding_id], actor="ada")

    assert message.subject == "Acme: 1 question about your books"
    assert "This came up when we looked at your books on 2 Mar 2026:" in message.body.splitlines()


async def test_a_sent_message_marks_its_findings_as_asked() -> None:
    desk, acme, (one, two) = await desk_with_findings()
    questions = desk.runway.questions
    await desk.runway.findings.decide(
        acme.company_id, two.finding_id, FindingState.SNOOZED, actor="ada", until=AS_OF + timedelta(days=9)
    )
    draft = await questions.draft(acme.company_id, [one.finding_id, two.finding_id], actor="ada")
    before = [t.state for t in await findings(desk, acme, one, two)]
    sent = await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="ed@acme.example", actor="ada")
    length = await desk.runway.log_length(acme.company_id)
    again = await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="ed@acme.example", actor="ada")
    asked = await findings(desk, acme, one, two)

    assert before == [FindingState.OPEN, FindingState.SNOOZED]
    assert (sent.state, sent.sent_to, sent.sent_at) == (QuestionState.SENT, "ed@acme.example", desk.clock.now())
    assert (again, await desk.runway.log_length(acme.company_id)) == (sent, length)
    assert [(t.state, t.snoozed_until, t.decided_by) for t in asked] == [(FindingState.ASKED, None, "ada")] * 2
    assert sent.body == draft.body


async def test_an_answer_comes_back_to_its_finding_and_stays_over_reads() -> None:
    desk, acme, (one, two) = await desk_with_findings()
    questions = desk.runway.questions
    draft = await questions.draft(acme.company_id, [one.finding_id, two.finding_id], actor="ada")
    await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="Ed", actor="ada")
    first = await questions.answer(acme.company_id, draft.paper_id, {one.finding_id: " due end of March "}, actor="bob")
    desk.later(minutes=15)
    desk.ledger("Acme").put(bank(9_000))
    await desk.runway.sync(acme.company_id)
    half = await findings(desk, acme, one, two)
    whole = await questions.answer(acme.company_id, draft.paper_id, {two.finding_id: "on receipt"}, actor="bob")

    assert (first.state, first.items[0].answer, first.items[1].answer) == (
        QuestionState.SENT,
        "due end of March",
        None,
    )
    assert [(t.state, t.answer) for t in half] == [
        (FindingState.OPEN, "due end of March"),
        (FindingState.ASKED, None),
    ]
    assert (whole.state, whole.is_closed) == (QuestionState.ANSWERED, True)
    assert list(await questions.list(acme.company_id)) == []
    assert [m.paper_id for m in await questions.list(acme.company_id, include_closed=True)] == [draft.paper_id]


async def test_an_answer_does_not_reopen_what_was_decided_meanwhile() -> None:
    desk, acme, (one, _) = await desk_with_findings()
    questions = desk.runway.questions
    draft = await questions.draft(acme.company_id, [one.finding_id], actor="ada")
    await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="Ed", actor="ada")
    await desk.runway.findings.decide(
        acme.company_id, one.finding_id, FindingState.ACCEPTED, actor="ada", reason="paid on demand"
    )
    await questions.answer(acme.company_id, draft.paper_id, {one.finding_id: "on demand"}, actor="bob")
    [held] = await findings(desk, acme, one)

    assert (held.state, held.reason, held.answer) == (FindingState.ACCEPTED, "paid on demand", "on demand")


async def test_a_dropped_message_waits_for_nothing() -> None:
    desk, acme, (one, two) = await desk_with_findings()
    questions = desk.runway.questions
    draft = await questions.draft(acme.company_id, [one.finding_id], actor="ada")
    sent = await questions.draft(acme.company_id, [two.finding_id], actor="ada")
    await questions.mark_sent(acme.company_id, sent.paper_id, sent_to="Ed", actor="ada")
    for message in (draft, sent, sent):
        await questions.drop(acme.company_id, message.paper_id, actor="ada")
    with pytest.raises(InvalidRequest, match="dropped"):
        await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="Ed", actor="ada")

    assert list(await questions.list(acme.company_id)) == []
    assert [t.state for t in await findings(desk, acme, one, two)] == [FindingState.OPEN, FindingState.OPEN]


async def test_what_cannot_be_asked_or_answered_is_refused() -> None:
    desk, acme, (one, two) = await desk_with_findings()
    questions = desk.runway.questions
    await desk.runway.findings.decide(
        acme.company_id, two.finding_id, FindingState.ACCEPTED, actor="ada", reason="paid on demand"
    )
    draft = await questions.draft(acme.company_id, [one.finding_id], actor="ada")
    with pytest.raises(InvalidRequest, match="1 to 100"):
        await questions.draft(acme.company_id, [], actor="ada")
    with pytest.raises(InvalidRequest, match="accepted: reopen it"):
        await questions.draft(acme.company_id, [two.finding_id], actor="ada")
    with pytest.raises(NotFound, match="no finding 'none'"):
        await questions.draft(acme.company_id, ["none"], actor="ada")
    with pytest.raises(InvalidRequest, match="not sent yet"):
        await questions.answer(acme.company_id, draft.paper_id, {one.finding_id: "yes"}, actor="ada")
    with pytest.raises(InvalidRequest, match="to whom"):
        await questions.mark_sent(acme.company_id, draft.paper_id, sent_to=" ", actor="ada")
    with pytest.raises(StaleRevision):
        await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="Ed", actor="ada", version=7)
    await questions.mark_sent(acme.company_id, draft.paper_id, sent_to="Ed", actor="ada")
    with pytest.raises(InvalidRequest, match="an answer is missing"):
        await questions.answer(acme.company_id, draft.paper_id, {one.finding_id: " "}, actor="ada")
    with pytest.raises(NotFound, match="does not ask about"):
        await questions.answer(acme.company_id, draft.paper_id, {two.finding_id: "yes"}, actor="ada")


async def test_amounts_are_named_in_the_currency_of_the_document() -> None:
    desk = FirmDesk()
    yen = bill("B1", 120_000, due_date=None, currency="JPY")
    acme = await desk.connect("Acme", bank(), yen)
    await desk.runway.sync(acme.company_id)
    [found] = [t for t in await desk.runway.findings.list(acme.company_id) if t.finding.check == "AP01"]
    message = await desk.runway.questions.preview(acme.company_id, [found.finding_id], actor="ada")

    assert "120,000 JPY" in message.items[0].text
    assert message.subject == "Acme: 1 question about your books"
