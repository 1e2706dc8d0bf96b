"""How Stripe is spoken to: GET with a query in brackets, the version pinned, refusals turned into the error family.

The only file of this rail that meets the network. All calls that are made read; each may be repeated.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw
from pydantic import SecretStr
from runway_core.domain.identity import ConnectionId
from runway_core.errors import RailAccessLost, RailThrottled, RailUnavailable
from runway_core.ports.token_vault import TokenVault
from runway_rail_kit import UNREADABLE, Answer, CallBudget, HttpTransport, NoAnswer, PageTrail, Pauses, repeat_read

from runway_rail_stripe import wire
from runway_rail_stripe.faults import MISSING, RAIL, TITLE, StripeFault, to_error
from runway_rail_stripe.settings import StripeSettings

VERSION = "2026-10-28.endive"
LOOPS = 3
"""So often is a list begun anew when the row at which it was left is gone."""

T = TypeVar("T")
_named_decoder = msgspec.json.Decoder(wire.Named)


class StripeTransport:
    """Calls of one account. `calls` counts the requests that were sent."""

    def __init__(
        self,
        settings: StripeSettings,
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
        self._key: SecretStr | None = None
        self.calls = 0

    async def account(self) -> wire.Account:
        """Whose account the key reads."""
        return (await self._read("account", {}, wire.Account))[1]

    async def read(self, path: str, *, expand: Sequence[str] = ()) -> bytes:
        """One thing as it is now.

        Raises:
            StripeFault: it is not there.
            RailUnavailable: the answer is none that can be read.
        """
        answer, _ = await self._read(path, _expanding(expand), wire.Named)  # what is cut off is not set aside
        return answer.body

    async def page(self, path: str, params: Mapping[str, str], *, limit: int | None = None) -> wire.Page:
        """One page of a list.

        Raises:
            StripeFault: what a parameter names is not there, or cannot be listed yet.
        """
        asked = {"limit": str(limit or self._settings.page_size), **params}
        return (await self._read(path, asked, wire.Page))[1]

    async def pages(
        self, path: str, params: Mapping[str, str], *, expand: Sequence[str] = ()
    ) -> AsyncIterator[Sequence[Raw]]:
        """Every row of a list, page by page, newest first; rows may come twice, what comes meanwhile does not.

        Raises:
            StripeFault: what a parameter names is not there, or cannot be listed yet.
            RailUnavailable: the list cannot be followed.
        """
        asked = {**params, **_expanding(expand)}
        after: str | None = None
        loops = 0
        trail = PageTrail(rail=RAIL, title=TITLE, doing=path)
        while True:
            try:
                page = await self.page(path, asked if after is None else {**asked, "starting_after": after})
            except StripeFault as fault:
                if after is None or fault.code != MISSING or fault.param != "starting_after":
                    raise
                loops += 1
                if loops >= LOOPS:
                    raise RailUnavailable(
                        f"{TITLE} lost its place in {path} each time it was read; try again later", rail=RAIL
                    ) from fault
                after = None  # the row went while the list was read: begin anew
                continue
            if page.data:
                yield page.data
            if not page.has_more:
                return
            if not page.data:
                raise RailUnavailable(f"{TITLE} says that {path} goes on and lists nothing; try again later", rail=RAIL)
            after = trail.follow(_id_of(page.data[-1], path))

    async def _read(self, path: str, params: Mapping[str, str], expected: type[T]) -> tuple[Answer, T]:
        """Read until the answer makes sense, so often as is worth it."""

        async def once() -> tuple[Answer, T]:
            answer = await self._ask(path, params)
            return answer, _decode(answer, expected, path.partition("/")[0])

        return await repeat_read(once, pauses=self._pauses, is_live=self._is_live)

    async def _load_key(self) -> SecretStr:
        secrets = await self._vault.load(self._connection_id)
        if "secret_key" not in secrets:
            raise RailAccessLost(f"no key is kept for {TITLE}: connect the account again", rail=RAIL)
        return secrets["secret_key"]

    async def _ask(self, path: str, params: Mapping[str, str]) -> Answer:
        if self._key is None:
            self._key = await self._load_key()  # once a pull: a first load makes hundreds of calls
        headers = {"authorization": f"Bearer {self._key.get_secret_value()}", "stripe-version": VERSION}
        if self._settings.through_platform:
            headers["stripe-account"] = self._settings.account_id
        doing = path.partition("/")[0]
        async with self._budget.spend_one(is_live=self._is_live):
            self.calls += 1
            try:
                answer = await self._http.send(
                    "GET",
                    f"{self._settings.base_url}/v1/{path}",
                    params=params,
                    headers=headers,
                    read_seconds=self._settings.read_seconds,
                    connect_seconds=self._settings.connect_seconds,
                )
            except NoAnswer as error:
                raise RailUnavailable(
                    f"{TITLE} gave no answer ({doing}; {error}); try again later", rail=RAIL
                ) from error
        if answer.status == 200 and answer.content_type == "application/json":
            return answer
        if answer.status == 200:
            raise RailUnavailable(f"{TITLE} answered {doing} with no data; try again later", rail=RAIL)
        refusal = to_error(answer, doing=doing, through_platform=self._settings.through_platform)
        if isinstance(refusal, RailThrottled):
            await self._budget.note_refusal(refusal.retry_after_seconds)
        raise refusal


def _expanding(names: Sequence[str]) -> dict[str, str]:
    return {f"expand[{place}]": name for place, name in enumerate(names)}


def _decode(answer: Answer, expected: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(answer.body, type=expected)
    except UNREADABLE as error:
        raise RailUnavailable(f"{TITLE} answered {path} with no sense ({error}); try again later", rail=RAIL) from error


def _id_of(row: Raw, path: str) -> str:
    try:
        return _named_decoder.decode(row).id
    except UNREADABLE as error:
        raise RailUnavailable(f"{TITLE} listed {path} with a row that has no id; try again later", rail=RAIL) from error
