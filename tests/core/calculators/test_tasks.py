"""What is to be done this week: the order of what is pressing does not hang on the order of reading."""

from decimal import Decimal
from itertools import permutations

from runway_core.calculators.tasks import find_tasks
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.money import Money
from runway_testkit.memory_store import MemoryStore
from runway_testkit.sample import sample_books
from runway_testkit.store_desk import StoreDesk, make_finding


def changed_details(number: int, amount: str) -> TrackedFinding:
    """A vendor who is paid to another account since lately, with so much due."""
    held = make_finding(StoreDesk(MemoryStore()), f"B{number}")
    due = Money(amount=Decimal(amount), currency="USD")
    finding = held.finding.model_copy(update={"check": "AP19", "amount": due})
    return held.model_copy(update={"finding": finding})


def test_calls_about_changed_details_come_by_what_is_due() -> None:
    findings = [changed_details(1, "2.30"), changed_details(2, "73.58"), changed_details(3, "40.00")]
    orders = {
        tuple(task.record.external_id for task in tasks if task.finding_id is not None and task.record is not None)
        for order in permutations(findings)
        for tasks, _ in (find_tasks(sample_books(), order, ()),)
    }

    assert orders == {("B2", "B3", "B1")}
