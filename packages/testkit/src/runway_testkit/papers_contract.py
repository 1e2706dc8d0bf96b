"""What every store promises of working papers."""

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from runway_core.domain.books import Books
from runway_core.domain.conflicts import LEDGER, Conflict, ConflictDecision, ConflictKind, MatchSuggestion, Resolution
from runway_core.domain.findings import Evidence, Severity
from runway_core.domain.forecasts import ForecastPoint, KeptForecast
from runway_core.domain.identity import CompanyId, FirmId, RecordKey, RecordKind
from runway_core.domain.ledger import CompanyInfo
from runway_core.domain.money import Money
from runway_core.domain.papers import PaperKey, PaperKind
from runway_core.domain.people import firm_chain
from runway_core.domain.planned_items import PlannedItem
from runway_core.domain.policy import DEFAULT_POLICY, AmountTier, Earmark, Policy, Role, RuleName, VendorTier
from runway_core.errors import InvalidRequest, NotFound, StaleRevision

from runway_testkit.desk_contract import OTHER_PERSON, PERSON, DeskContract
from runway_testkit.store_desk import START, StoreDesk, make_bill, make_position


def make_item(paper_id: str = "rent", *, label: str = "Rent of the new yard", **fields: object) -> PlannedItem:
    """A planned item over fifty thousand dollars."""
    return PlannedItem(
        paper_id=paper_id,
        changed_at=START,
        changed_by="ann",
        label=label,
        on=date(2026, 3, 20),
        amount=Decimal("50000.0000"),
        currency="USD",
        owner="ann",
        confirmed_on=date(2026, 3, 2),
    ).model_copy(update=fields)


def make_forecast() -> KeptForecast:
    """A forecast of the week of the start."""
    point = ForecastPoint(
        week=1, ends_on=date(2026, 3, 8), expected=Decimal(9), flat_burn=Decimal(8), due_dates=Decimal(7)
    )
    return KeptForecast(
        paper_id="2026-03-02",
        changed_at=START,
        changed_by="runway",
        as_of=date(2026, 3, 2),
        currency="USD",
        opening=Decimal("10.0000"),
        week_outflow=Decimal("2.5000"),
        points=(point,),
    )


async def load(desk: StoreDesk) -> Books:
    """The company's books, with a year of history."""
    return await desk.store.mirror.load_books(
        desk.company, as_of=START.date(), history_from=date(2025, 1, 1), read_at=desk.now
    )


async def save(desk: StoreDesk, *items: PlannedItem, at: datetime | None = None) -> list[PlannedItem]:
    """Save items as Ann, at the desk's time."""
    saved = await desk.store.papers.save_papers(desk.id, items, attribution=PERSON, at=at or desk.now)
    return list(saved)


