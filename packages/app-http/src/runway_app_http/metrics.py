"""Figures for Prometheus, read from the database when they are asked for.

Labels are ids, rails and fixed words: no name of a company, nothing secret. A company is told by its id, so that the
number of series grows with companies and rails and with nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from runway_core.domain.breakers import BreakerState
from runway_core.domain.position import Position, PositionStatus
from runway_core.runway import Runway
from runway_core.services.coverage import CoverageHealth
from runway_core.services.health import CompanyHealth, ServiceHealth
from runway_core.sync.health import SyncState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_PLACE = ("company_id", "rail")


async def write_metrics(runway: Runway) -> bytes:
    """Everything that is measured, in the text form of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Read(await runway.health(), await runway.positions.all(), await runway.watch.service()))
    registry.register(_Covered(await runway.coverage.health()))
    return generate_latest(registry)


class _Read(Collector):
    """What was read, as metrics."""

    def __init__(self, health: Sequence[CompanyHealth], positions: Sequence[Position], service: ServiceHealth) -> None:
        self._health = health
        self._positions = positions
        self._service = service

    def collect(self) -> Iterable[Metric]:
        """Every metric with its samples."""
        yield from _of_companies(self._health, self._positions)
        yield from _of_connections(self._health)
        yield from _of_service(self._service)


class _Covered(Collector):
    """Whether every change reaches the mirror, as metrics."""

    def __init__(self, coverage: CoverageHealth) -> None:
        self._coverage = coverage

    def collect(self) -> Iterable[Metric]:
        """What each path brought and missed, and where webhooks have a gap."""
        for name, meaning in (
            ("brought", "Changes that came this way."),
            ("missed", "Changes it should have brought."),
        ):
            samples = (((tally.path.value,), getattr(tally, name)) for tally in self._coverage.paths)
            yield _gauge(f"runway_changes_{name}", meaning, samples, labels=("path",))
        gaps = Counter((gap.rail, gap.reason.value) for gap in self._coverage.gaps)
        yield _gauge(
            "runway_webhook_gaps", "Connections whose webhooks have a gap.", gaps.items(), labels=("rail", "reason")
        )


def _gauge(
    name: str, meaning: str, samples: Iterable[tuple[Sequence[str], float]], *, labels: Sequence[str] = ()
) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, value in samples:
        family.add_metric(list(values), value)
    return family


def _of_companies(health: Sequence[CompanyHealth], positions: Sequence[Position]) -> Iterable[Metric]:
    by_status = Counter(position.status for position in positions)
    by_status[PositionStatus.GREY] += len(health) - len(positions)
    yield _gauge(
        "runway_companies",
        "Companies of the firm by status.",
        (((status.value,), by_status[status]) for status in PositionStatus),
        labels=("status",),
    )
    yield _gauge("runway_findings_open", "Open findings.", [((), sum(p.findings_open for p in positions))])
    yield _gauge(
        "runway_findings_critical", "Open critical findings.", [((), sum(p.findings_critical for p in positions))]
    )
    yield _gauge(
        "runway_quarantined_records",
        "Records that could not be understood.",
        [((), sum(one.quarantined for one in health))],
    )


def _of_connections(health: Sequence[CompanyHealth]) -> Iterable[Metric]:
    connections = [connection for one in health for connection in one.connections]
    states = Counter((connection.rail, connection.state) for connection in connections)
    yield _gauge(
        "runway_data_age_seconds",
        "Age of a company's data by rail; absent before the first reading.",
        (((c.company_id, c.rail), c.age_seconds) for c in connections if c.age_seconds is not None),
        labels=_PLACE,
    )
    yield _gauge(
        "runway_connections",
        "Connections by rail and by how their data stands.",
        (
            ((rail, state.value), states[rail, state])
            for rail in sorted({c.rail for c in connections})
            for state in SyncState
        ),
        labels=("rail", "state"),
    )
    yield _gauge(
        "runway_calls_this_month",
        "Calls of this month by company and rail.",
        (((c.company_id, c.rail), c.calls_this_month) for c in connections),
        labels=_PLACE,
    )
    yield _gauge(
        "runway_pulls_failed_ratio",
        "Part of the pulls within a day that failed.",
        (((c.company_id, c.rail), c.failed_percent / 100) for c in connections if c.pulls),
        labels=_PLACE,
    )


def _of_service(service: ServiceHealth) -> Iterable[Metric]:
    yield _gauge("runway_connections_counted", "Connections that the promise speaks of.", [((), service.counted)])
    yield _gauge("runway_connections_fresh", "Those that hold data as fresh as promised.", [((), service.fresh)])
    yield _gauge(
        "runway_freshness_burn_rate",
        "How many times too fast the budget for stale data goes, by window.",
        (((str(burn.minutes),), burn.tenths / 10) for burn in service.burn if burn.fresh_percent is not None),
        labels=("window_minutes",),
    )
    yield _gauge(
        "runway_quota_used_ratio",
        "Part of a rail's metered calls of the month that is used.",
        (((use.rail,), use.calls / use.calls_a_month) for use in service.quotas),
        labels=("rail",),
    )
    yield _gauge(
        "runway_quota_forecast_calls",
        "Calls at the end of the month as the schedule is stretched.",
        (((use.rail,), use.stretched_forecast_calls) for use in service.quotas),
        labels=("rail",),
    )
    yield _gauge(
        "runway_queue_jobs",
        "Jobs by lane and state.",
        (
            ((lane.lane, state), count)
            for lane in service.lanes
            for state, count in (
                ("waiting", lane.waiting),
                ("due", lane.due),
                ("running", lane.running),
                ("dead", lane.dead),
            )
        ),
        labels=("lane", "state"),
    )
    yield _gauge(
        "runway_queue_oldest_due_seconds",
        "How long the oldest due job waits.",
        [((), service.oldest_due_seconds or 0)],
    )
    yield _gauge(
        "runway_inbox_unread", "Deliveries of rails that were not turned into work.", [((), service.unread_deliveries)]
    )
    yield _gauge("runway_inbox_lag_seconds", "How long the oldest of them waits.", [((), service.unread_seconds or 0)])
    yield _gauge(
        "runway_breaker_open",
        "Rails and connections that are left alone because they do not answer.",
        (((breaker.name,), int(breaker.state is not BreakerState.CLOSED)) for breaker in service.breakers),
        labels=("name",),
    )
    kinds = Counter((alert.kind, alert.severity) for alert in service.alerts)
    yield _gauge(
        "runway_alerts_open",
        "Open alerts by kind and severity.",
        (((kind.value, severity.value), count) for (kind, severity), count in sorted(kinds.items())),
        labels=("kind", "severity"),
    )
