"""What follows a person's change of something that figures rest on: the position, so that the next page shows it."""

from runway_core.domain.identity import CompanyId
from runway_core.runway import Runway


async def follow_change(runway: Runway, company_id: CompanyId) -> None:
    """Compute the position anew where there is one: a company that was never pulled has none.

    Raises:
        NotFound: no such company in this firm.
    """
    if await runway.positions.current(company_id) is not None:
        await runway.positions.keep_in_step(company_id, has_moved=False)
