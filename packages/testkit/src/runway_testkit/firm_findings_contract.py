"""What every store promises of findings over all companies of a firm: one query, and nobody else's."""

from runway_core.domain.findings import WAITING, FindingState, Severity
from runway_core.domain.identity import FirmId

from runway_testkit.desk_contract import DeskContract
from runway_testkit.store_desk import StoreDesk, make_finding, make_position


class FirmFindingsContract(DeskContract):
    """Promises of findings that are read across companies."""

    async def test_findings_of_one_check_are_read_and_counted_across_companies(self, desk: StoreDesk) -> None:
        positions, firm_id = desk.store.positions, desk.company.firm_id
        other = await StoreDesk(desk.store, firm=firm_id, company="zenith").open()
        rival = await StoreDesk(desk.store, firm="rival", company="rival").open()
        high, low = make_finding(desk, "1"), make_finding(desk, "2", Severity.LOW)
        snoozed = make_finding(desk, "3").model_copy(update={"state": FindingState.SNOOZED})
        stale = low.finding.model_copy(update={"check": "AP08"})
        unlike = low.model_copy(update={"finding": stale, "state": FindingState.ASKED})
        elsewhere, foreign = make_finding(other), make_finding(rival)
        await positions.save_position(await make_position(desk), [high, low, snoozed, unlike])
        await positions.save_position(await make_position(other), [elsewhere])
        await positions.save_position(await make_position(rival), [foreign])
        found = await positions.findings_of_firm(firm_id, check="AP06", states=WAITING)
        first, last = sorted([high, low], key=lambda tracked: tracked.finding_id)

        assert list(found) == [(desk.id, first), (desk.id, last), (other.id, elsewhere)]
        assert list(await positions.count_findings(firm_id, states=WAITING)) == [
            (desk.id, "AP06", Severity.HIGH.rank, 1),
            (desk.id, "AP06", Severity.LOW.rank, 1),
            (desk.id, "AP08", Severity.LOW.rank, 1),
            (other.id, "AP06", Severity.HIGH.rank, 1),
        ]
        assert list(await positions.findings_of_firm(FirmId("rival"), check="AP06", states=WAITING)) == [
            (rival.id, foreign)
        ]
        assert list(await positions.count_findings(FirmId("nobody"), states=WAITING)) == []
