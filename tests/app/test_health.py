"""What the health page, the API and Prometheus tell of the service."""

import pathlib
from datetime import timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families
from runway_core.domain.alerts import AlertKind
from runway_core.domain.gaps import Gap, GapReason
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.sweeps import Path, PathTally
from runway_core.errors import RailAccessLost

from tests.app.firm import HOSTILE, Firm

DOCS = pathlib.Path(__file__).parents[2] / "docs"


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


async def test_each_kind_of_a_connection_is_told_and_unfolded_on_the_page(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    key = RecordKey(RecordKind.BILL, next(k for k in firm.ledger.records if k.kind is RecordKind.BILL).external_id)
    firm.ledger.spoil(key, reason="no amount", raw=b"{}")
    await firm.runway.sync(firm.sample.company_id)
    page = (await client.get("/health")).text
    answer = (await client.get("/v1/health")).json()
    [sample] = [item for item in answer["items"] if item["company"]["name"] == "Sample"]
    kinds = {kind["kind"]: (kind["state"], kind["quarantined"]) for kind in sample["connections"][0]["kinds"]}

    assert '<details class="kinds"><summary>partial</summary>' in page
    assert "<small>Partial: bill (1 in quarantine)</small>" in page
    assert (kinds["bill"], kinds["invoice"]) == (("partial", 1), ("synced", 0))


async def let_news_be_lost(firm: Firm) -> None:
    """Polls found two changes that no event had announced."""
    coverage, now = firm.runway.scope.store.coverage, firm.clock.now()
    [connection] = await firm.runway.connections.list(firm.sample.company_id)
    gap = Gap(
        firm_id=connection.firm_id,
        company_id=connection.company_id,
        connection_id=connection.connection_id,
        rail=connection.rail,
        reason=GapReason.LOSS,
        since=now,
        noted_at=now,
        missed=2,
    )
    await coverage.note_gaps([gap], [], now=now)
    await coverage.add_tallies(
        connection,
        [PathTally(path=Path.FEED, brought=7), PathTally(path=Path.WEBHOOK, brought=1, missed=2, last_missed_at=now)],
    )


async def test_gaps_and_what_each_path_missed_are_shown(client: httpx.AsyncClient, firm: Firm) -> None:
    sound = (await client.get("/health")).text
    await let_news_be_lost(firm)
    page = (await client.get("/health")).text
    coverage = (await client.get("/v1/health")).json()["coverage"]
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    samples = {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}

    assert "Gaps in webhooks" not in sound
    assert "polls found changes that no event had announced" in page
    assert [(gap["company_id"], gap["reason"]) for gap in coverage["gaps"]] == [(firm.sample.company_id, "loss")]
    assert {tally["path"]: (tally["brought"], tally["missed"]) for tally in coverage["paths"]} == {
        "webhook": (1, 2),
        "feed": (7, 0),
        "sweep": (0, 0),
    }
    assert samples["runway_changes_missed", "webhook"] == 2
    assert samples["runway_webhook_gaps", "memory", "loss"] == 1


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


async def test_every_metric_stands_in_the_reference_and_every_alert_in_the_runbook(
    client: httpx.AsyncClient, firm: Firm
) -> None:
    await let_access_be_lost(firm)
    text = (await client.get("/metrics")).text
    named = {family.name for family in text_string_to_metric_families(text)}
    reference = (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")
    runbook = (DOCS / "howto" / "alerts.md").read_text(encoding="utf-8")

    assert {name for name in named if f"`{name}`" not in reference} == set()
    assert [kind for kind in AlertKind if f"\n## {kind.value}\n" not in runbook] == []
