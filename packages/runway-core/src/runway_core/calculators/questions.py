"""Questions to a client: one message, each question with what, who, when and how much, in plain words."""

from collections.abc import Mapping, Sequence
from datetime import date

from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import RecordKey
from runway_core.domain.money import Money, round_to_minor
from runway_core.domain.questions import QuestionItem
from runway_core.domain.record import Record

_PARTIES = ("vendor_name", "customer_name", "payee_name", "name")
_DAYS = ("document_date", "transaction_date")


def word_item(tracked: TrackedFinding, records: Mapping[RecordKey, Record]) -> QuestionItem:
    """Ask about one finding: its records with date, amount and vendor, then what was seen.

    `records` are those of its subjects that are mirrored; what they do not say is left out.
    """
    finding = tracked.finding
    known = [records[key] for key in finding.subjects if key in records]
    about = "; ".join(dict.fromkeys(_say_record(record) for record in known))
    amount = "" if finding.amount is None or any(_amount_of(record) for record in known) else _say(finding.amount)
    head = ", ".join(part for part in (about, amount) if part)
    return QuestionItem(finding_id=tracked.finding_id, text=f"{head}: {finding.summary}" if head else finding.summary)


def word_subject(company_name: str, count: int) -> str:
    """The subject line of a message."""
    return f"{company_name}: {count} question{'' if count == 1 else 's'} about your books"


def word_body(items: Sequence[QuestionItem], *, as_of: date, note: str = "") -> str:
    """The message as plain text, its questions numbered; `note` stands above them."""
    opening = "This came up" if len(items) == 1 else f"These {len(items)} things came up"
    lines = [
        "Hello,",
        "",
        *([note, ""] if note else []),
        f"{opening} when we looked at your books on {_day(as_of)}:",
        "",
        *(f"{number}. {item.text}" for number, item in enumerate(items, start=1)),
        "",
        "Please answer under each number. Thank you.",
    ]
    return "\n".join(lines)


def _say_record(record: Record) -> str:
    number = getattr(record, "number", None)
    parts = [
        f"{record.kind.value.replace('_', ' ').capitalize()}{f' {number}' if number else ''}",
        next((str(name) for field in _PARTIES if (name := getattr(record, field, None))), ""),
        next((_day(day) for field in _DAYS if (day := getattr(record, field, None))), ""),
        "" if (amount := _amount_of(record)) is None else _say(amount),
    ]
    return ", ".join(part for part in parts if part)


def _amount_of(record: Record) -> Money | None:
    for field in ("total", "amount"):
        amount, currency = getattr(record, field, None), getattr(record, "currency", None)
        if amount is not None and currency:
            return Money(amount=amount, currency=currency)
    return None


def _say(money: Money) -> str:
    return f"{round_to_minor(money.amount, money.currency):,f} {money.currency}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
