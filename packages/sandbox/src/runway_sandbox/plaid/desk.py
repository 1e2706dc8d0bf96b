"""The vendor's addresses: every call is a POST with a JSON body (facts/plaid.md 1 to 8)."""

from __future__ import annotations

import asyncio
import random
import re
import sys
import traceback
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runway_sandbox.books import decode_wire, encode_wire
from runway_sandbox.faults import MAINTENANCE_HTML
from runway_sandbox.opaque import opaque_id
from runway_sandbox.plaid import shapes
from runway_sandbox.plaid.faults import (
    PlaidFaultError,
    institution_down,
    invalid_body,
    invalid_field,
    invalid_keys,
    login_required,
    missing_fields,
    mutated_while_paging,
    not_found,
    server_error,
    too_many,
    unknown_token,
)
from runway_sandbox.plaid.items import Item
from runway_sandbox.plaid.post import PlaidPost
from runway_sandbox.plaid.signing import Signer
from runway_sandbox.spoiling import CutOff
from runway_sandbox.world import Desk, World

OLD_ITEM_DAYS = 400
_MINUTE_S = 60.0
_LIMITS = {  # calls a minute of one item, and the code of the refusal
    "/accounts/balance/get": (5, "ACCOUNTS_BALANCE_GET_LIMIT"),
    "/accounts/get": (15, "ACCOUNTS_LIMIT"),
    "/transactions/sync": (50, "TRANSACTIONS_SYNC_LIMIT"),
    "/item/get": (15, "ITEM_GET_LIMIT"),
}
_PUBLIC_TOKEN_LIFE = timedelta(minutes=30)

Body = dict[str, Any]
Wire = dict[str, Any]


@dataclass(slots=True)
class Login:
    """An item and the company whose bank it reads."""

    item: Item
    desk: Desk


