"""Answers of the API for the company of the reference pages, Sample, on Monday 2 March 2026."""

from typing import Any


def _usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


FRESHNESS: list[dict[str, Any]] = [
    {
        "rail": "qbo",
        "state": "active",
        "source_read_at": "2026-03-02T14:57:00Z",
        "age_seconds": 180,
        "is_stale": False,
        "note": "read 3 minutes ago",
    }
]

PORTFOLIO: dict[str, Any] = {
    "generated_at": "2026-03-02T15:00:00Z",
    "week_sentence": "Since a week ago 1 runway is shorter (most of all Sample, \N{MINUS SIGN}3 days)",
    "counts": [
        {"status": "red", "count": 0},
        {"status": "amber", "count": 1},
        {"status": "grey", "count": 0},
        {"status": "green", "count": 0},
    ],
    "total": 1,
    "matching": 1,
    "rows": [
        {
            "company_id": "sample",
            "name": "Sample",
            "owner": "Dana",
            "tags": ["retail"],
            "home_currency": "USD",
            "status": "amber",
            "status_reason": "the buffer is breached on 25 Mar",
            "as_of": "2026-03-02",
            "runway_days": 32,
            "runway_falls_on": "2026-04-03",
            "band": {"worst_days": 23, "best_days": 39},
            "week_change_days": -3,
            "covered_through": "2026-04-02",
            "opening_cash": _usd("51200.00"),
            "low_28_days": _usd("700.00"),
            "low_28_days_on": "2026-03-27",
            "past_weeks": [_usd("58000.00"), _usd("51200.00")],
            "coming_weeks": [
                _usd("26300.00"), _usd("33700.00"), _usd("18133.33"), _usd("5600.00"), _usd("833.33"),
            ],
            "next_payday": {"on": "2026-03-06", "amount": _usd("18500.00"), "is_covered": True},
            "due_7_days": _usd("24500.00"),
            "ar_at_risk": _usd("12000.00"),
            "ar_at_risk_count": 1,
            "findings_critical": 1,
            "findings_open": 3,
            "cleanness": 79,
            "last_digest_on": "2026-02-27",
            "freshness": FRESHNESS,
            "age_seconds": 180,
        }
    ],
    "has_more": False,
    "next_cursor": None,
}  # fmt: skip
