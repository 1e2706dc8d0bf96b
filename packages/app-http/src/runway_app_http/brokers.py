"""Which broker carries wake-ups: found by the scheme of its address, loaded only where one is set."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from runway_core.errors import InvalidRequest
from runway_core.ports.broker import Broker, WorkDue
from runway_core.runway import Runway
from runway_core.sync.engine import Beat, SyncEngine

from runway_app_http.container import make_engine, open_runway
from runway_app_http.settings import AppSettings

GROUP = "runway.brokers"
ANNOUNCE_EVERY = timedelta(seconds=1)
JOBS_A_WORD = 50
"""So many jobs at the most are done for one word, so that a worker that shall stop can."""


def open_broker(settings: AppSettings) -> Broker | None:
    """The broker of the settings; `None` where none is set.

    Raises:
        InvalidRequest: an address of a kind that no installed package carries words over.
    """
    if settings.broker_url is None:
        return None
    url = settings.broker_url.get_secret_value()
    scheme = urlsplit(url).scheme
    found = {point.name: point for point in entry_points(group=GROUP)}
    if scheme not in found:
        known = ", ".join(sorted(found)) or "none; `pip install runway-queue-celery`"
        raise InvalidRequest(f"RUNWAY_BROKER_URL begins with {scheme!r}: installed are {known}")
    make: Callable[[str], Broker] = found[scheme].load()
    return make(url)


def announce_beat(runway: Runway, broker: Broker) -> Beat:
    """Tells workers again and again how much is due, as long as something is."""

    async def announce() -> None:
        scope = runway.scope
        depths = await scope.store.jobs.depths(scope.firm_id, now=scope.clock.now())
        await broker.announce(depths.count("due"))

    return Beat("announce", ANNOUNCE_EVERY, announce)


def add_beat(engine: SyncEngine, beat: Beat) -> None:
    """Let an engine that was not started yet look at one thing more."""
    engine.beats = (*engine.beats, beat)


@asynccontextmanager
async def open_work(settings: AppSettings) -> AsyncIterator[WorkDue]:
    """A worker's hands: a `Runway` of its own, and the jobs of one word."""
    async with open_runway(settings) as runway:
        engine = make_engine(runway, settings, plans=False)

        async def work_due() -> None:
            await engine.run_due(most=JOBS_A_WORD)

        yield work_due
