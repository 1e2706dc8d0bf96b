"""Hours of companies on all four rails at once, in which calls fail: the mirror ends as a first reading would be."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from runway_app_http.logs import configure_logs
from runway_sandbox.serve import start_sandbox
from runway_testkit.invariants import find_broken_books, say
from runway_testkit.invariants_of_edges import find_secrets

from tests.rails.four_rails import live_through

SECRET_NAMES = ("secret", "token", "key")
RAILS = {"qbo", "plaid", "stripe", "ramp"}


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the program's log holds by the end, down to the smallest matters."""
    held, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure_logs(level="debug", form="json", stream=stream)
    yield stream
    structlog.configure(**held)
    root.handlers[:] = handlers
    root.setLevel(level)


def list_secrets(ready: object, name: str = "") -> Iterator[bytes]:
    """Every secret of a ready line."""
    if isinstance(ready, dict):
        for key, value in ready.items():
            yield from list_secrets(value, key)
    elif isinstance(ready, list):
        for value in ready:
            yield from list_secrets(value, name)
    elif isinstance(ready, str) and any(part in name for part in SECRET_NAMES) and "://" not in ready:
        yield ready.encode()


@pytest.mark.parametrize(("profile", "hours"), [("flaky", 4), ("moving_pages", 2)])
async def test_nothing_is_lost_doubled_or_told_on_any_rail(profile: str, hours: int, written: StringIO) -> None:
    with start_sandbox(
        clients=3, bills_per_client=40, rails=",".join(RAILS), more_arguments=["--no-throttle"]
    ) as sandbox:
        outcome = await live_through(sandbox.ready, hours=hours, profile=profile, seed=3)

    texts = {"program's log": written.getvalue().encode()} | {
        f"log of {company_id}": b"".join(entry.canonical for entry in company.entries)
        for company_id, company in outcome.remains.companies.items()
    }

    assert b"ledger_mirrored" in texts["program's log"]
    planted = list(list_secrets(sandbox.ready))
    assert len(planted) > len(RAILS)
    assert not say(find_secrets(texts, planted))
    assert {rail for _, rail, _ in outcome.truth} == RAILS
    assert {change.split()[0] for change in outcome.done} == RAILS
    assert (outcome.lost, outcome.beyond) == ([], [])
    assert not say(find_broken_books(outcome.remains))
