"""The control endpoints of design.md section 6: everything a test may do to the world from outside the rails."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runway_sandbox.books import decode_wire, encode_wire
from runway_sandbox.holdings import list_holdings
from runway_sandbox.mutations import MutationError, apply_mutations
from runway_sandbox.plaid import truth as plaid_truth
from runway_sandbox.plaid.desk import PlaidDesk
from runway_sandbox.plaid.post import PlaidPost
from runway_sandbox.ramp.desk import RampDesk
from runway_sandbox.ramp.post import RampPost
from runway_sandbox.ramp.truth import find_same as find_same_at_ramp
from runway_sandbox.service import LedgerService
from runway_sandbox.settings import KNOWN_RAILS
from runway_sandbox.stripe import truth as stripe_truth
from runway_sandbox.stripe.desk import StripeDesk
from runway_sandbox.stripe.post import StripePost
from runway_sandbox.webhooks import WebhookPost
from runway_sandbox.world import Desk, World


def _answer(value: Any, status: int = 200) -> Response:
    return Response(encode_wire(value), status, media_type="application/json")


def _refusal(reason: str) -> Response:
    return _answer({"error": reason}, 400)


async def _read_object(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        read = decode_wire(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MutationError("the body is not JSON") from error
    if not isinstance(read, dict):
        raise MutationError("the body must be a JSON object")
    return read


class ControlDesk:
    """The endpoints over one world."""

    def __init__(
        self, world: World, service: LedgerService, *, plaid: PlaidDesk, ramp: RampDesk, stripe: StripeDesk
    ) -> None:
        self._world = world
        self._stripe = stripe
        self._plaid = plaid
        self._ramp = ramp
        self._service = service

    def routes(self) -> list[Route]:
        """List the routes, relative to the control address."""
        return [
            Route("/mutate", self.mutate, methods=["POST"]),
            Route("/chaos", self.chaos, methods=["GET", "POST"]),
            Route("/truth", self.truth, methods=["GET"]),
            Route("/holdings", self.holdings, methods=["GET"]),
            Route("/calls", self.calls, methods=["GET"]),
            Route("/reset-calls", self.reset_calls, methods=["POST"]),
            Route("/clock", self.clock, methods=["GET", "POST"]),
            Route("/webhooks", self.webhooks, methods=["GET", "POST"]),
        ]

    async def mutate(self, request: Request) -> Response:
        """Make changes as a person in the vendor's own pages would."""
        try:
            changes = decode_wire(await request.body())
            done = apply_mutations(
                self._world, self._service, changes, plaid=self._plaid, ramp=self._ramp, stripe=self._stripe
            )
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _refusal("the body is not JSON")
        except MutationError as error:
            return _refusal(str(error))
        return _answer({"results": done})

    async def chaos(self, request: Request) -> Response:
        """Show or switch the chaos profile."""
        if request.method == "POST":
            try:
                wanted = await _read_object(request)
                name = str(wanted.pop("profile", "none"))
                numbers = {key: _as_float(value) for key, value in wanted.items()}
                self._world.chaos.switch(name, numbers)
            except (ValueError, MutationError) as error:
                return _refusal(str(error))
            self._wake()
        return _answer(self._world.chaos.describe())

    async def truth(self, request: Request) -> Response:
        """Tell every planted defect, company by company (`?company=` for one)."""
        wanted = request.query_params.get("company")
        desks = self._world.desks
        if wanted is not None:
            desk = self._world.find_desk(wanted)
            if desk is None:
                return _refusal(f"no company {wanted!r}")
            desks = [desk]
        return _answer({"companies": [self._truth_of(desk) for desk in desks]})

    def _truth_of(self, desk: Desk) -> dict[str, Any]:
        book, rails = self._world.book(desk), self._world.settings.rails
        told: dict[str, Any] = {"name": desk.name, "realm_id": desk.realm_id}
        item = self._plaid.login_of(desk).item
        told["same"] = plaid_truth.find_same(item, book)
        told["differences"] = plaid_truth.find_differences(item, book) if "plaid" in rails else []
        if "ramp" in rails:
            business = self._ramp.business_of(desk)
            told["same"] += find_same_at_ramp(business, self._world.clock.now())
            told["differences"] += business.held.differences
        if "stripe" in rails:
            processor = self._stripe.processor_of(desk)
            told["same"] += stripe_truth.find_same(processor)
            told["differences"] += stripe_truth.find_differences(processor)
        return {**told, "defects": book.truth}

    async def holdings(self, request: Request) -> Response:
        """Name by id all that is there of one company (`?company=`); `since` bounds the card processor's things."""
        desk = self._world.find_desk(request.query_params.get("company", ""))
        if desk is None:
            return _refusal("name a company: ?company=")
        try:
            since = _as_float(request.query_params.get("since", 0))
        except ValueError as error:
            return _refusal(str(error))
        held = list_holdings(self._world, desk, plaid=self._plaid, ramp=self._ramp, stripe=self._stripe, since=since)
        return _answer(held)

    async def calls(self, _request: Request) -> Response:
        """Count the calls that reached the rails' own addresses since the last reset."""
        names = {desk.realm_id: desk.name for desk in self._world.desks}
        counted = sorted(self._world.calls.items())
        return _answer(
            [
                {
                    "rail": rail,
                    "company": realm_id,
                    "name": names.get(realm_id, ""),
                    "endpoint": endpoint,
                    "calls": number,
                }
                for (rail, realm_id, endpoint), number in counted
            ]
        )

    async def reset_calls(self, _request: Request) -> Response:
        """Begin counting anew."""
        self._world.calls.clear()
        return _answer({"ok": True})

    async def clock(self, request: Request) -> Response:
        """Show the sandbox's clock, or move it forward by `advance_seconds`."""
        if request.method == "POST":
            try:
                wanted = await _read_object(request)
                self._world.clock.advance(_as_float(wanted.get("advance_seconds", 0)))
            except (ValueError, OverflowError, MutationError) as error:
                return _refusal(str(error))
            self._wake()
        return _answer({"now": self._world.clock.now().isoformat()})

    async def webhooks(self, request: Request) -> Response:
        """Show the state of deliveries (`?rail=`), or register an address: `{"rail": "qbo", "url": …, "form": …}`."""
        post = self._world.webhooks
        if request.method == "POST":
            try:
                wanted = await _read_object(request)
            except MutationError as error:
                return _refusal(str(error))
            url, form = wanted.get("url"), wanted.get("form")
            if wanted.get("rail", "qbo") not in KNOWN_RAILS:
                return _refusal(f"rail {wanted['rail']!r} is not served; there are: {', '.join(KNOWN_RAILS)}")
            if url is not None and not str(url).startswith(("http://", "https://")):
                return _refusal("url must begin with http:// or https://, or be null")
            if form is not None and form not in {"legacy", "cloudevents"}:
                return _refusal("form must be 'legacy' or 'cloudevents'")
            other = self._posts.get(str(wanted.get("rail")))
            if other is not None:
                other.url = None if url is None else str(url)
                other.wake()
                return _answer(_describe_post(str(wanted["rail"]), other))
            post.register(None if url is None else str(url), form=form)
        other = self._posts.get(request.query_params.get("rail", ""))
        if other is not None:
            return _answer(_describe_post(request.query_params["rail"], other))
        return _answer(_describe_post("qbo", post))

    @property
    def _posts(self) -> dict[str, PlaidPost | RampPost | StripePost]:
        return {"plaid": self._plaid.post, "ramp": self._ramp.post, "stripe": self._stripe.post}

    def _wake(self) -> None:
        self._ramp.look()
        self._stripe.look()
        self._world.webhooks.wake()
        self._plaid.post.wake()
        self._ramp.post.wake()
        self._stripe.post.wake()


def _describe_post(rail: str, post: WebhookPost | PlaidPost | RampPost | StripePost) -> dict[str, Any]:
    return {
        "rail": rail,
        "url": post.url,
        "waiting": post.waiting,
        "delivered": post.delivered,
        "failed_attempts": post.failed_attempts,
        "lost": post.lost,
        "last_status": post.last_status,
        "forged": post.impostor.forged,
        "forged_taken": post.impostor.forged_taken,
        "replayed": post.impostor.replayed,
    }


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"not a number: {value!r}") from error
