"""Every vendor's events come late, twice, out of order or not at all when the sandbox is asked to let them."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty
from typing import Any

import msgspec
import pytest

from tests.sandbox.test_stripe import START, economy

LATE_S = 300.0
LATE = {"profile": "none", "webhook_delay_s": LATE_S}
News = list[str]

READERS: dict[str, Callable[[Any], News]] = {
    "qbo": lambda told: [one["intuitentityid"] for one in told],
    "plaid": lambda told: [told["webhook_code"]],
    "ramp": lambda told: [told["object"]["id"]],
    "stripe": lambda told: [told["data"]["object"]["id"]],
}


class Caller:
    """Somebody who lets one company's people do things that a vendor tells of, and takes what it tells."""

    def __init__(self, sandbox: Any, receiver: Any, rail: str) -> None:
        self.sandbox = sandbox
        self.receiver = receiver
        self.rail = rail
        self.company = sandbox.world.desks[0].realm_id
        self._times = 0
        (self._truth,) = sandbox.control("/truth")["companies"]  # every window is open from now on
        sandbox.control("/webhooks", {"rail": rail, "url": receiver.url})
        self.act()
        self.take()

    def act(self) -> News:
        """Do what the vendor tells in six events; returns what each is about, in their order."""
        self._times += 1
        ways = {"qbo": self._in_books, "plaid": self._at_bank, "ramp": self._at_payer, "stripe": self._at_processor}
        changes = [{"rail": self.rail, "company": self.company, **one} for one in ways[self.rail]()]
        done = self.sandbox.control("/mutate", changes)["results"]
        assert [one["ok"] for one in done] == [True] * 6, done
        if self.rail == "plaid":
            return ["ERROR"] * 3 + ["LOGIN_REPAIRED"] * 3
        return [str(one["id"]) for one in done]

    def _in_books(self) -> list[dict[str, Any]]:
        fields = {"PrivateNote": f"seen {self._times} times"}
        bills = self._ids("qbo", "Bill")
        return [{"op": "update", "kind": "Bill", "id": one, "fields": fields} for one in bills]

    def _at_bank(self) -> list[dict[str, Any]]:
        return [{"op": operation} for operation in ["lose_login"] * 3 + ["repair_login"] * 3]

    def _at_payer(self) -> list[dict[str, Any]]:
        return [{"op": "mark_paid", "id": one} for one in self._ids("ramp", "bill")]

    def _at_processor(self) -> list[dict[str, Any]]:
        return [{"op": "charge", "fields": {"amount": amount}} for amount in range(1_000, 1_600, 100)]

    def _ids(self, rail: str, kind: str) -> list[str]:
        """Six records that are the same at the payer and in the books."""
        pairs = [one["records"] for one in self._truth["same"] if one["records"][1]["kind"] == "bill"]
        found = [one["id"] for pair in pairs for one in pair if (one["rail"], one["kind"]) == (rail, kind)]
        return found[:6]

    def pass_time(self) -> None:
        self.sandbox.advance(LATE_S + 1)

    def chaos(self, **profile: Any) -> None:
        self.sandbox.control("/chaos", profile)

    @property
    def post(self) -> Any:
        return self.sandbox.control(f"/webhooks?rail={self.rail}")

    def take(self, count: int = 0) -> News:
        """What so many events are about, and what else comes within a moment."""
        news: News = []
        while True:
            try:
                body = self.receiver.received.get(timeout=5 if len(news) < count else 0.1)[1]
            except Empty:
                return news
            news += READERS[self.rail](msgspec.json.decode(body))


@pytest.fixture(params=READERS)
def caller(request: pytest.FixtureRequest, serve: Any, receiver: Any) -> Caller:
    return Caller(serve(economy(), start_at=START), receiver, request.param)


def test_events_come_late_twice_out_of_order_or_not_at_all(caller: Caller) -> None:
    caller.chaos(**LATE)
    acted = caller.act()
    early, waiting = caller.take(), caller.post["waiting"]
    caller.pass_time()
    late = caller.take(6)
    caller.chaos(**LATE, webhook_doubled=1)
    acted_again = caller.act()
    caller.pass_time()
    twice = caller.take(12)
    caller.chaos(**LATE, webhook_disorder=1)
    acted_at_last = caller.act()
    caller.pass_time()
    shuffled = caller.take(6)
    lost = caller.post["lost"]
    caller.chaos(profile="none", webhook_lost=1)
    caller.act()

    assert (early, waiting) == ([], 6)
    assert late == acted
    assert twice == [one for one in acted_again for _ in range(2)]
    assert sorted(shuffled) == sorted(acted_at_last)
    assert shuffled != acted_at_last
    assert caller.take() == []
    assert caller.post["lost"] == lost + 6