class PlaidDesk:
    """The endpoints over one world, with the items made so far; each company has one from the start."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_token: dict[str, Login] = {}
        self._first: dict[str, Login] = {}
        self._public_tokens: dict[str, tuple[Login, float]] = {}
        self._calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._last_cursor: dict[str, str] = {}
        self._draws = random.Random(f"plaid:{world.settings.seed}")
        self.signer = Signer(seed=world.settings.seed, now=int(world.clock.epoch()))
        self.post = PlaidPost(clock=world.clock, chaos=world.chaos, signer=self.signer, look=self._look)
        for desk in world.desks:
            login = self._new_login(desk, created_days_ago=OLD_ITEM_DAYS, name="first")
            self._first[desk.realm_id] = login

    def login_of(self, desk: Desk) -> Login:
        """The item that a company has from the start."""
        return self._first[desk.realm_id]

    def routes(self) -> list[Route]:
        """List the routes, relative to the rail's base address."""
        open_to_app: dict[str, Callable[[Body], Wire]] = {
            "/link/token/create": self._create_link_token,
            "/sandbox/public_token/create": self._create_public_token,
            "/item/public_token/exchange": self._exchange,
            "/webhook_verification_key/get": self._verification_key,
            "/institutions/get_by_id": self._institution,
        }
        of_item: dict[str, Callable[[Item, Body], Wire]] = {
            "/item/get": self._get_item,
            "/item/remove": self._remove,
            "/item/webhook/update": self._update_webhook,
            "/item/access_token/invalidate": self._invalidate,
            "/accounts/get": self._accounts,
            "/accounts/balance/get": self._balances,
            "/transactions/sync": self._sync,
            "/transactions/refresh": self._refresh,
            "/sandbox/item/fire_webhook": self._fire_webhook,
            "/sandbox/item/reset_login": self._reset_login,
        }
        routes = [
            Route(path, self._answering(path, handler), methods=["POST"]) for path, handler in open_to_app.items()
        ]
        routes += [
            Route(path, self._answering(path, of_item=handler), methods=["POST"]) for path, handler in of_item.items()
        ]
        return [*routes, Route("/{rest:path}", self._answering("", _refuse_path), methods=["GET", "POST"])]

    def _answering(
        self,
        path: str,
        handler: Callable[[Body], Wire] | None = None,
        *,
        of_item: Callable[[Item, Body], Wire] | None = None,
    ) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            request_id = opaque_id("request", str(self._draws.getrandbits(64)), length=15)
            try:
                body = self._read_body(request, await request.body())
                if handler is not None:
                    wire = handler(body)
                else:
                    assert of_item is not None
                    wire = await self._answer_for_item(path, of_item, body)
            except PlaidFaultError as fault:
                return _json(fault.body(request_id), fault.status)
            except _HtmlAnswerError:
                return Response(MAINTENANCE_HTML, 200, media_type="text/html")
            except _NoAnswerError:
                return CutOff()
            except Exception:  # the app's edge: a client never sees a traceback, the operator does
                traceback.print_exc(file=sys.stderr)
                return _json(server_error().body(request_id), 500)
            return self._succeed({**wire, "request_id": request_id}, purpose=f"plaid:{body.get('access_token')}")

        return answer

    def _succeed(self, wire: Wire, *, purpose: str) -> Response:
        body, content_type = self._world.spoiler.body(encode_wire(wire), "application/json", purpose=purpose)
        return Response(body, 200, headers={"content-type": content_type})

    async def _answer_for_item(self, path: str, handler: Callable[[Item, Body], Wire], body: Body) -> Wire:
        token = body.get("access_token")
        if not token:
            raise missing_fields("access_token")
        login = self._by_token.get(str(token))
        if login is None or login.item.is_removed:
            raise unknown_token()
        self._world.calls[("plaid", login.desk.realm_id, path.removeprefix("/"))] += 1
        await self._meet_trouble(login, path)
        if login.desk.book is None:
            await asyncio.to_thread(self._world.book, login.desk)  # large books take seconds; others go on
        return handler(login.item, body)

    async def _meet_trouble(self, login: Login, path: str) -> None:
        await asyncio.sleep(self._world.chaos.pause_s(f"plaid:{login.desk.realm_id}"))
        trouble = self._world.chaos.trouble_before(f"plaid:{login.desk.realm_id}")
        is_ended = self._world.chaos.ends_access(f"plaid:{login.desk.realm_id}", now=self._world.clock.epoch())
        if trouble == "expired" or is_ended:
            login.item.error = "ITEM_LOGIN_REQUIRED"
        if trouble == "unanswered":
            raise _NoAnswerError
        if trouble == "unavailable":
            raise institution_down()
        if trouble in {"server_error", "fault_ok"}:
            raise server_error()
        if trouble == "html_ok":
            raise _HtmlAnswerError
        most, code = _LIMITS.get(path, (1_000, "RATE_LIMIT"))
        if trouble == "throttled" or (self._world.settings.throttle.enabled and not self._admit(login, path, most)):
            raise too_many(code)

    def _admit(self, login: Login, path: str, most: int) -> bool:
        moments = self._calls[(login.item.item_id, path)]
        now = self._world.clock.epoch()
        while moments and moments[0] <= now - _MINUTE_S:
            moments.popleft()
        if len(moments) >= most:
            return False
        moments.append(now)
        return True

    def _read_body(self, request: Request, raw: bytes) -> Body:
        try:
            body = decode_wire(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise invalid_body() from error
        if not isinstance(body, dict):
            raise invalid_body()
        settings = self._world.settings.plaid
        given = (
            body.get("client_id") or request.headers.get("plaid-client-id"),
            body.get("secret") or request.headers.get("plaid-secret"),
        )
        if given != (settings.client_id, settings.secret):
            raise invalid_keys()
        return body

    # Items

    def _new_login(self, desk: Desk, *, created_days_ago: int = 0, name: str | None = None) -> Login:
        draw = name or str(self._draws.getrandbits(64))
        token = uuid.UUID(
            int=random.Random(f"token:{self._world.settings.seed}:{desk.realm_id}:{draw}").getrandbits(128)
        )
        item = Item(
            item_id=opaque_id("item", desk.realm_id, draw),
            access_token=f"access-sandbox-{token}",
            feed=lambda: self._world.feed(desk),
            created_at=self._world.clock.now() - timedelta(days=created_days_ago),
        )
        login = Login(item, desk)
        self._by_token[item.access_token] = login
        return login

    def _create_link_token(self, body: Body) -> Wire:
        _demand(body, "client_name", "language", "country_codes", "user")
        token = uuid.UUID(int=self._draws.getrandbits(128), version=4)
        expires = self._world.clock.now() + timedelta(hours=4)
        return {"link_token": f"link-sandbox-{token}", "expiration": shapes.wire_time(expires)}

    def _create_public_token(self, body: Body) -> Wire:
        """A person signs in: `options.override_username` may name a company; else the companies take turns."""
        _demand(body, "institution_id", "initial_products")
        options = body.get("options") or {}
        wanted = self._world.find_desk(str(options.get("override_username") or ""))
        desks = self._world.desks
        login = self._new_login(wanted or desks[len(self._public_tokens) % len(desks)])
        login.item.webhook = options.get("webhook") or None
        token = f"public-sandbox-{uuid.UUID(int=self._draws.getrandbits(128), version=4)}"
        self._public_tokens[token] = (login, (self._world.clock.now() + _PUBLIC_TOKEN_LIFE).timestamp())
        return {"public_token": token}

    def _exchange(self, body: Body) -> Wire:
        _demand(body, "public_token")
        login, until = self._public_tokens.pop(str(body["public_token"]), (None, 0.0))
        if login is None or until < self._world.clock.epoch():
            raise PlaidFaultError("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", "could not find matching public token")
        return {"access_token": login.item.access_token, "item_id": login.item.item_id}

    def _get_item(self, item: Item, _body: Body) -> Wire:
        item.fetch(self._world.clock.now())
        return shapes.item_with_status(item)

    def _remove(self, item: Item, _body: Body) -> Wire:
        item.is_removed = True
        return {}

    def _update_webhook(self, item: Item, body: Body) -> Wire:
        item.webhook = body.get("webhook") or None
        self.post.tell(item, "ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED", new_webhook_url=item.webhook, error=None)
        return {"item": shapes.item(item)}

    def _invalidate(self, item: Item, _body: Body) -> Wire:
        login = self._by_token.pop(item.access_token)
        item.access_token = f"access-sandbox-{uuid.UUID(int=self._draws.getrandbits(128), version=4)}"
        self._by_token[item.access_token] = login
        return {"new_access_token": item.access_token}

    # Data

    def _accounts(self, item: Item, body: Body) -> Wire:
        _demand_login(item)
        item.fetch(self._world.clock.now())
        return self._list_accounts(item, body, live=False)

    def _balances(self, item: Item, body: Body) -> Wire:
        _demand_login(item)
        return self._list_accounts(item, body, live=True)

    def _list_accounts(self, item: Item, body: Body, *, live: bool) -> Wire:
        at = self._world.clock.now() if live else item.fetched_at
        rows = [shapes.account(item, one, at) for one in item.accounts()]
        wanted = (body.get("options") or {}).get("account_ids")
        if wanted is not None:
            known = {row["account_id"] for row in rows}
            if not set(wanted) <= known:
                raise PlaidFaultError(
                    "INVALID_INPUT", "INVALID_ACCOUNT_ID", "one or more of the account IDs is invalid"
                )
            rows = [row for row in rows if row["account_id"] in wanted]
        rows = self._world.spoiler.rows(rows, purpose=f"plaid:{item.item_id}")
        return {"accounts": rows, "item": shapes.item(item)}

    def _sync(self, item: Item, body: Body) -> Wire:
        _demand_login(item)
        count = body.get("count", 100)
        if not isinstance(count, int) or not 1 <= count <= 500:
            raise invalid_field("count must be between 1 and 500")
        cursor = body.get("cursor") or ""
        if not isinstance(cursor, str) or len(cursor) > 256:
            raise invalid_field("cursor must be a string of at most 256 characters")
        options = body.get("options") or {}
        account_id = options.get("account_id")
        item.fetch(self._world.clock.now())
        page = item.page(cursor, count=count, account_id=account_id, now=self._world.clock.now())
        if page.has_more and self._world.chaos.happens("edits_while_paging", f"plaid:{item.item_id}"):
            raise mutated_while_paging()
        purpose = f"plaid:{item.item_id}"
        page = self._world.spoiler.page(
            purpose, page, follows=cursor == self._last_cursor.get(purpose), purpose=purpose
        )
        self._last_cursor[purpose] = page.next_cursor
        rows = partial(self._world.spoiler.rows, purpose=purpose)
        touched = {shown.line.ledger_account_id for shown in (*page.added, *page.modified)}
        return {
            "accounts": [
                shapes.account(item, one, item.fetched_at) for one in item.accounts() if one.ledger_id in touched
            ],
            "added": [shapes.transaction(item, shown) for shown in rows(page.added)],
            "modified": [shapes.transaction(item, shown) for shown in rows(page.modified)],
            "removed": [shapes.removed(item, gone) for gone in rows(page.removed)],
            "next_cursor": page.next_cursor,
            "has_more": page.has_more,
            "transactions_update_status": page.status,
        }

    def _refresh(self, item: Item, _body: Body) -> Wire:
        _demand_login(item)
        self._fetch_and_tell(item, at_once=True)
        return {}

    # Events

    def _look(self) -> None:
        """Let the items of companies whose books are in use fetch, and tell what that brought."""
        for login in list(self._by_token.values()):
            if login.desk.book is not None and not login.item.is_removed and (login.item.webhook or self.post.url):
                self._fetch_and_tell(login.item)

    def _fetch_and_tell(self, item: Item, *, at_once: bool = False) -> None:
        brought = item.fetch(self._world.clock.now(), at_once=at_once)
        if not brought:
            return
        self.post.tell(item, "TRANSACTIONS", "DEFAULT_UPDATE", new_transactions=brought, error=None)
        if item.was_synced:
            self._tell_updates(item)

    def _tell_updates(self, item: Item) -> bool:
        status = item.status(self._world.clock.now())
        return self.post.tell(
            item,
            "TRANSACTIONS",
            "SYNC_UPDATES_AVAILABLE",
            initial_update_complete=status != "NOT_READY",
            historical_update_complete=status == "HISTORICAL_UPDATE_COMPLETE",
        )

    def _fire_webhook(self, item: Item, body: Body) -> Wire:
        _demand(body, "webhook_code")
        code = str(body["webhook_code"])
        if code == "SYNC_UPDATES_AVAILABLE":
            return {"webhook_fired": self._tell_updates(item)}
        kind = str(body.get("webhook_type") or ("TRANSACTIONS" if code == "DEFAULT_UPDATE" else "ITEM"))
        return {"webhook_fired": self.post.tell(item, kind, code, error=None)}

    def _reset_login(self, item: Item, _body: Body) -> Wire:
        self.lose_login(item)
        return {"reset_login": True}

    def lose_login(self, item: Item) -> None:
        """The bank wants the person: all data calls fail until `repair_login`."""
        item.error = "ITEM_LOGIN_REQUIRED"
        error = {**login_required().body(""), "status": 400}
        error.pop("request_id")
        self.post.tell(item, "ITEM", "ERROR", error=error)

    def repair_login(self, item: Item) -> None:
        """The person signed in again."""
        item.error = None
        self.post.tell(item, "ITEM", "LOGIN_REPAIRED")

    def change(self, desk: Desk, operation: str) -> None:
        """Do what `POST {control}/mutate` asks of a company's first item."""
        item = self.login_of(desk).item
        if operation == "lose_login":
            self.lose_login(item)
        elif operation == "repair_login":
            self.repair_login(item)
        elif operation == "fetch":
            self._fetch_and_tell(item, at_once=True)
        else:
            self.signer.rotate(int(self._world.clock.epoch()))

    def _verification_key(self, body: Body) -> Wire:
        _demand(body, "key_id")
        key = self.signer.find(str(body["key_id"]))
        if key is None:
            raise invalid_field("key_id is not a known key")
        return {"key": key.as_jwk()}

    def _institution(self, body: Body) -> Wire:
        _demand(body, "institution_id", "country_codes")
        if not re.fullmatch(r"ins_\d+", str(body["institution_id"])):
            raise invalid_field("institution_id is not a known institution")
        return {
            "institution": {
                "country_codes": ["US"],
                "institution_id": body["institution_id"],
                "name": shapes.INSTITUTION_NAME,
                "products": ["auth", "balance", "transactions"],
                "routing_numbers": [],
                "oauth": False,
            }
        }


class _HtmlAnswerError(Exception):
    """Trouble in front of the vendor: a page for people, with 200."""


class _NoAnswerError(Exception):
    """The connection breaks off."""


def _refuse_path(_body: Body) -> Wire:
    raise not_found()


def _demand(body: Body, *names: str) -> None:
    absent = [name for name in names if not body.get(name)]
    if absent:
        raise missing_fields(*absent)


def _demand_login(item: Item) -> None:
    if item.error is not None:
        raise login_required()


def _json(wire: Wire, status: int) -> Response:
    return Response(encode_wire(wire), status, media_type="application/json")
