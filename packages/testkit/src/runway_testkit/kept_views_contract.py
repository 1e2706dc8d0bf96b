"""What every store promises of views that are kept: the last one of each name, and nobody else's."""

from datetime import timedelta

import pytest
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.kept_views import KeptView
from runway_core.errors import NotFound

from runway_testkit.desk_contract import DeskContract
from runway_testkit.store_desk import START, StoreDesk


def make_view(desk: StoreDesk, *, name: str = "DigestView", stamp: str = "1; 2026-03-02") -> KeptView:
    """A view of the desk's company, good for a day."""
    return KeptView(desk.company.firm_id, desk.id, name, stamp, START + timedelta(days=1), b"\x78\x01\x00")


class KeptViewsContract(DeskContract):
    """Promises of kept views."""

    async def test_the_last_view_of_each_name_is_kept(self, desk: StoreDesk) -> None:
        positions, firm_id = desk.store.positions, desk.company.firm_id
        first, later, console = make_view(desk), make_view(desk, stamp="2"), make_view(desk, name="ConsoleView")
        for view in (first, console, later):
            await positions.save_view(view)

        assert await positions.view(firm_id, desk.id, "DigestView") == later
        assert await positions.view(firm_id, desk.id, "ConsoleView") == console
        assert await positions.view(firm_id, desk.id, "OutlookView") is None

    async def test_another_firm_neither_sees_nor_replaces_it(self, desk: StoreDesk) -> None:
        positions, view = desk.store.positions, make_view(desk)
        await positions.save_view(view)
        for strange in (view._replace(firm_id=FirmId("others")), view._replace(company_id=CompanyId("nobody's"))):
            with pytest.raises(NotFound, match="no company"):
                await positions.save_view(strange)

        assert await positions.view(FirmId("others"), desk.id, view.name) is None
        assert await positions.view(desk.company.firm_id, desk.id, view.name) == view
