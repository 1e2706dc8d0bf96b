"""How Plaid is spoken to: every call a POST with JSON, the keys in headers, refusals turned into the error family.

The only file of this rail that meets the network. All calls that are made read; each may be repeated.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from runway_core.domain.identity import ConnectionId
from runway_core.errors import RailAccessLost, RailThrottled, RailUnavailable
from runway_core.ports.token_vault import TokenVault
from runway_rail_kit import UNREADABLE, CallBudget, HttpTransport, NoAnswer, Pauses, repeat_read

from runway_rail_plaid import wire
from runway_rail_plaid.faults import RAIL, SET_MOVED, TITLE, PlaidFault, read_fault, to_error
from runway_rail_plaid.settings import PlaidSettings

VERSION = "2020-09-14"
T = TypeVar("T")


class PlaidTransport:
    """Calls of one Item. `calls` counts the requests that were sent."""

    def __init__(
        self,
        settings: PlaidSettings,
        *,
        http: HttpTransport,
        budget: CallBudget,
        vault: TokenVault,
        connection_id: ConnectionId,
        pauses: Pauses | None = None,
        is_live: bool = False,
    ) -> None:
        self._settings = settings
        self._http = http
        self._budget = budget
        self._vault = vault
        self._connection_id = connection_id
        self._pauses = pauses or Pauses()
        self._is_live = is_live
        self.calls = 0

    async def sync_page(self, cursor: str) -> wire.SyncAnswer:
        """One page of what changed after `cursor`, which is empty for everything.

        Raises:
            PlaidFault: the set moved while it was paged, or the cursor is not of this Item.
        """
        options = {"include_original_description": True}
        body = {"cursor": cursor, "count": self._settings.page_size, "options": options}
        return await self._read("/transactions/sync", body, wire.SyncAnswer)

    async def accounts(self) -> wire.AccountsAnswer:
        """The accounts with the balances of the last time Plaid read the bank."""
        return await self._read("/accounts/get", {}, wire.AccountsAnswer)

    async def live_accounts(self, account_id: str) -> wire.AccountsAnswer:
        """One account as the bank shows it at this moment; may take a minute."""
        body = {"options": {"account_ids": [account_id]}}
        return await self._read(
            "/accounts/balance/get", body, wire.AccountsAnswer, read_seconds=self._settings.live_read_seconds
        )

    async def item(self) -> wire.ItemAnswer:
        """The Item and how current it is."""
        return await self._read("/item/get", {}, wire.ItemAnswer)

    async def _read(
        self, path: str, body: Mapping[str, Any], answer: type[T], *, read_seconds: float | None = None
    ) -> T:
        return await repeat_read(
            lambda: self._ask(path, body, answer, read_seconds=read_seconds), pauses=self._pauses, is_live=self._is_live
        )

    async def _ask(self, path: str, body: Mapping[str, Any], expected: type[T], *, read_seconds: float | None) -> T:
        secrets = await self._vault.load(self._connection_id)
        if "access_token" not in secrets:
            raise RailAccessLost(f"no access token is kept for {TITLE}: connect the bank again", rail=RAIL)
        content = msgspec.json.encode({**body, "access_token": secrets["access_token"].get_secret_value()})
        headers = {
            "content-type": "application/json",
            "plaid-client-id": secrets["client_id"].get_secret_value(),
            "plaid-secret": secrets["secret"].get_secret_value(),
            "plaid-version": VERSION,
        }
        async with self._budget.spend_one(is_live=self._is_live):
            self.calls += 1
            try:
                answer = await self._http.send(
                    "POST",
                    self._settings.base_url + path,
                    headers=headers,
                    content=content,
                    read_seconds=read_seconds or self._settings.read_seconds,
                    connect_seconds=self._settings.connect_seconds,
                )
            except NoAnswer as error:
                raise RailUnavailable(
                    f"{TITLE} gave no answer ({path}; {error}); try again later", rail=RAIL
                ) from error
        if answer.status == 200:
            try:
                return msgspec.json.decode(answer.body, type=expected)
            except UNREADABLE as error:
                raise RailUnavailable(
                    f"{TITLE} answered {path} with no sense ({error}); try again later", rail=RAIL
                ) from error
        fault = read_fault(answer)
        if fault is not None and (fault.error_code == SET_MOVED or _is_about_cursor(fault, body)):
            raise PlaidFault(fault.error_code)
        refusal = to_error(answer, fault, doing=path)
        if isinstance(refusal, RailThrottled):
            await self._budget.note_refusal(refusal.retry_after_seconds)
        raise refusal


def _is_about_cursor(fault: wire.Fault, body: Mapping[str, Any]) -> bool:
    return fault.error_code == "INVALID_FIELD" and bool(body.get("cursor")) and "cursor" in fault.error_message
