"""The vendor's addresses: forms in, JSON out, one data set for each account (facts/stripe.md 1 to 8)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import random
import sys
import traceback
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runway_sandbox.books import Book, encode_wire
from runway_sandbox.faults import MAINTENANCE_HTML, SERVICE_UNAVAILABLE_HTML
from runway_sandbox.opaque import opaque_id
from runway_sandbox.payouts import PayoutClerk, Schedule
from runway_sandbox.processor import Processor
from runway_sandbox.service import LedgerService
from runway_sandbox.spoiling import CutOff
from runway_sandbox.stripe import shapes, writing
from runway_sandbox.stripe.account import Remembered, StripeAccount
from runway_sandbox.stripe.expanding import expand
from runway_sandbox.stripe.faults import (
    StripeFaultError,
    bad_key,
    expired_key,
    key_in_use,
    key_reused,
    locked,
    missing,
    no_account,
    no_key,
    not_permitted,
    server_error,
    too_many,
    unknown_path,
)
from runway_sandbox.stripe.forms import Form, read_form
from runway_sandbox.stripe.listing import RESOURCES, list_events, list_things
from runway_sandbox.stripe.post import StripePost
from runway_sandbox.stripe.shapes import Wire
from runway_sandbox.world import Desk, World

CALLS_PER_SECOND = 25  # of one account, in the vendor's own sandbox
OLD_ACCOUNT_DAYS = 900
_KEYS_KEPT_S = 24 * 3600.0
_LONGEST_KEY = 255


class _HtmlAnswerError(Exception):
    """Trouble in front of the vendor: a page for people."""

    def __init__(self, status: int, page: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.page = page


class _NoAnswerError(Exception):
    """The connection breaks off."""


class StripeDesk:
    """The endpoints over one world; every company has an account, those that take cards have something in it."""

    def __init__(self, world: World, service: LedgerService) -> None:
        self._world = world
        self._service = service
        self._draws = random.Random(f"stripe:{world.settings.seed}")
        self._desks = {desk.realm_id: desk for desk in world.desks}
        self._accounts = {desk.realm_id: self._new_account(desk) for desk in world.desks}
        self._by_id = {account.account_id: account for account in self._accounts.values()}
        self._by_key = {account.key: account for account in self._accounts.values()}
        self._platform = self._account("platform", "The platform", currency="usd", country="US")
        self.post = StripePost(
            clock=world.clock, chaos=world.chaos, secret=world.settings.stripe.webhook_secret, look=self._look
        )

    def account_of(self, desk: Desk) -> StripeAccount:
        """The account of a company."""
        return self._accounts[desk.realm_id]

    def processor_of(self, desk: Desk) -> Processor:
        """What a company's account holds, made of its books at the first touch."""
        return self.account_of(desk).open(self._world.book(desk), now=self._now())

    def progress(self, desk: Desk) -> StripeAccount:
        """Let what is due at a company's account happen; it comes to life with the first time."""
        processor, account, now = self.processor_of(desk), self.account_of(desk), self._now()
        if account.clerk is None:
            book, feed = self._world.book(desk), self._world.feed(desk)
            account.clerk = PayoutClerk(processor, book, feed, service=self._service, now=now)
        account.clerk.progress(now)
        return account

    def look(self) -> None:
        """Let time pass for the accounts that are alive."""
        for desk in self._desks.values():
            if self.account_of(desk).clerk is not None:
                self.progress(desk)

    def routes(self) -> list[Route]:
        """List the routes, relative to the rail's base address."""
        return [Route("/{rest:path}", self._answer, methods=["GET", "POST", "DELETE"])]

    def _new_account(self, desk: Desk) -> StripeAccount:
        currency = desk.identity.home_currency
        return self._account(
            desk.realm_id, desk.name, currency=currency.lower(), country="CA" if currency == "CAD" else "US"
        )

    def _account(self, realm_id: str, name: str, *, currency: str, country: str) -> StripeAccount:
        return StripeAccount(
            account_id="acct_" + opaque_id("account", realm_id, length=16),
            realm_id=realm_id,
            name=name,
            currency=currency,
            country=country,
            created=self._now() - OLD_ACCOUNT_DAYS * 86_400,
            key="rk_test_" + opaque_id("key", str(self._world.settings.seed), realm_id, length=24),
        )

    def _now(self) -> int:
        return int(self._world.clock.epoch())

    def _look(self) -> list[StripeAccount]:
        self.look()
        return [account for account in self._accounts.values() if account.is_open]

    # One call

    async def _answer(self, request: Request) -> Response:
        request_id = "req_" + opaque_id("request", str(self._draws.getrandbits(64)), length=14)
        headers = {
            "request-id": request_id,
            "stripe-version": request.headers.get("stripe-version", shapes.API_VERSION),
            "content-type": "application/json",
        }
        body = await request.body()
        try:
            account = self._sign_in(request)
            if "stripe-account" in request.headers:
                headers["stripe-account"] = account.account_id
            status, content = await self._serve(request, account, body, headers)
            if status == 200:
                content, headers["content-type"] = self._world.spoiler.body(
                    content, "application/json", purpose=f"stripe:{account.realm_id}"
                )
        except StripeFaultError as fault:
            status, content = fault.status, encode_wire(fault.body(request_id))
            headers |= fault.headers
        except _HtmlAnswerError as page:
            return Response(page.page, page.status, headers={**headers, "content-type": "text/html"})
        except _NoAnswerError:
            return CutOff()
        except Exception:  # the app's edge: a client never sees a traceback, the operator does
            traceback.print_exc(file=sys.stderr)
            status, content = 500, encode_wire(server_error().body(request_id))
        return Response(content, status, headers=headers)

    async def _serve(
        self, request: Request, account: StripeAccount, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        parts = [part for part in str(request.path_params["rest"]).split("/") if part]
        if len(parts) < 2 or parts[0] != "v1":
            raise unknown_path(request.method, request.url.path)
        parts = parts[1:]
        endpoint = parts[0] if len(parts) == 1 else f"{parts[0]}/{{id}}{''.join('/' + one for one in parts[2:])}"
        self._world.calls[("stripe", account.realm_id, endpoint)] += 1
        form = read_form("&".join(filter(None, (request.url.query, body.decode("utf-8", "replace")))))
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        if not key:
            return 200, encode_wire(await self._work(request.method, account, parts, form))
        headers["idempotency-key"] = key
        return await self._work_once(key, account, parts, form, headers=headers)

    async def _work_once(
        self, key: str, account: StripeAccount, parts: list[str], form: Form, *, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """Work a POST out, or answer as the first with its key was answered."""
        if len(key) > _LONGEST_KEY:
            raise StripeFaultError(400, "Idempotency keys can be at most 255 characters.", kind="idempotency_error")
        now = self._world.clock.epoch()
        asked = hashlib.sha256(encode_wire([parts, form])).hexdigest()
        known = account.remembered.get(key)
        if known is not None and known.until > now:
            if known.asked != asked:
                raise key_reused()
            headers["idempotent-replayed"] = "true"
            return known.status, known.body
        if key in account.in_flight:
            raise key_in_use()
        account.in_flight.add(key)
        try:
            status, content = 200, encode_wire(await self._work("POST", account, parts, form))
        except StripeFaultError as fault:
            if not fault.is_remembered:
                raise
            status, content = fault.status, encode_wire(fault.body(headers["request-id"]))
            headers |= fault.headers
        finally:
            account.in_flight.discard(key)
        account.remembered[key] = Remembered(asked, status, content, now + _KEYS_KEPT_S)
        return status, content

    def _sign_in(self, request: Request) -> StripeAccount:
        key = _key_of(request)
        if not key:
            raise no_key()
        named = request.headers.get("stripe-account")
        if key == self._world.settings.stripe.secret_key:
            account = self._platform if named is None else self._by_id.get(named)
        else:
            account = self._by_key.get(key)
            if account is None:
                raise bad_key(key)
            if named is not None and named != account.account_id:
                account = None
        if account is None or account.is_revoked:
            raise no_account(key, named or "")
        if self._world.chaos.ends_access(f"stripe:{account.realm_id}", now=self._world.clock.epoch()):
            account.is_revoked = True
            raise no_account(key, named or account.account_id)
        if self._world.chaos.happens("expired", f"stripe:{account.realm_id}"):
            raise expired_key(key)
        if self._world.chaos.happens("wrong_environment", f"stripe:{account.realm_id}"):
            raise no_account(key, named or account.account_id)
        return account

    async def _work(self, method: str, account: StripeAccount, parts: list[str], form: Form) -> Wire:
        await self._meet_trouble(account)
        if parts[0] in account.forbidden:
            raise not_permitted(parts[0])
        desk = self._desks.get(account.realm_id)
        if desk is None:
            account.open(Book(account.realm_id, account.name, home_currency="USD"), now=self._now())
        else:
            if not account.is_open:
                await asyncio.to_thread(self.processor_of, desk)  # large books take seconds; others go on
            self.progress(desk)
        now = self._now()
        if method == "GET":
            expanding = form.get("expand")
            return expand(self._read(account, parts, form, now=now), expanding, account=account, at=now)
        wire = writing.write(account, method, parts, form, now=now)
        self.post.wake()
        return wire

    async def _meet_trouble(self, account: StripeAccount) -> None:
        chaos, purpose = self._world.chaos, f"stripe:{account.realm_id}"
        await asyncio.sleep(chaos.pause_s(purpose))
        if chaos.happens("unavailable", purpose):
            raise _HtmlAnswerError(503, SERVICE_UNAVAILABLE_HTML)
        if chaos.happens("unanswered", purpose):
            raise _NoAnswerError
        if chaos.happens("html_ok", purpose):
            raise _HtmlAnswerError(200, MAINTENANCE_HTML)
        if chaos.happens("server_error", purpose):
            raise server_error()
        if chaos.happens("fault_ok", purpose):
            raise locked()
        if chaos.happens("throttled", purpose) or not self._admit(account):
            raise too_many("global-rate")

    def _admit(self, account: StripeAccount) -> bool:
        if not self._world.settings.throttle.enabled:
            return True
        now = self._world.clock.epoch()
        while account.calls and account.calls[0] <= now - 1:
            account.calls.popleft()
        if len(account.calls) >= CALLS_PER_SECOND:
            return False
        account.calls.append(now)
        return True

    def _read(self, account: StripeAccount, parts: list[str], form: Form, *, now: int) -> Wire:
        head, *rest = parts
        if head == "account" and not rest:
            return self._account_wire(account)
        if head == "accounts" and len(rest) == 1:
            return self._account_wire(self._visible(account, rest[0]))
        if head == "balance" and not rest:
            return writing.balance(account, now=now)
        if head == "events" and len(rest) < 2:
            return self._read_event(account, rest, form, now=now)
        resource = RESOURCES.get(head)
        if resource is None or len(rest) > 2:
            raise unknown_path("GET", "/v1/" + "/".join(parts))
        if not rest:
            if form.get("starting_after") and self._world.chaos.happens(
                "edits_while_paging", f"stripe:{account.realm_id}"
            ):
                account.processor.charge(1_000 + now % 5_000, account.currency, now=now, description="Walk-in")
                now += 1
            return self._spoil(account, head, form, list_things(account, resource, form, now=now))
        thing = account.processor.things.get(rest[0])
        if thing is None or not isinstance(thing, resource.kind) or thing.made_at > now:
            raise missing(resource.noun, rest[0])
        if len(rest) == 1:
            return shapes.write(thing, now)
        return self._read_part(account, [head, *rest], now=now)

    def _read_part(self, account: StripeAccount, parts: list[str], *, now: int) -> Wire:
        folder, identifier, name = parts
        if (folder, name) == ("invoices", "lines"):
            invoice: Any = account.processor.things[identifier]
            return shapes.a_list([shapes.invoice_line(invoice)], url=f"/v1/invoices/{identifier}/lines")
        if (folder, name) == ("charges", "refunds"):
            return list_things(account, RESOURCES["refunds"], {"charge": identifier, "limit": "100"}, now=now)
        raise unknown_path("GET", "/v1/" + "/".join(parts))

    def _read_event(self, account: StripeAccount, rest: list[str], form: Form, *, now: int) -> Wire:
        if not rest:
            listed = list_events(
                account,
                form,
                now=now,
                forgets=lambda identifier: self._world.chaos.forgets(account.realm_id, "event", identifier),
            )
            return self._spoil(account, "events", form, listed)
        found = account.find_event(rest[0], now=now)
        if found is None:
            raise missing("event", rest[0])
        return account.event(found)

    def _spoil(self, account: StripeAccount, path: str, form: Form, listed: Wire) -> Wire:
        spoiler, purpose = self._world.spoiler, f"stripe:{account.realm_id}"
        filters = sorted((name, str(value)) for name, value in form.items() if name != "starting_after")
        page = spoiler.page(f"{purpose}:{path}:{filters}", listed, follows="starting_after" in form, purpose=purpose)
        return {**page, "data": spoiler.rows(page["data"], purpose=purpose)}

    def _visible(self, account: StripeAccount, identifier: str) -> StripeAccount:
        wanted = self._by_id.get(identifier)
        if wanted is None or (account is not self._platform and wanted is not account):
            raise missing("account", identifier)
        return wanted

    def _account_wire(self, account: StripeAccount) -> Wire:
        schedule = Schedule() if account.clerk is None else account.clerk.schedule
        return shapes.account(
            account.account_id,
            name=account.name,
            currency=account.currency,
            country=account.country,
            created=account.created,
            schedule=schedule.describe(),
        )


def _key_of(request: Request) -> str:
    header = request.headers.get("authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
