"""Questions to the client: findings gathered into one message, marked as sent, and answers brought back to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runway_core.calculators.questions import word_body, word_item, word_subject
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.questions import ClientQuestion, QuestionState
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.papers import PaperDesk, clean_text
from runway_core.services.scope import Scope, local_day

MOST_QUESTIONS = 100
"""So many findings fit one message; a client who gets more answers none."""

_ASKABLE = frozenset({FindingState.OPEN, FindingState.SNOOZED, FindingState.ASKED})


class QuestionService:
    """Words messages and keeps what became of them. Nothing is sent from here: a person sends it, or the mail does."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId, *, include_closed: bool = False) -> Sequence[ClientQuestion]:
        """The messages of a company, the last changed first; answered and dropped ones only on request.

        Raises:
            NotFound: no such company in this firm.
        """
        return await self._desk.list(company_id, ClientQuestion, include_closed=include_closed)

    async def get(self, company_id: CompanyId, question_id: str) -> ClientQuestion:
        """One message with its questions and answers.

        Raises:
            NotFound: no such company in this firm, or no such message.
        """
        return await self._desk.read(company_id, ClientQuestion, question_id)

    async def preview(
        self,
        company_id: CompanyId,
        finding_ids: Sequence[str],
        *,
        actor: str,
        subject: str | None = None,
        note: str = "",
    ) -> ClientQuestion:
        """The message as it would be, with date, amount and vendor in each question. Nothing is kept.

        Raises:
            NotFound: no such company in this firm, or no such finding.
            InvalidRequest: no finding or more than 100, or one that is accepted or fixed already.
        """
        wanted = list(dict.fromkeys(finding_ids))
        if not 0 < len(wanted) <= MOST_QUESTIONS:
            raise InvalidRequest(f"choose 1 to {MOST_QUESTIONS} findings to ask about")
        company = await self._scope.company(company_id)
        tracked = await self._find(company_id, wanted)
        for one in tracked:
            if one.state not in _ASKABLE:
                raise InvalidRequest(f"{one.finding.summary!r} is {one.state.value}: reopen it before you ask about it")
        keys = sorted({key for one in tracked for key in one.finding.subjects})
        held = await self._scope.store.mirror.read_records(company_id, keys)
        records = {key: mirrored.record for key, mirrored in held.items()}
        items = tuple(word_item(one, records) for one in tracked)
        today = local_day(self._scope.clock.now(), company)
        title = clean_text(subject, "the subject") if subject is not None else ""
        values: dict[str, Any] = {
            "subject": title or word_subject(company.name, len(items)),
            "body": word_body(items, as_of=today, note=clean_text(note, "the note")),
            "items": items,
        }
        return self._desk.make(ClientQuestion, self._scope.new_id(), actor=actor, values=values)

    async def draft(
        self,
        company_id: CompanyId,
        finding_ids: Sequence[str],
        *,
        actor: str,
        subject: str | None = None,
        note: str = "",
    ) -> ClientQuestion:
        """Keep a message as a draft; its findings stay as they are until it is sent.

        Raises:
            NotFound: no such company in this firm, or no such finding.
            InvalidRequest: no finding or more than 100, or one that is accepted or fixed already.
        """
        message = await self.preview(company_id, finding_ids, actor=actor, subject=subject, note=note)
        return await self._desk.save(company_id, message, actor=actor)

    async def mark_sent(
        self, company_id: CompanyId, question_id: str, *, sent_to: str, actor: str, version: int | None = None
    ) -> ClientQuestion:
        """Say that a message went out, and to whom: its findings are asked from now on. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or no such message.
            InvalidRequest: it says not to whom, or the message was dropped.
            StaleRevision: it was changed since `version`.
        """
        actor = self._scope.name_actor(actor)
        message = await self._desk.read(company_id, ClientQuestion, question_id, version=version)
        if message.state is not QuestionState.DRAFT:
            return message
        if message.is_closed:
            raise InvalidRequest("the message was dropped: draft a new one")
        now = self._scope.clock.now()
        sent_to = clean_text(sent_to, "to whom it was sent", is_needed=True)
        # First the findings: cut off in between, the draft can be marked again, and nothing is asked without a trace.
        tracked = await self._find(company_id, [item.finding_id for item in message.items], is_needed=False)
        asked = [
            one.model_copy(
                update={"state": FindingState.ASKED, "snoozed_until": None, "decided_by": actor, "decided_at": now}
            )
            for one in tracked
            if one.state in (FindingState.OPEN, FindingState.SNOOZED)
        ]
        await self._decide(company_id, asked, actor)
        sent = {"state": QuestionState.SENT, "sent_to": sent_to, "sent_at": now}
        return await self._desk.save(company_id, self._desk.change(message, sent), actor=actor)

    async def answer(
        self,
        company_id: CompanyId,
        question_id: str,
        answers: Mapping[str, str],
        *,
        actor: str,
        version: int | None = None,
    ) -> ClientQuestion:
        """Record what the client said, by finding. Asked findings are open again and carry the answer.

        Raises:
            NotFound: no such company in this firm, no such message, or a finding that it does not ask about.
            InvalidRequest: no answer, an empty one, or the message was not sent yet.
            StaleRevision: it was changed since `version`.
        """
        actor = self._scope.name_actor(actor)
        message = await self._desk.read(company_id, ClientQuestion, question_id, version=version)
        if message.state is QuestionState.DRAFT:
            raise InvalidRequest("the message was not sent yet: mark it as sent first")
        said = {finding_id: clean_text(text, "an answer", is_needed=True) for finding_id, text in answers.items()}
        if not said:
            raise InvalidRequest("say what was answered, by finding")
        strange = sorted(set(said) - {item.finding_id for item in message.items})
        if strange:
            raise NotFound(f"the message does not ask about {', '.join(strange)}")
        now = self._scope.clock.now()
        tracked = await self._find(company_id, list(said), is_needed=False)
        back = [_carry_answer(one, said[one.finding_id], actor=actor, at=now) for one in tracked]
        await self._decide(company_id, [one for one, held in zip(back, tracked, strict=True) if one != held], actor)
        items = tuple(
            item.model_copy(update={"answer": said[item.finding_id], "answered_at": now})
            if item.finding_id in said and item.answer != said[item.finding_id]
            else item
            for item in message.items
        )
        is_whole = all(item.answer is not None for item in items)
        state = QuestionState.ANSWERED if is_whole else message.state
        changed = self._desk.change(message, {"items": items, "state": state, "is_closed": is_whole})
        return await self._desk.save(company_id, changed, actor=actor)

    async def drop(
        self, company_id: CompanyId, question_id: str, *, actor: str, version: int | None = None
    ) -> ClientQuestion:
        """Drop a message, or give up waiting for its answers: findings that it asked about are open again.

        Raises:
            NotFound: no such company in this firm, or no such message.
            StaleRevision: it was changed since `version`.
        """
        actor = self._scope.name_actor(actor)
        message = await self._desk.read(company_id, ClientQuestion, question_id, version=version)
        if message.is_closed:
            return message
        if message.state is QuestionState.SENT:
            now = self._scope.clock.now()
            unanswered = [item.finding_id for item in message.items if item.answer is None]
            tracked = await self._find(company_id, unanswered, is_needed=False)
            back = [
                one.model_copy(update={"state": FindingState.OPEN, "decided_by": actor, "decided_at": now})
                for one in tracked
                if one.state is FindingState.ASKED
            ]
            await self._decide(company_id, back, actor)
        return await self._desk.save(company_id, self._desk.change(message, {"is_closed": True}), actor=actor)

    async def _find(
        self, company_id: CompanyId, finding_ids: Sequence[str], *, is_needed: bool = True
    ) -> Sequence[TrackedFinding]:
        company = await self._scope.company(company_id)
        held = {t.finding_id: t for t in await self._scope.store.positions.findings(company_id)}
        missing = [finding_id for finding_id in finding_ids if finding_id not in held]
        if missing and is_needed:
            raise NotFound(f"{company.name!r} has no finding {missing[0]!r}: it may have been fixed and forgotten")
        return [held[finding_id] for finding_id in finding_ids if finding_id in held]

    async def _decide(self, company_id: CompanyId, tracked: Sequence[TrackedFinding], actor: str) -> None:
        await self._scope.store.positions.decide_findings(
            company_id, tracked, attribution=self._scope.by_person(actor), at=self._scope.clock.now()
        )


def _carry_answer(tracked: TrackedFinding, answer: str, *, actor: str, at: datetime) -> TrackedFinding:
    if tracked.answer == answer:
        return tracked
    state = FindingState.OPEN if tracked.state is FindingState.ASKED else tracked.state
    return tracked.model_copy(update={"answer": answer, "state": state, "decided_by": actor, "decided_at": at})
