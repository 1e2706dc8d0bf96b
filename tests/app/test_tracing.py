"""A pull is a span of its length, with the vendor's id of the request that failed."""

from datetime import timedelta

import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runway_app_http.tracing import SpanWriter
from runway_core.domain.log_entry import to_microseconds
from runway_core.errors import RailUnavailable
from runway_testkit.clock import FixedClock
from runway_testkit.store_desk import START

from tests.core.desk import FirmDesk, bank

FAILED = {
    "event": "ledger_mirrored",
    "company": "acme",
    "rail": "qbo",
    "calls": 3,
    "duration_ms": 250,
    "outcome": "failed",
    "error_code": "rail-unavailable",
    "request_id": "1-6aa36f3e",
    "changed": None,
}


def watched() -> tuple[SpanWriter, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return SpanWriter(clock=FixedClock(START), tracer=provider.get_tracer("test")), exporter


def test_a_pull_is_a_span_of_its_length_with_the_vendors_id() -> None:
    writer, exporter = watched()

    assert writer(None, "info", dict(FAILED)) == FAILED
    (span,) = exporter.get_finished_spans()
    assert span.name == "pull"
    assert span.end_time == to_microseconds(START) * 1000
    assert span.start_time == to_microseconds(START - timedelta(milliseconds=250)) * 1000
    assert dict(span.attributes or {}) == {
        "runway.company": "acme",
        "runway.rail": "qbo",
        "runway.calls": 3,
        "runway.outcome": "failed",
        "runway.error_code": "rail-unavailable",
        "runway.request_id": "1-6aa36f3e",
    }


def test_other_events_pass_without_a_span() -> None:
    writer, exporter = watched()
    writer(None, "info", {"event": "alert_raised"})

    assert exporter.get_finished_spans() == ()


async def test_what_a_pull_logs_is_what_a_span_is_made_of() -> None:
    desk = FirmDesk()
    acme = await desk.connect("Acme", bank())
    desk.ledger("Acme").fail_next(RailUnavailable("down", rail="memory", request_id="tid-7"))
    with structlog.testing.capture_logs() as logged:
        await desk.runway.sync(acme.company_id)
    writer, exporter = watched()
    for event in logged:
        writer(None, "info", dict(event))

    (span,) = exporter.get_finished_spans()
    assert (span.attributes or {})["runway.request_id"] == "tid-7"
