"""The checks against the sandbox's economy: what was planted there is found, and nothing else."""

import pytest
from runway_sandbox.economy import build_company

from tests.core.hygiene.planted import AS_OF, found_in, planted_in, read_books


@pytest.mark.parametrize("index", range(12))
def test_what_was_planted_is_found_and_nothing_else(index: int) -> None:
    made = build_company(index=index, seed=7, bills=150, as_of=AS_OF)

    assert found_in(read_books(made)) == planted_in(made)
