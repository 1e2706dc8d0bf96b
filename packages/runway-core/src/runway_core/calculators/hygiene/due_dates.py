"""What the checks on due dates share: when a due date is no date anyone chose, and what to show for it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from runway_core.calculators.calendar import add_days
from runway_core.calculators.statistics import median
from runway_core.calculators.terms import LONGEST_TERM_DAYS, DatedDocument, UsualTerms
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.findings import Evidence, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind

LEAST_OTHERS = 3
LEAST_USUAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class AssumedDueDate:
    """What there is to show for a due date that was filled in."""

    usual_days: int
    evidence: tuple[Evidence, ...]
    fixes: tuple[SuggestedFix, ...]


def is_filled_in(document: DatedDocument, terms: UsualTerms) -> bool:
    """Whether a document due on its own date stands against at least three others with a week or more.

    Ask only about documents without terms.
    """
    if document.due_date != document.document_date:
        return False
    others = terms.days_of(document.party_id, except_id=document.external_id)
    return len(others) >= LEAST_OTHERS and median(others) >= LEAST_USUAL_DAYS


def describe_assumed_due_date(
    document: DatedDocument, terms: UsualTerms, *, key: RecordKey, term_id: str | None
) -> AssumedDueDate:
    """Both dates and how often each term was seen; the fixes are the usual due date and the party's own terms."""
    others = terms.days_of(document.party_id, except_id=document.external_id)
    usual = terms.median_of(document.party_id, except_id=document.external_id) or 0
    due = add_days(document.document_date, usual)
    fixes = [
        SuggestedFix(
            label=f"Set due date to {due} (usual {usual} days)",
            record=key,
            fields={"due_date": due.isoformat()},
            amendments=move_due(key, due),
        )
    ]
    if term_id is not None:
        fixes.append(SuggestedFix(label="Set the party's own terms", record=key, fields={"term_id": term_id}))
    return AssumedDueDate(
        usual_days=usual,
        evidence=(
            Evidence(name="document_date", value=document.document_date.isoformat(), record=key),
            Evidence(name="due_date", value=str(document.due_date), record=key),
            Evidence(name="terms_seen", value=_say_histogram(others)),
        ),
        fixes=tuple(fixes),
    )


def find_date_fault(document: DatedDocument, as_of: date) -> str | None:
    """Why a document's dates cannot be right, or `None`."""
    if document.document_date > add_days(as_of, 1):
        return f"is dated {document.document_date}, in the future"
    if document.due_date is None:
        return None
    if document.due_date < document.document_date:
        return f"is due {document.due_date}, before its own date {document.document_date}"
    if (document.due_date - document.document_date).days > LONGEST_TERM_DAYS:
        return f"is due {document.due_date}, more than a year after its date {document.document_date}"
    return None


def show_dates(document: DatedDocument, *, key: RecordKey) -> tuple[Evidence, ...]:
    """Both dates of a document as evidence."""
    return (
        Evidence(name="document_date", value=document.document_date.isoformat(), record=key),
        Evidence(name="due_date", value=str(document.due_date or "none"), record=key),
    )


def suggest_due_date(
    document: DatedDocument, terms: UsualTerms, as_of: date, *, key: RecordKey
) -> Sequence[SuggestedFix]:
    """The due date by usual terms, where the document's own date can be believed."""
    if document.document_date > add_days(as_of, 1):
        return (SuggestedFix(label="Correct the document's date in the ledger", record=key),)
    due = terms.due_day(document._replace(due_date=None)).day
    return (
        SuggestedFix(
            label=f"Set due date to {due}",
            record=key,
            fields={"due_date": due.isoformat()},
            amendments=move_due(key, due),
        ),
    )


def move_due(key: RecordKey, due: date) -> tuple[Amendment, ...]:
    """A bill that falls due on another day. Invoices are left: they come by habit, not on the day they are due."""
    if key.kind is not RecordKind.BILL:
        return ()
    return (Amendment(action=AmendmentAction.SET_DUE, record=key, on=due),)


def _say_histogram(days: Sequence[int]) -> str:
    return ", ".join(f"{count} × {term} days" for term, count in sorted(Counter(days).items()))
