"""Answers one call of the accounting service, with no network in sight: a `Call` in, an `Answer` out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec

from runway_sandbox.batch import run_batch
from runway_sandbox.books import Book, Shelf, SortBy, WireObject, decode_wire, encode_wire
from runway_sandbox.cdc import run_cdc
from runway_sandbox.faults import (
    JSON_TYPE,
    ServiceFaultError,
    not_found,
    query_grammar,
    required,
    unsupported_operation,
    unsupported_property,
)
from runway_sandbox.kinds import Kind, find_kind
from runway_sandbox.postings import as_money
from runway_sandbox.query_run import Page, run_query
from runway_sandbox.uploads import read_upload
from runway_sandbox.wiretime import format_answer_time
from runway_sandbox.world import Desk, Remembered, World
from runway_sandbox.writes import Happening, Writer, Written

_LONGEST_REQUEST_ID = 50
_MOST_REMEMBERED = 2000  # how long the vendor remembers is not known


@dataclass(frozen=True, slots=True)
class Call:
    """One request to `/v3/company/{realm_id}/...`; `parts` is what follows the realm id."""

    method: str
    parts: tuple[str, ...]
    params: Mapping[str, str]
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE


def endpoint_of(call: Call) -> str:
    """Name the endpoint that `GET {control}/calls` counts a call under."""
    first = call.parts[0] if call.parts else ""
    if first in {"query", "cdc", "batch", "upload", "companyinfo", "preferences", "reports"}:
        return first
    return "read" if call.method == "GET" else "write"


def is_write(call: Call) -> bool:
    """Tell whether a call may change the books."""
    return endpoint_of(call) in {"write", "batch", "upload"} or (
        call.method == "POST" and call.parts[:1] == ("preferences",)
    )


class LedgerService:
    """The accounting service over all companies of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, desk: Desk, call: Call) -> Answer:
        """Work one call out; faults of the service become answers, never exceptions."""
        try:
            return self._remembering(desk, call) if is_write(call) else self._dispatch(desk, call)
        except ServiceFaultError as fault:
            return Answer(fault.status, fault.json_body(self._world.clock.now()))

    def _remembering(self, desk: Desk, call: Call) -> Answer:
        request_id = call.params.get("requestid")
        if request_id is None:
            return self._dispatch(desk, call)
        if not request_id or len(request_id) > _LONGEST_REQUEST_ID:
            raise ServiceFaultError("2130", "Invalid Request Id", "Invalid Request Id : between 1 and 50 characters")
        asked = hashlib.sha256(
            b"\0".join((call.method.encode(), "/".join(call.parts).encode(), _options(call), call.body))
        ).hexdigest()
        known = desk.remembered.get(request_id)
        if known is not None:
            if known.asked != asked:
                raise ServiceFaultError(
                    "600",
                    "Duplicate Request Id",
                    f"Duplicate Request Id : {request_id} was used for another request",
                )
            return Answer(known.status, known.body)
        answer = self._dispatch(desk, call)
        if len(desk.remembered) >= _MOST_REMEMBERED:
            desk.remembered.pop(next(iter(desk.remembered)))
        desk.remembered[request_id] = Remembered(asked, answer.status, answer.body)
        return answer

    def _dispatch(self, desk: Desk, call: Call) -> Answer:
        book = self._world.book(desk)
        parts = call.parts
        if not parts:
            raise unsupported_operation("Could not find resource for relative : /")
        first = parts[0].lower()
        if first == "query" and len(parts) == 1:
            return self._query(book, call)
        if first == "cdc" and call.method == "GET":
            return self._cdc(book, call)
        if call.method == "POST" and first == "batch":
            return self._batch(book, call)
        if call.method == "POST" and first == "upload":
            return self._upload(book, call)
        kind = find_kind(first)
        if kind is None or first != parts[0] or len(parts) > 3:
            raise unsupported_operation(f"Could not find resource for relative : /{'/'.join(parts)} of path")
        if call.method == "GET":
            return self._read(book, kind, call)
        if len(parts) == 3 and parts[2] == "send":
            return self._send(book, kind, call)
        if len(parts) == 1 and call.method == "POST":
            return self._write(book, kind, call)
        raise unsupported_operation(f"{call.method} /{'/'.join(parts)}")

    def _run_query(self, book: Book, statement: str) -> Page:
        chaos = self._world.chaos
        return run_query(
            book,
            statement,
            rules=self._world.settings.wire,
            now=self._world.clock.now(),
            extra_row=chaos.happens("extra_row", book.realm_id),
        )

    def _query(self, book: Book, call: Call) -> Answer:
        statement = call.params.get("query", "")
        if call.method == "POST":
            try:
                statement = call.body.decode() or statement
            except UnicodeDecodeError as error:
                raise unsupported_operation("Invalid byte 1 of 1-byte UTF-8 sequence") from error
        if not statement.strip():
            raise query_grammar('Encountered "<EOF>" at line 0, column 0.')
        page = self._run_query(book, statement)
        if page.start > 1 and page.rows:
            edit_while_paging(self._world, book, page.entity)
            page = self._run_query(book, statement)
        if not page.is_count:
            page = self._spoil(book, statement, page)
        return self._ok(b'{"QueryResponse":' + page.query_response())

    def _spoil(self, book: Book, statement: str, page: Page) -> Page:
        spoiler, purpose = self._world.spoiler, book.realm_id
        place = f"{purpose}:{statement.partition(' STARTPOSITION')[0]}"
        page = spoiler.page(place, page, follows=page.start > 1, purpose=purpose)
        return replace(page, rows=spoiler.rows(page.rows, purpose=purpose))

    def _cdc(self, book: Book, call: Call) -> Answer:
        members = run_cdc(
            book,
            call.params.get("entities", ""),
            call.params.get("changedSince", ""),
            rules=self._world.settings.wire,
            now=self._world.clock.now(),
            forgets=partial(self._world.chaos.forgets, book.realm_id),
            spoil=partial(self._world.spoiler.rows, purpose=book.realm_id),
        )
        return self._ok(b'{"CDCResponse":' + members)

    def _batch(self, book: Book, call: Call) -> Answer:
        body, happenings = run_batch(
            _read_json(call.body),
            writer=self._writer(book),
            query=lambda statement: self._run_query(book, statement),
            largest=self._world.settings.wire.batch_items,
        )
        self._tell(book, happenings)
        return self._ok(body)

    def _read(self, book: Book, kind: Kind, call: Call) -> Answer:
        if kind.number_row == "single":
            rows = list(book.shelf(kind.name).rows.values())
            if not rows:
                raise not_found()
            return self._ok_record(kind, rows[0].wire)
        if len(call.parts) == 3 and call.parts[2] == "pdf":
            return self._pdf(book, kind, call.parts[1])
        if len(call.parts) != 2:
            raise required("Id")
        row = book.find(kind.name, call.parts[1])
        if row is None:
            raise not_found()
        return self._ok_record(kind, row.wire)

    def _pdf(self, book: Book, kind: Kind, identifier: str) -> Answer:
        row = book.find(kind.name, identifier)
        if row is None:
            raise not_found()
        return Answer(200, b"%PDF-1.4\n% " + f"{kind.name} {identifier}".encode() + b"\n%%EOF\n", "application/pdf")

    def _send(self, book: Book, kind: Kind, call: Call) -> Answer:
        row = book.find(kind.name, call.parts[1])
        if row is None:
            raise not_found()
        if "Emailed" not in kind.events:
            raise unsupported_operation(f"send on {kind.name}")
        wire = row.parse()
        body: WireObject = {"Id": row.id, "SyncToken": wire["SyncToken"], "sparse": True, "EmailStatus": "EmailSent"}
        if call.params.get("sendTo"):
            body["BillEmail"] = {"Address": call.params["sendTo"]}
        written = self._writer(book).update(kind, body)
        self._tell(book, [Happening(kind.name, row.id, "Emailed")])
        return self._ok_record(kind, encode_wire(written.wire))

    def _write(self, book: Book, kind: Kind, call: Call) -> Answer:
        body = _read_json(call.body)
        if not isinstance(body, dict):
            raise unsupported_property("Can not construct instance from the value given, which")
        written = self.write(book, kind, body, operation=_operation_of(call, body))
        return self._ok_record(kind, encode_wire(written.wire))

    def write(self, book: Book, kind: Kind, body: WireObject, *, operation: str) -> Written:
        """Do one write and tell the webhooks; also used by the control endpoints.

        Raises:
            ServiceFaultError: the vendor's refusal.
        """
        writer = self._writer(book)
        acts = {"create": writer.create, "update": writer.update, "delete": writer.delete, "void": writer.void}
        act = acts.get(operation)
        if act is None:
            raise unsupported_operation(operation)
        written = act(kind, body)
        self._tell(book, written.happenings)
        return written

    def _upload(self, book: Book, call: Call) -> Answer:
        answers = []
        for wire in read_upload(call.body, call.content_type):
            kind = find_kind("Attachable")
            assert kind is not None
            written = self.write(book, kind, wire, operation="create")
            answers.append(b'{"Attachable":' + encode_wire(written.wire) + b"}")
        return self._ok(b'{"AttachableResponse":[' + b",".join(answers) + b"]")

    def _writer(self, book: Book) -> Writer:
        return Writer(book, now=self._world.clock.now(), rules=self._world.settings.wire)

    def _tell(self, book: Book, happenings: list[Happening]) -> None:
        self._world.webhooks.tell(book.realm_id, [(one.kind, one.id, one.operation) for one in happenings])

    def _ok(self, opened: bytes) -> Answer:
        return Answer(200, b'%s,"time":"%s"}' % (opened, format_answer_time(self._world.clock.now()).encode()))

    def _ok_record(self, kind: Kind, wire: bytes) -> Answer:
        return self._ok(b'{"%s":%s' % (kind.name.encode(), wire))


