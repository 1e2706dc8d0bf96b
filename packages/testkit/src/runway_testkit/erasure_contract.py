"""What every store promises of a company that was erased: its chain is left, and that it was erased."""

from datetime import timedelta

import pytest
from runway_core.domain.erasure import ERASED_NAME
from runway_core.domain.identity import FirmId, RecordKey, RecordKind
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import firm_chain
from runway_core.errors import CompanyErased, LeaseLost, NotFound, RunwayError
from runway_core.sync.verification import verify_log

from runway_testkit.desk_contract import PERSON, DeskContract
from runway_testkit.kept_views_contract import make_view
from runway_testkit.papers_contract import make_item
from runway_testkit.store_desk import BY, StoreDesk, make_account, make_bill

BILL = RecordKey(RecordKind.BILL, "1")


async def erase(desk: StoreDesk) -> None:
    """Erase the desk's company, as a person of its firm."""
    erasures, firm_id = desk.store.erasures, desk.company.firm_id
    await erasures.erase(firm_id, desk.id, attribution=PERSON, at=desk.now)
    await erasures.finish(firm_id, desk.id, at=desk.now + timedelta(seconds=1))


class ErasureContract(DeskContract):
    """Promises of erasing."""

    async def test_an_erased_company_is_gone_and_its_neighbour_is_not(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store, desk.company.firm_id
        await desk.put(make_bill("1"), make_account("7"))
        other = await StoreDesk(store, company="birch").open()
        await other.put(make_bill("1"))
        await store.positions.save_view(make_view(desk))
        await erase(desk)

        assert await store.registry.companies(firm_id) == [other.company]
        with pytest.raises(CompanyErased, match="was erased by ann"):
            await store.registry.company(firm_id, desk.id)
        husk = await store.registry.company(firm_id, desk.id, or_erased=True)
        assert (husk.name, husk.owner, husk.tags) == (ERASED_NAME, None, ())
        assert [one.name for one in await store.registry.companies(firm_id, with_erased=True)] == [ERASED_NAME, "Birch"]
        assert await store.registry.connections(firm_id, desk.id) == []
        assert not any((await store.mirror.count_records(desk.id)).values())
        assert await store.positions.view(firm_id, desk.id, "DigestView") is None
        assert desk.id not in await store.mirror.companies_due(firm_id)
        assert await other.read_mirror() == await other.fold_log()

    async def test_its_chain_verifies_and_says_by_whom_it_was_erased(self, desk: StoreDesk) -> None:
        await desk.put(make_bill("1", memo="Jane"))
        before = await desk.store.log.head(desk.id)
        await erase(desk)
        report = await verify_log(desk.store.log, desk.id)
        entries = [entry async for entry in desk.store.log.entries(desk.id)]
        [seen] = await desk.store.log.history(desk.id, BILL)
        house = [entry async for entry in desk.store.log.entries(firm_chain(desk.company.firm_id))]

        assert (report.is_sound, report.entries) == (True, before.sequence + 1)
        assert [entry.draft.is_sealed for entry in entries] == [*[True] * before.sequence, False]
        assert (seen.draft.what, seen.draft.content, seen.draft.raw, seen.draft.changed) == ("created", b"", b"", b"")
        for mark in (entries[-1].draft, house[-1].draft):
            assert (mark.what, mark.external_id, mark.attribution) == ("company_erased", desk.id, PERSON)

    async def test_erasing_again_changes_nothing(self, desk: StoreDesk) -> None:
        store, firm_id = desk.store, desk.company.firm_id
        await desk.put(make_bill("1"))
        await store.erasures.erase(firm_id, desk.id, attribution=PERSON, at=desk.now)
        [begun] = await store.erasures.erased(firm_id)
        head = await store.log.head(desk.id)
        await erase(desk)
        [done] = await store.erasures.erased(firm_id)

        assert (begun.is_finished, done.is_finished) == (False, True)
        assert (done.erased_by, done.erased_at) == ("ann", desk.now)
        assert await store.log.head(desk.id) == head

    async def test_nothing_comes_back_of_it(self, desk: StoreDesk) -> None:
        """A pull, a person or a computation may be on its way while a company is erased."""
        store = desk.store
        draft = LogDraft(
            seen_at=desk.now, rail="", kind="note", external_id="N1", what="noted", attribution=BY, content=b"{}"
        )
        await erase(desk)

        with pytest.raises(LeaseLost):
            await desk.put(make_bill("1"))
        with pytest.raises(NotFound):
            await store.registry.add_connection(desk.connection, attribution=BY)
        with pytest.raises(NotFound):
            await store.registry.update_company(desk.company, attribution=BY)
        with pytest.raises(NotFound):
            await store.papers.save_papers(desk.id, [make_item()], attribution=BY, at=desk.now)
        with pytest.raises(NotFound):
            await store.positions.save_view(make_view(desk))
        with pytest.raises(RunwayError):
            await store.log.append(desk.id, [draft])

    async def test_what_goes_is_counted_before(self, desk: StoreDesk) -> None:
        await desk.put(make_bill("1"), make_bill("2"), make_account("7"))
        survey = await desk.store.erasures.survey(desk.company.firm_id, desk.id)

        assert (survey.rows["bill"], survey.rows["account"], survey.rows["connections"]) == (2, 1, 1)
        assert (survey.entries, survey.clear_entries) == ((await desk.store.log.head(desk.id)).sequence, 0)

    async def test_another_firm_erases_nothing(self, desk: StoreDesk) -> None:
        await desk.put(make_bill("1"))
        others, erasures = FirmId("others"), desk.store.erasures
        for act in (
            erasures.survey(others, desk.id),
            erasures.erase(others, desk.id, attribution=PERSON, at=desk.now),
        ):
            with pytest.raises(NotFound, match="no company"):
                await act
        await erasures.finish(desk.company.firm_id, desk.id, at=desk.now)  # of one that was not erased

        assert await erasures.erased(desk.company.firm_id) == []
        assert [entry.draft.is_sealed for entry in await desk.store.log.history(desk.id, BILL)] == [False]
