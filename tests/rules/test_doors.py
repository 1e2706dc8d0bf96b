"""Companies of a firm are reached through one door, which knows who asks."""

import re
from typing import Any

DOOR = "runway_core/services/scope.py"
PAST_THE_DOOR = re.compile(
    r"\.registry\.(company|companies|connections|last_runs|count_quarantined|runs)\(|\.positions\.positions?\("
    r"|\.companies_due\("
)
THROUGH_THE_SCOPE = re.compile(r"scope\.companies_due\(")


def test_no_service_asks_the_store_for_companies_past_the_scope(sources: list[Any]) -> None:
    """If this fails: ask `Scope` for them; it leaves out what is not assigned to whoever asks."""
    found = [
        f"{source.name}:{number}: {line.strip()}"
        for source in sources
        if source.module.startswith(("runway_core/services", "runway_core/orchestrators", "runway_core/experiences"))
        or source.module == "runway_core/runway.py"
        if source.module != DOOR
        for number, line in enumerate(source.text.splitlines(), 1)
        if PAST_THE_DOOR.search(THROUGH_THE_SCOPE.sub("", line))
    ]

    assert not found, "\n".join(found)
