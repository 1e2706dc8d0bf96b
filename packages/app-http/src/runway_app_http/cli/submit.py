"""`runway submit`: a released bill is put before the people who approve payments at the rail. Nothing is paid by it."""

import typer
from rich.console import RenderableType
from runway_core.domain.submissions import Submission, SubmissionState
from runway_core.runway import Runway

from runway_app_http.api.decisions import find_decision
from runway_app_http.cli.companies import CompanyName
from runway_app_http.cli.decide import By, DecisionName
from runway_app_http.cli.session import Session, command
from runway_app_http.cli.tables import fields_table
from runway_app_http.following import follow_change
from runway_app_http.ui.figures import NONE_YET

app = typer.Typer()

_SAID = {
    SubmissionState.SUBMITTED: "waits for approval there",
    SubmissionState.REFUSED: "refused: nothing is there",
    SubmissionState.UNKNOWN: "no answer: submit again in ten minutes, it is looked for first",
    SubmissionState.INTENDED: "under way",
}


@command(app, "submit", example="runway submit acme B2")
def submit(session: Session, company: CompanyName, decision: DecisionName, by: By = None) -> None:
    """Put the bill of a released decision before the people who approve payments at the rail. Nothing is paid by it."""

    async def act(runway: Runway) -> Submission:
        company_id = (await runway.companies.find(company)).company_id
        found = await find_decision(runway, company_id, decision)
        submitted = await runway.submissions.submit(company_id, found.paper_id, actor=by or session.actor)
        await follow_change(runway, company_id)
        return submitted

    submitted = session.run(act)
    session.show(submitted, lambda: _lay_out(submitted))


def _lay_out(one: Submission) -> RenderableType:
    return fields_table(
        f"Bill {one.bill_id} at {one.rail}",
        {
            "State": _SAID[one.state],
            "There as": one.rail_bill_id or NONE_YET,
            "Approved by": ", ".join(one.approved_by),
            "Rail says": one.error or NONE_YET,
        },
    )