def edit_while_paging(world: World, book: Book, kind_name: str) -> None:
    """Edit, and now and then delete, a record while somebody pages, as the people in the books do."""
    kind = find_kind(kind_name)
    chaos = world.chaos
    if kind is None or not kind.is_transaction:
        return
    writer = Writer(book, now=world.clock.now(), rules=world.settings.wire)
    shelf = book.shelf(kind_name)
    if chaos.happens("edits_while_paging", book.realm_id):
        edited = _edit_one(writer, shelf, chaos.draw(f"{book.realm_id}:edit").random())
        world.webhooks.tell(book.realm_id, [(one.kind, one.id, one.operation) for one in edited])
    if chaos.happens("deletes_while_paging", book.realm_id):
        planted = {(one["kind"], one["id"]) for defect in book.truth for one in defect["records"]}
        for row in shelf.ordered(SortBy("id"), active_only=False)[:200]:
            wire = row.parse()
            untouched = not wire.get("LinkedTxn") and as_money(wire.get("Balance")) == as_money(wire.get("TotalAmt"))
            if untouched and (kind_name, row.id) not in planted:
                writer.delete(kind, {"Id": row.id, "SyncToken": wire["SyncToken"]})
                return


def _edit_one(writer: Writer, shelf: Shelf, share: float) -> list[Happening]:
    rows = shelf.ordered(SortBy("id"), active_only=False)
    if not rows:
        return []
    wire = rows[int(share * len(rows))].parse()
    times = int(str(wire.get("SyncToken", "0"))) + 1
    body = {**wire, "sparse": True, "PrivateNote": f"Looked through {times} times"}
    body.pop("Line", None)
    return writer.update(shelf.kind, body).happenings


def _operation_of(call: Call, body: WireObject) -> str:
    operation = call.params.get("operation", "").lower()
    if operation == "void" or (operation == "update" and call.params.get("include", "").lower() == "void"):
        return "void"
    if operation == "delete":
        return "delete"
    if operation in {"", "update", "create"}:
        return "update" if body.get("Id") and "SyncToken" in body else "create"
    return operation


def _options(call: Call) -> bytes:
    kept = sorted((key, value) for key, value in call.params.items() if key in {"operation", "include"})
    return repr(kept).encode()


def _read_json(body: bytes) -> Any:
    try:
        return decode_wire(body)
    except UnicodeDecodeError as error:
        raise unsupported_operation("Invalid byte 1 of 1-byte UTF-8 sequence") from error
    except (msgspec.DecodeError, RecursionError, ArithmeticError) as error:
        raise unsupported_property("Unexpected character in the request, which") from error
