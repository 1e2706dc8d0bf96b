"""How figures are written where there is little room."""

import pytest
from runway_app_http.ui.figures import say_oldest
from runway_core.domain.company import ConnectionState
from runway_core.sync.freshness import FreshnessLabel
from runway_testkit.sample import READ_AT

ACTIVE, BROKEN = ConnectionState.ACTIVE, ConnectionState.RECONNECT_NEEDED


def label(rail: str, minutes: int, state: ConnectionState = ACTIVE, *, is_stale: bool = False) -> FreshnessLabel:
    note = f"read {minutes} minutes ago"
    return FreshnessLabel(
        rail=rail, state=state, source_read_at=READ_AT, age_seconds=60 * minutes, is_stale=is_stale, note=note
    )


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([], ()),
        ([label("qbo", 3)], ("read 3 minutes ago",)),
        ([label("plaid", 3), label("qbo", 9), label("ramp", 1)], ("3 rails: read 9 minutes ago",)),
        (
            [label("plaid", 3), label("qbo", 2), label("ramp", 1, BROKEN), label("stripe", 300, is_stale=True)],
            ("ramp: read 1 minutes ago", "stripe: read 300 minutes ago", "2 rails: read 3 minutes ago"),
        ),
        (
            [label("plaid", 3), label("qbo", 300, is_stale=True)],
            ("plaid: read 3 minutes ago", "qbo: read 300 minutes ago"),
        ),
    ],
)
def test_an_overview_names_rails_in_trouble_and_of_the_rest_the_oldest(
    labels: list[FreshnessLabel], said: tuple[str, ...]
) -> None:
    assert say_oldest(labels) == said
