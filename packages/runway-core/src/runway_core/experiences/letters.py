"""Reminders to customers, as text to look over and to send by hand: nothing here sends one."""

from runway_core.domain.collections import CollectionCase, CollectionStage, CollectionStep
from runway_core.experiences.view import View

_OPENINGS = {
    CollectionStage.FRIENDLY: "This may have slipped by: invoice {number} of {owed} was due on {due}.",
    CollectionStage.FIRM: "Invoice {number} of {owed} has been open for {days} days; it was due on {due}.",
    CollectionStage.FINAL: "In spite of our reminders invoice {number} of {owed}, due on {due}, is still open.",
}
_REQUESTS = {
    CollectionStage.FRIENDLY: "Could you tell us on which day we may expect it? If it is on its way, thank you.",
    CollectionStage.FIRM: "Please pay it within seven days, or call us today so that we can agree on a day.",
    CollectionStage.FINAL: "Please pay it within five days. Otherwise we have to talk about a plan, or stop our work.",
}


class Letter(View):
    """One reminder, ready to be read over."""

    subject: str
    body: str


def write_letter(case: CollectionCase, *, company_name: str) -> Letter | None:
    """The letter of an invoice's stage; `None` where none is to be sent: within habit, personal, promised, disputed."""
    if case.step is not CollectionStep.REMIND or case.is_personal or case.stage not in _OPENINGS:
        return None
    number = case.number or case.invoice_id
    values = {"number": number, "owed": str(case.owed), "due": f"{case.due:%-d %B %Y}", "days": case.days_late}
    signed = f"{case.person}\n{company_name}" if case.person else company_name
    parts = (f"Dear {case.customer_name},", _OPENINGS[case.stage].format(**values), _REQUESTS[case.stage], signed)
    return Letter(subject=f"Invoice {number}, due {case.due:%-d %B %Y}", body="\n\n".join(parts) + "\n")
