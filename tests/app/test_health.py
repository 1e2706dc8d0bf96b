"""What the health page, the API and Prometheus tell of the service."""

from datetime import timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families
from runway_core.errors import RailAccessLost

from tests.app.firm import HOSTILE, Firm


async def let_access_be_lost(firm: Firm) -> None:
    firm.clock.advance(timedelta(minutes=15))
    firm.ledger.fail_next(RailAccessLost("memory: connect the company again", rail="memory"))
    await firm.runway.sync(firm.sample.company_id)
    await firm.runway.watch.watch()


async def test_page_and_api_show_the_promise_alerts_and_each_connection(client: httpx.AsyncClient, firm: Firm) -> None:
    await let_access_be_lost(firm)
    page = (await client.get("/health")).text
    answer = (await client.get("/v1/health")).json()
    states = {item["company"]["name"]: [one["state"] for one in item["connections"]] for item in answer["items"]}

    assert "a person must connect memory again" in page
    assert "docs/howto/alerts.md#reconnect-needed" in page
    assert "Fresh data" in page
    assert states == {"Sample": ["parked"], HOSTILE: ["synced"], "Zebra Unread": []}
    assert {alert["kind"] for alert in answer["service"]["alerts"]} == {
        "reconnect-needed",
        "freshness-fast",  # the only other connection holds data of 18 minutes
        "freshness-medium",
        "freshness-slow",
    }
    assert (answer["service"]["counted"], answer["service"]["fresh"]) == (1, 0)


async def test_metrics_are_what_prometheus_reads_and_name_no_company(client: httpx.AsyncClient, firm: Firm) -> None:
    await let_access_be_lost(firm)
    text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    alerts = families["runway_alerts_open"].samples
    labels = {value for family in families.values() for sample in family.samples for value in sample.labels.values()}

    assert ("reconnect-needed", "note", 1.0) in [(*sample.labels.values(), sample.value) for sample in alerts]
    assert families["runway_connections_counted"].samples[0].value == 1
    assert {"Sample", HOSTILE, "Zebra Unread"} & labels == set()
    assert {str(firm.sample.company_id), "memory"} <= labels
