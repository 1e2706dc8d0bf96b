"""How the service as a whole does, in words: the cards and alerts of the health page and of `runway health`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from runway_core.domain.alerts import Alert, Severity
from runway_core.domain.breakers import BreakerState
from runway_core.domain.quotas import QuotaUse
from runway_core.services.health import ServiceHealth
from runway_core.sync.freshness import describe_age

from runway_app_http.ui.figures import NONE_YET, say_count, say_moment

_SEVERITY_TONES = {Severity.PAGE: "red", Severity.TICKET: "amber", Severity.NOTE: "grey"}
_SEVERITY_SIGNS = {
    Severity.PAGE: "\N{BLACK DOWN-POINTING TRIANGLE}",
    Severity.TICKET: "\N{BLACK DIAMOND}",
    Severity.NOTE: "\N{WHITE CIRCLE}",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: its name, its value, and what stands below."""

    name: str
    value: str
    note: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One open alert, in words."""

    severity: str
    tone: str
    sign: str
    kind: str
    summary: str
    since: str
    company_id: str | None


def lay_out_cards(service: ServiceHealth, now: datetime) -> tuple[Card, ...]:
    """The figures of the service: promise, queue, news, quotas, who is left alone."""
    return (
        _fresh_card(service),
        _burn_card(service),
        _queue_card(service),
        _news_card(service),
        *(_quota_card(use) for use in service.quotas),
        *_silent_cards(service, now),
    )


def lay_out_alerts(service: ServiceHealth) -> tuple[AlertLine, ...]:
    """Open alerts, the gravest first."""
    order = list(Severity)
    alerts = sorted(service.alerts, key=lambda alert: order.index(alert.severity))
    return tuple(_lay_out_alert(alert) for alert in alerts)


def _lay_out_alert(alert: Alert) -> AlertLine:
    return AlertLine(
        severity=alert.severity.value,
        tone=_SEVERITY_TONES[alert.severity],
        sign=_SEVERITY_SIGNS[alert.severity],
        kind=alert.kind.value,
        summary=alert.summary,
        since=say_moment(alert.raised_at),
        company_id=alert.company_id,
    )


def _fresh_card(service: ServiceHealth) -> Card:
    objective = service.objective
    promise = f"within {objective.fresh_minutes} minutes; {objective.percent} % promised"
    if not service.counted:
        return Card("Fresh data", NONE_YET, promise)
    percent = service.fresh * 100 // service.counted
    count = f"{service.fresh:,} of {say_count(service.counted, 'connection')}"
    return Card("Fresh data", f"{percent} %", f"{count} {promise}", is_bad=percent < objective.percent)


def _burn_card(service: ServiceHealth) -> Card:
    known = [burn for burn in service.burn if burn.fresh_percent is not None]
    if not known:
        return Card("Kept over time", NONE_YET, "measured each minute by the engine")
    parts = [f"{_say_window(burn.minutes)} {burn.fresh_percent} %" for burn in known[1:]]
    worst = max(burn.tenths for burn in known)
    return Card(
        "Kept over time",
        f"{known[0].fresh_percent} %",
        f"over {_say_window(known[0].minutes)}" + (f"; {', '.join(parts)}" if parts else ""),
        is_bad=worst >= 10,
    )


def _say_window(minutes: int) -> str:
    return describe_age(timedelta(minutes=minutes))


def _queue_card(service: ServiceHealth) -> Card:
    waiting = sum(lane.waiting for lane in service.lanes)
    running = sum(lane.running for lane in service.lanes)
    dead = sum(lane.dead for lane in service.lanes)
    oldest = service.oldest_due_seconds
    parts = [f"{running:,} running"]
    if oldest is not None:
        parts.append(f"oldest due for {describe_age(timedelta(seconds=oldest))}")
    if dead:
        parts.append(f"{dead:,} failed for good")
    return Card("Work waiting", f"{waiting:,}", ", ".join(parts), is_bad=dead > 0 or (oldest or 0) > 900)


def _news_card(service: ServiceHealth) -> Card:
    seconds = service.unread_seconds
    note = "nothing waits" if seconds is None else f"oldest for {describe_age(timedelta(seconds=seconds))}"
    return Card("News from rails unread", f"{service.unread_deliveries:,}", note, is_bad=(seconds or 0) > 300)


def _quota_card(use: QuotaUse) -> Card:
    note = f"{use.calls:,} of {use.calls_a_month:,}; {use.stretched_forecast_calls:,} at the month’s end"
    if use.stretch_percent > 100:
        tenths = use.stretch_percent // 10
        note += f", with pulls {tenths // 10}.{tenths % 10} times as far apart"
    return Card(f"{use.rail}: calls this month", f"{use.used_percent} %", note, is_bad=use.alarm_percent is not None)


def _silent_cards(service: ServiceHealth, now: datetime) -> Iterable[Card]:
    for breaker in service.breakers:
        if breaker.state is not BreakerState.CLOSED:
            left = max(breaker.until - now, timedelta(0))
            note = f"probed in {describe_age(left)}" if left else "its probe is due"
            yield Card(f"{breaker.name.partition('/')[0]}: no answer", "left alone", note, is_bad=True)
    for budget in service.budgets:
        if budget.paused_until is not None:
            left = max(budget.paused_until - now, timedelta(0))
            note = f"for {describe_age(left)} more, then at {budget.percent} % of its limit"
            yield Card(f"{budget.name.partition('/')[0]}: too many calls", "paused", note, is_bad=True)
