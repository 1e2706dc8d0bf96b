"""Traces for OpenTelemetry, where its API is installed (`runway-app-http[tracing]`) and a provider was set.

Each fact that is logged when a use-case ends becomes a span of its length: nothing in the core knows of tracing. A
pull's span names the vendor's own id of the request that failed, which support asks for. What the log's level leaves
out is not traced either: these facts are of level `info`.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any

from runway_core.domain.log_entry import to_microseconds
from runway_core.ports.clock import Clock, SystemClock

try:
    from opentelemetry import trace
except ImportError:  # it is not needed: then nothing is traced
    trace = None  # type: ignore[assignment]  # the module, or nothing in its place

SPANS = {"ledger_mirrored": "pull", "connection_swept": "sweep"}
"""Names of spans by the event that ends them."""

_ATTRIBUTES = ("company", "rail", "changed", "quarantined", "calls", "outcome", "error_code", "request_id")


class SpanWriter:
    """A processor of structlog that makes spans of some events and lets every event pass unchanged."""

    def __init__(self, *, clock: Clock | None = None, tracer: Any = None) -> None:
        self._clock = clock or SystemClock()
        self._tracer = tracer if tracer is not None or trace is None else trace.get_tracer("runway")

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Make a span when this event ends something."""
        name = SPANS.get(str(event.get("event")))
        if name is not None and self._tracer is not None:
            self._write(name, event)
        return event

    def _write(self, name: str, event: Mapping[str, Any]) -> None:
        ended = to_microseconds(self._clock.now()) * 1000
        begun = ended - int(event.get("duration_ms") or 0) * 1_000_000
        attributes = {f"runway.{key}": event[key] for key in _ATTRIBUTES if event.get(key) is not None}
        span = self._tracer.start_span(name, start_time=begun, attributes=attributes)
        span.end(end_time=ended)