class PapersContract(DeskContract):
    """Promises of working papers."""

    async def test_a_paper_is_kept_as_it_was_saved(self, desk: StoreDesk) -> None:
        desk.seconds = 5
        (saved,) = await save(desk, make_item(vendor_id="50", fulfilled_by=RecordKey(RecordKind.BILL, "7")))
        papers = desk.store.papers

        assert saved == make_item(
            vendor_id="50", fulfilled_by=RecordKey(RecordKind.BILL, "7"), version=1, changed_at=desk.now
        )
        assert await papers.paper(desk.id, PlannedItem, "rent") == saved
        assert list(await papers.papers(desk.id, PlannedItem)) == [saved]
        assert await papers.papers_of(desk.id, PlannedItem, ["rent", "rent", "no", "re\x00nt"]) == {"rent": saved}
        assert await papers.papers_of(desk.id, PlannedItem, []) == {}
        assert await papers.papers_of(desk.id, Earmark, ["rent"]) == {}
        assert await papers.paper(desk.id, Earmark, "rent") is None
        assert await papers.paper(desk.id, PlannedItem, "re\x00nt") is None

    async def test_a_policy_comes_back_with_every_setting(self, desk: StoreDesk) -> None:
        """If this fails: are keys and enums of a document read back as what they were?"""
        policy = Policy(
            paper_id="policy",
            changed_at=START,
            changed_by="ann",
            rules=(RuleName.TWO_PEOPLE, RuleName.MINIMUM_CASH),
            amount_tiers=(AmountTier(below=None, roles=(Role.OWNER,)),),
            vendor_tiers={"50": VendorTier.CRITICAL},
            late_fee_monthly={"50": Decimal("0.015")},
            account_budgets={"63": Decimal("1200.0000")},
        )
        (saved,) = await desk.store.papers.save_papers(desk.id, [policy], attribution=PERSON, at=START)

        assert saved == policy.model_copy(update={"version": 1})
        assert await desk.store.papers.paper(desk.id, Policy, "policy") == saved

    async def test_a_decision_about_a_conflict_comes_back_whole_and_stands_in_the_books(self, desk: StoreDesk) -> None:
        """If this fails: are pairs of records, amounts and evidence of a document read back as what they were?"""
        there, here = RecordKey(RecordKind.RAIL_BILL, "ramp:R"), RecordKey(RecordKind.BILL, "7")
        conflict = Conflict(
            conflict_id="c1",
            kind=ConflictKind.AMBIGUOUS_MATCH,
            company_id=desk.id,
            records=(there, here),
            rails=(LEDGER, "ramp"),
            severity=Severity.MEDIUM,
            summary="may be one",
            suggested="Say which",
            amount=Money(amount=Decimal("70.0000"), currency="USD"),
            since=date(2026, 2, 17),
            evidence=(Evidence(name="number", value="9917", record=there, rail="ramp"),),
            matches=(MatchSuggestion(tier=3, there=(there,), here=(here,), evidence=("same vendor",)),),
        )
        decision = ConflictDecision(
            paper_id="c1",
            changed_at=START,
            changed_by="ann",
            resolution=Resolution.MATCHED,
            basis=conflict.basis,
            conflict=conflict,
            pairs=((there, here),),
            alias_meant=RecordKey(RecordKind.VENDOR, "50"),
        )
        (saved,) = await desk.store.papers.save_papers(desk.id, [decision], attribution=PERSON, at=START)

        assert saved == decision.model_copy(update={"version": 1})
        assert await desk.store.papers.paper(desk.id, ConflictDecision, "c1") == saved
        assert (await load(desk)).conflict_decisions == (saved,)

    async def test_every_change_is_logged_with_what_changed_and_the_chain_holds(self, desk: StoreDesk) -> None:
        (first,) = await save(desk, make_item())
        (moved,) = await save(desk, first.model_copy(update={"on": date(2026, 4, 1)}))
        (closed,) = await save(desk, moved.model_copy(update={"is_closed": True}))
        await save(desk, closed.model_copy(update={"is_closed": False}))
        history = await desk.store.log.history(desk.id, PaperKey(PaperKind.PLANNED_ITEM, "rent"))

        assert [entry.draft.what for entry in history] == [
            "planned_item_added",
            "planned_item_updated",
            "planned_item_closed",
            "planned_item_reopened",
        ]
        assert [entry.draft.changed for entry in history] == [
            b"",
            b'{"on":["2026-03-20","2026-04-01"]}',
            b'{"is_closed":[false,true]}',
            b'{"is_closed":[true,false]}',
        ]
        assert [PlannedItem.model_validate_json(entry.draft.content) for entry in history][:3] == [first, moved, closed]
        assert [entry.draft.revision for entry in history] == ["1", "2", "3", "4"]
        assert {entry.draft.attribution for entry in history} == {PERSON}
        assert await desk.check_chain() == 2 + 4  # the company and its connection were added

    async def test_a_change_on_an_old_version_is_refused_and_writes_nothing(self, desk: StoreDesk) -> None:
        (first,) = await save(desk, make_item())
        await save(desk, first.model_copy(update={"label": "Rent of both yards"}))
        before = await desk.store.log.head(desk.id)
        late = first.model_copy(update={"label": "No rent"})
        with pytest.raises(StaleRevision, match="planned item 'rent' was changed to version 2"):
            await save(desk, make_item("new"), late)
        with pytest.raises(StaleRevision):
            await save(desk, make_item(label="taken"))
        with pytest.raises(StaleRevision, match="not there"):
            await save(desk, make_item("lost", version=3))
        held = await desk.store.papers.papers(desk.id, PlannedItem)

        assert [(paper.paper_id, paper.label, paper.version) for paper in held] == [("rent", "Rent of both yards", 2)]
        assert await desk.store.log.head(desk.id) == before

    async def test_a_paper_that_says_the_same_writes_nothing(self, desk: StoreDesk) -> None:
        (first,) = await save(desk, make_item())
        before = await desk.store.log.head(desk.id)
        (again,) = await save(desk, make_item(), at=desk.now + timedelta(hours=1))
        (as_stored,) = await save(desk, first)

        assert again == as_stored == first
        assert await desk.store.log.head(desk.id) == before

    async def test_of_savers_at_once_one_wins_and_the_chain_holds(self, desk: StoreDesk) -> None:
        """If this fails: is the version read after the chain is locked?"""
        (first,) = await save(desk, make_item())
        papers = desk.store.papers
        answers = await asyncio.gather(
            *(
                papers.save_papers(
                    desk.id, [first.model_copy(update={"note": f"{n}"})], attribution=OTHER_PERSON, at=desk.now
                )
                for n in range(8)
            ),
            return_exceptions=True,
        )
        won = [answer for answer in answers if not isinstance(answer, BaseException)]
        held = await papers.paper(desk.id, PlannedItem, "rent")

        assert len(won) == 1
        assert held == won[0][0]
        assert held is not None
        assert (held.version, held.changed_by) == (2, "bob")
        assert all(isinstance(answer, StaleRevision) for answer in answers if isinstance(answer, BaseException))
        assert await desk.check_chain() == 2 + 2

    async def test_closed_papers_are_shown_on_request_alone(self, desk: StoreDesk) -> None:
        late = desk.now + timedelta(hours=1)
        await save(desk, make_item("b"), make_item("a"), make_item("gone", is_closed=True))
        await save(desk, make_item("late"), at=late)
        papers = desk.store.papers
        current = await papers.papers(desk.id, PlannedItem)
        everything = await papers.papers(desk.id, PlannedItem, include_closed=True)
        two = await papers.papers(desk.id, PlannedItem, limit=2)

        assert [paper.paper_id for paper in current] == ["late", "a", "b"]
        assert [paper.paper_id for paper in everything] == ["late", "a", "b", "gone"]
        assert [paper.paper_id for paper in two] == ["late", "a"]

    async def test_papers_of_two_kinds_may_have_one_id(self, desk: StoreDesk) -> None:
        earmark = Earmark(paper_id="rent", changed_at=START, changed_by="ann", bill_id="7", amount=Decimal("900.0000"))
        item = make_item()
        saved = await desk.store.papers.save_papers(desk.id, [item, earmark], attribution=PERSON, at=START)

        assert list(saved) == [paper.model_copy(update={"version": 1}) for paper in (item, earmark)]
        assert [paper.bill_id for paper in await desk.store.papers.papers(desk.id, Earmark)] == ["7"]

    async def test_a_changed_paper_makes_the_position_due(self, desk: StoreDesk) -> None:
        await desk.put(make_bill())
        await desk.store.positions.save_position(await make_position(desk), [])
        before = list(await desk.store.mirror.companies_due())
        await save(desk, make_item())

        assert before == []
        assert list(await desk.store.mirror.companies_due()) == [desk.id]

    async def test_what_runway_said_makes_no_position_due(self, desk: StoreDesk) -> None:
        """If this fails: keeping a forecast makes the position due, and computing that keeps the next one."""
        await desk.put(make_bill())
        await desk.store.positions.save_position(await make_position(desk), [])
        (kept,) = await desk.store.papers.save_papers(desk.id, [make_forecast()], attribution=PERSON, at=START)

        assert list(await desk.store.mirror.companies_due()) == []
        assert list(await desk.store.papers.papers(desk.id, KeptForecast)) == [kept]

    async def test_papers_of_another_firms_company_are_not_seen(self, desk: StoreDesk) -> None:
        other = await StoreDesk(desk.store, firm="rival", company="zenith").open()
        await save(desk, make_item("rent"))
        (theirs,) = await save(other, make_item("rent", label="Theirs"))
        papers = desk.store.papers

        assert list(await papers.papers(other.id, PlannedItem)) == [theirs]
        assert await papers.paper(other.id, PlannedItem, "rent") == theirs
        assert [paper.label for paper in await papers.papers(desk.id, PlannedItem)] == ["Rent of the new yard"]
        assert len(await desk.store.log.history(other.id, PaperKey(PaperKind.PLANNED_ITEM, "rent"))) == 1

    async def test_a_paper_without_a_company_or_an_id_is_refused(self, desk: StoreDesk) -> None:
        with pytest.raises(NotFound):
            await desk.store.papers.save_papers(CompanyId("nobody"), [make_item()], attribution=PERSON, at=START)
        for paper_id in ("", "a\x00b"):
            with pytest.raises(InvalidRequest):
                await save(desk, make_item(paper_id))

        assert list(await desk.store.papers.papers(desk.id, PlannedItem)) == []

    async def test_a_firm_has_papers_of_its_own_and_its_policy_lies_below_that_of_its_companies(
        self, desk: StoreDesk
    ) -> None:
        """If this fails: does the owner `firm_chain` a firm need no company, and is its policy read with the books?"""
        house = firm_chain(desk.company.firm_id)
        set_by_firm = {"payroll_cover_days": 21, "own": ("payroll_cover_days",)}
        papers, log = desk.store.papers, desk.store.log
        await desk.put(CompanyInfo(external_id="1", name="Acme"))
        before = (await log.head(desk.id), await desk.store.mirror.companies_due())
        (firm,) = await papers.save_papers(
            house, [DEFAULT_POLICY.model_copy(update=set_by_firm)], attribution=PERSON, at=START
        )
        below = (await load(desk)).policy
        mine = DEFAULT_POLICY.model_copy(update={"bank_warn_hours": 12, "own": ("bank_warn_hours",)})
        await papers.save_papers(desk.id, [mine], attribution=PERSON, at=START)
        over = (await load(desk)).policy

        assert await papers.paper(house, Policy, "policy") == firm
        assert await papers.paper(firm_chain(FirmId("others")), Policy, "policy") is None
        assert (below.payroll_cover_days, below.version, below.firm_version) == (21, 0, 1)
        assert (over.payroll_cover_days, over.bank_warn_hours, over.version, over.firm_version) == (21, 12, 1, 1)
        assert len(await log.history(house, PaperKey(PaperKind.POLICY, "policy"))) == 1
        assert before[1] == await desk.store.mirror.companies_due() == [desk.id]
        assert await desk.check_chain() == before[0].sequence + 1

    async def test_a_policy_of_the_firm_makes_stored_positions_due_until_they_are_computed_under_it(
        self, desk: StoreDesk
    ) -> None:
        mirror, positions = desk.store.mirror, desk.store.positions
        await desk.put(CompanyInfo(external_id="1", name="Acme"))
        other = await StoreDesk(desk.store, firm="others", company="zeta").open()
        await other.put(CompanyInfo(external_id="1", name="Zeta"))
        for one in (desk, other):
            await positions.save_position(await make_position(one), [])
        before = list(await mirror.companies_due())
        await desk.store.papers.save_papers(
            firm_chain(desk.company.firm_id), [DEFAULT_POLICY], attribution=PERSON, at=START
        )
        due = list(await mirror.companies_due())
        under = (await make_position(desk)).model_copy(update={"firm_policy_version": 1})
        await positions.save_position(under, [])

        assert (before, due) == ([], [desk.id])
        assert list(await mirror.companies_due()) == []

    async def test_books_hold_the_papers_that_are_not_closed(self, desk: StoreDesk) -> None:
        before = await load(desk)
        policy = DEFAULT_POLICY.model_copy(update={"payroll_cover_days": 21})
        earmark = Earmark(paper_id="e", changed_at=START, changed_by="ann", bill_id="7", amount=Decimal("900.0000"))
        info = CompanyInfo(external_id="1", name="Acme")
        await desk.put(info)
        saved = await save(desk, make_item("b"), make_item("a"), make_item("gone", is_closed=True))
        await desk.store.papers.save_papers(desk.id, [policy, earmark], attribution=PERSON, at=START)
        books = await load(desk)
        (dropped,) = await save(desk, saved[0].model_copy(update={"is_closed": True}))
        after = await load(desk)

        assert (before.planned_items, before.policy, before.company_info) == ((), DEFAULT_POLICY, None)
        assert books.planned_items == (saved[1], saved[0])
        assert (books.policy.payroll_cover_days, books.policy.version) == (21, 1)
        assert [paper.bill_id for paper in books.earmarks] == ["7"]
        assert (books.decisions, books.aliases, books.call_backs, books.collection_notes) == ((), (), (), ())
        assert books.company_info == info
        assert books.log_sequence == (await desk.store.log.head(desk.id)).sequence - 1
        assert dropped.is_closed
        assert after.planned_items == (saved[1],)
        assert after.earmarks == books.earmarks
