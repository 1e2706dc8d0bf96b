"""How QuickBooks is spoken to: signed in, within the call budget, and with every refusal turned into the error family.

The only file of this rail that meets the network. A read is repeated a few times when QuickBooks does not answer; a
write is sent once, under a request id of its own; when no answer comes, the caller reads back what became of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from runway_core.errors import OutcomeUnknown, RailMisconfigured, RailThrottled, RailUnavailable
from runway_core.ports.clock import Clock
from runway_rail_kit import UNREADABLE, AccessTokens, Answer, CallBudget, HttpTransport, NoAnswer, Pauses, repeat_read

from runway_rail_qbo import wire
from runway_rail_qbo.faults import RAIL, TITLE, ReadAnswer, is_sign_in_refused, read_answer, to_error
from runway_rail_qbo.settings import QboSettings

_SENDABLE_TOKEN = re.compile(r"[\x21-\x7e]+")
_by_name_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class RowsAnswer:
    """Rows of an answer and the moment, by Intuit's clock, at which they were so."""

    rows: wire.Rows
    time: datetime


@dataclass(frozen=True, slots=True)
class CdcResult:
    """What changed since a moment, in one member per kind."""

    members: list[wire.Rows]
    time: datetime


class QboTransport:
    """Calls of one company. `calls` counts what Intuit counts: requests to the company's own addresses."""

    def __init__(
        self,
        settings: QboSettings,
        *,
        http: HttpTransport,
        tokens: AccessTokens,
        budget: CallBudget,
        clock: Clock,
        pauses: Pauses | None = None,
        is_live: bool = False,
    ) -> None:
        self._is_live = is_live
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self._pauses = pauses or Pauses()
        self.calls = 0

    async def query(self, statement: str) -> RowsAnswer:
        """Ask a query; always with the rows whole."""
        doing = f"query of {_entity_of(statement)}"
        read = await self._read("query", {"query": statement}, doing=doing, holding="QueryResponse")
        assert read.envelope is not None  # `_read` refuses anything else
        assert read.envelope.QueryResponse is not None
        return RowsAnswer(read.envelope.QueryResponse, self._time_of(read.envelope))

    async def changed_since(self, since: datetime, names: list[str]) -> CdcResult:
        """Ask for everything of these kinds that changed: one call."""
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        asked = {"entities": ",".join(names), "changedSince": moment}
        read = await self._read("cdc", asked, doing="change data capture", holding="CDCResponse")
        assert read.envelope is not None  # `_read` refuses anything else
        assert read.envelope.CDCResponse is not None
        members = [rows for part in read.envelope.CDCResponse for rows in part.QueryResponse or ()]
        return CdcResult(members, self._time_of(read.envelope))

    async def read_one(self, path: str, name: str) -> bytes:
        """Read one record and return its raw payload.

        Raises:
            RecordGone: it is deleted or was never there.
        """
        read = await self._read(path, {}, doing=f"read of {path}", holding=name)
        return self._member(read, name, is_write=False)

    async def write(self, path: str, name: str, *, body: bytes, request_id: str) -> bytes:
        """Write one record, once, and return its raw payload as QuickBooks then shows it.

        Raises:
            OutcomeUnknown: no answer came, or a failure that may have come after the write.
        """
        read = await self._ask("POST", path, {"requestid": request_id}, doing=f"write of {path}", content=body)
        return self._member(read, name, is_write=True)

    async def _read(self, path: str, params: Mapping[str, str], *, doing: str, holding: str) -> ReadAnswer:
        async def once() -> ReadAnswer:
            read = await self._ask("GET", path, params, doing=doing)
            if not _holds(read, holding):
                raise self._no_sense(read, f"the answer to the {doing} holds no {holding}")
            return read

        return await repeat_read(once, pauses=self._pauses, is_live=self._is_live)

    async def _ask(
        self, method: str, path: str, params: Mapping[str, str], *, doing: str, content: bytes | None = None
    ) -> ReadAnswer:
        is_write = content is not None
        token = await self._tokens.current()
        read = read_answer(await self._send(method, path, params, token=token, doing=doing, content=content))
        if is_sign_in_refused(read):
            token = await self._tokens.renew(token)
            read = read_answer(await self._send(method, path, params, token=token, doing=doing, content=content))
        if read.answer.status == 200 and read.fault is not None and not is_write:
            # A refusal inside a 200 contradicts itself, and some would have a person reconnect: ask once more.
            read = read_answer(await self._send(method, path, params, token=token, doing=doing, content=content))
        if not 200 <= read.answer.status < 300 or read.fault is not None or read.envelope is None:
            error = to_error(read, doing=doing, is_write=is_write)
            if isinstance(error, RailThrottled):
                await self._budget.note_refusal(error.retry_after_seconds)
            raise error
        await self._tokens.confirm()
        return read

    async def _send(
        self, method: str, path: str, params: Mapping[str, str], *, token: str, doing: str, content: bytes | None
    ) -> Answer:
        if not _SENDABLE_TOKEN.fullmatch(token):
            raise RailMisconfigured(
                f"{TITLE}: the access token holds signs that cannot be sent; copy it again, without spaces", rail=RAIL
            )
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        async with self._budget.spend_one(is_live=self._is_live):
            self.calls += 1
            try:
                return await self._http.send(
                    method,
                    f"{self._settings.company_url}/{path}",
                    params={**params, "minorversion": str(self._settings.minor_version)},
                    headers=headers,
                    content=content,
                    read_seconds=self._settings.read_seconds,
                    connect_seconds=self._settings.connect_seconds,
                )
            except NoAnswer as error:
                if content is not None and error.may_have_arrived:
                    raise OutcomeUnknown(
                        f"{TITLE} gave no answer to a write ({doing}; {error}): read the record back before repeating",
                        rail=RAIL,
                    ) from error
                raise RailUnavailable(
                    f"{TITLE} gave no answer ({doing}; {error}); try again later", rail=RAIL
                ) from error

    def _member(self, read: ReadAnswer, name: str, *, is_write: bool) -> bytes:
        try:
            members = _by_name_decoder.decode(read.answer.body)
        except UNREADABLE:
            members = {}
        raw = members.get(name)
        if raw is None:
            if is_write:
                raise OutcomeUnknown(
                    f"{TITLE} answered a write without a {name}: read the record back before repeating",
                    rail=RAIL,
                    request_id=read.request_id,
                )
            raise self._no_sense(read, f"the answer holds no {name}")
        return bytes(raw)

    def _no_sense(self, read: ReadAnswer, what: str) -> RailUnavailable:
        return RailUnavailable(f"{TITLE}: {what}; try again later", rail=RAIL, request_id=read.request_id)

    def _time_of(self, envelope: wire.Envelope) -> datetime:
        """The answer's own time; without one, our clock, set back by what clocks may differ."""
        time = envelope.time
        if isinstance(time, datetime) and time.tzinfo is not None:
            return time.astimezone(UTC)
        if isinstance(time, int):
            return datetime.fromtimestamp(time / 1000, UTC)
        return self._clock.now() - timedelta(seconds=self._settings.overlap_seconds)


def _holds(read: ReadAnswer, name: str) -> bool:
    """Whether an answer holds the member that was asked for; a record's own is looked for in its body."""
    if name in wire.Envelope.__struct_fields__:
        return getattr(read.envelope, name) is not None
    try:
        return name in _by_name_decoder.decode(read.answer.body)
    except msgspec.MsgspecError:
        return False


def _entity_of(statement: str) -> str:
    return statement.partition(" FROM ")[2].partition(" ")[0]
