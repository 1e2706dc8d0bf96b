"""Reminders: how firm they are, and to whom none goes."""

import pytest
from runway_core.domain.policy import DEFAULT_POLICY
from runway_core.experiences.letters import write_letter

from tests.core.calculators.test_collections import case_of


@pytest.mark.parametrize(
    ("late", "words"),
    [(20, "This may have slipped by"), (40, "has been open for 40 days"), (70, "In spite of our reminders")],
)
def test_letters_grow_firmer_with_the_days(late: int, words: str) -> None:
    letter = write_letter(case_of(late=late, habit=10), company_name="Sample")

    assert letter is not None
    assert words in letter.body
    assert "invoice I of 100.00 USD" in letter.body.replace("Invoice", "invoice")
    assert letter.body.endswith("Sample\n")
    assert letter.subject.startswith("Invoice I, due ")


def test_who_keeps_to_his_habit_or_is_a_friend_gets_none() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"personal_customer_ids": ("C1",)})

    assert write_letter(case_of(late=10, habit=10), company_name="Sample") is None
    assert write_letter(case_of(late=40, habit=10, policy=policy), company_name="Sample") is None
