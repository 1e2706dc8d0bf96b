"""QuickBooks' refusals: found in whatever form they come, and turned into the error family.

By the provider's code first, by the HTTP status second: throttling has come as 403, refusals and maintenance pages as
200, and the same code means different things under 403 and 500. Sources: Intuit's error code list, and captures of 2016
to 2026 (JSON of the service, JSON of the gateway, XML, HTML, nothing at all).
"""

import re
from dataclasses import dataclass
from html import unescape

import msgspec
from runway_core.errors import (
    OutcomeUnknown,
    RailAccessLost,
    RailError,
    RailMisconfigured,
    RailRefused,
    RailThrottled,
    RailUnavailable,
    RecordGone,
    StaleRevision,
)
from runway_rail_kit import UNREADABLE, Answer

from runway_rail_qbo import wire

RAIL = "qbo"
TITLE = "QuickBooks"
THROTTLE_PAUSE_SECONDS = 60  # what Intuit asks for after a 429; it sends no Retry-After

NOT_FOUND = 610
STALE = 5010
NOT_SIGNED_IN = 3200
APP_NOT_ALLOWED = 3100
THROTTLED = 3001
_ACCESS_LOST = {
    120: "the person who connected this company has no access to it any more; an admin must connect it again",
    140: "the company's account is locked; once it is open again, connect the company again",
    3201: "the person who connected this company lacks the rights; an admin must connect it again",
    3202: "the person who connected this company lacks the rights; an admin must connect it again",
    6190: "the company's QuickBooks subscription has ended or is suspended; once it is renewed, connect it again",
    10200: "the company's books were reset; connect the company again",
}
_UNAVAILABLE = frozenset({130, 150, 10000})
_REQUEST_IN_USE = 600


@dataclass(frozen=True, slots=True)
class FoundFault:
    """A refusal as it stands in an answer. `code` is 0 when none was given."""

    code: int
    message: str
    detail: str
    element: str = ""

    @property
    def said(self) -> str:
        """What QuickBooks said, in one line and short."""
        text = self.detail or self.message
        return " ".join(unescape(text).split())[:300]


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """An answer and what its body turned out to be: an envelope, a fault, or neither."""

    answer: Answer
    envelope: wire.Envelope | None
    fault: FoundFault | None

    @property
    def request_id(self) -> str | None:
        """Intuit's id of the request, which its support asks for."""
        return self.answer.headers.get("intuit_tid")


_envelope_decoder = msgspec.json.Decoder(wire.Envelope)
_CODE_IN_TEXT = re.compile(r"errorCode=0*(\d+)")
_STATUS_IN_TEXT = re.compile(r"statusCode=(\d+)")
_XML_ERROR = re.compile(r"<Error\b(?P<attributes>[^>]*)>(?P<inside>.*?)</Error>", re.DOTALL)
_XML_CODE = re.compile(r"""\bcode\s*=\s*["'](\d+)["']""")
_XML_ELEMENT = re.compile(r"""\belement\s*=\s*["']([^"']*)["']""")


def read_answer(answer: Answer) -> ReadAnswer:
    """Look what an answer is: by its first sign, not by what its content type says."""
    start = answer.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        try:
            envelope = _envelope_decoder.decode(answer.body)
        except UNREADABLE:
            return ReadAnswer(answer, None, None)
        return ReadAnswer(answer, envelope, _fault_in_json(envelope))
    if start.startswith(b"<"):
        return ReadAnswer(answer, None, _fault_in_xml(answer.body))
    return ReadAnswer(answer, None, None)


def _fault_in_json(envelope: wire.Envelope) -> FoundFault | None:
    if envelope.Fault is not None:
        service = (envelope.Fault.errors or [wire.FaultError()])[0]
        return _found(service.code, service.message, service.detail, service.element)
    if envelope.fault is not None:
        gateway = (envelope.fault.error or [wire.GatewayError()])[0]
        return _found(gateway.code, gateway.message, gateway.detail, gateway.element)
    return None


def _fault_in_xml(body: bytes) -> FoundFault | None:
    """Read a fault with a pattern: no XML parser meets what an outage page may hold."""
    error = _XML_ERROR.search(body[:100_000].decode("utf-8", "replace"))
    if error is None:
        return None
    code = _XML_CODE.search(error["attributes"])
    element = _XML_ELEMENT.search(error["attributes"])
    return _found(
        code[1] if code else None,
        _inside_tag(error["inside"], "Message"),
        _inside_tag(error["inside"], "Detail"),
        element[1] if element else None,
    )


def _inside_tag(text: str, tag: str) -> str:
    match = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return match[1] if match else ""


def _found(code: str | int | None, message: str | None, detail: str | None, element: str | None) -> FoundFault:
    stated = str(code or "").strip()
    if not stated.isdecimal():
        in_text = _CODE_IN_TEXT.search(message or "")
        stated = in_text[1] if in_text else "0"
    return FoundFault(code=int(stated[:9]), message=message or "", detail=detail or "", element=element or "")


def is_sign_in_refused(read: ReadAnswer) -> bool:
    """Whether a fresh access token may help: decided before the request was worked on, so a repeat is safe."""
    code = read.fault.code if read.fault is not None else 0
    if code:
        return code == NOT_SIGNED_IN
    return read.answer.status == 401


def to_error(read: ReadAnswer, *, doing: str, is_write: bool) -> RailError:
    """The error of an answer that is no success; `doing` says what was asked, in words."""
    fault = read.fault or FoundFault(0, "", "")
    status = read.answer.status
    text = f"{fault.message} {fault.detail}"
    in_text = _STATUS_IN_TEXT.search(text)
    if in_text is not None and status == 200:
        status = int(in_text[1])
    says = f": {fault.said}" if fault.said else ""
    common = {"provider_code": str(fault.code) if fault.code else None, "request_id": read.request_id}

    if fault.code == THROTTLED or (status == 429 and fault.code not in _ACCESS_LOST):
        pause = read.answer.retry_after_seconds
        return RailThrottled(
            f"{TITLE} takes no more calls for this company for now ({doing}); try again in a minute",
            rail=RAIL,
            retry_after_seconds=THROTTLE_PAUSE_SECONDS if pause is None else pause,
            **common,
        )
    if _is_outage(fault, status):
        return _unavailable(read, doing=doing, is_write=is_write)
    if fault.code in _ACCESS_LOST:
        return RailAccessLost(f"{TITLE}: {_ACCESS_LOST[fault.code]}", rail=RAIL, **common)
    if fault.code == NOT_SIGNED_IN or (not fault.code and status == 401):
        return RailAccessLost(
            f"{TITLE} refuses a token that was just refreshed: a person must connect the company again",
            rail=RAIL,
            **common,
        )
    if fault.code == APP_NOT_ALLOWED or (not fault.code and status in {403, 404, 405}):
        return RailMisconfigured(
            f"{TITLE} does not let this app open this company ({doing}, status {status}): check that keys, environment "
            "(production or sandbox), base_url and realm_id belong together",
            rail=RAIL,
            **common,
        )
    if fault.code == NOT_FOUND:
        return RecordGone(f"{TITLE} has no such record, or it is inactive ({doing})", rail=RAIL, **common)
    if fault.code == STALE:
        return StaleRevision(
            f"someone changed the record in {TITLE} since it was read ({doing}): read it again and plan again",
            rail=RAIL,
            **common,
        )
    if fault.code == _REQUEST_IN_USE and is_write:
        return OutcomeUnknown(
            f"{TITLE} has seen this write already ({doing}): read the record back", rail=RAIL, **common
        )
    if 0 < fault.code < 500:
        return RailAccessLost(f"{TITLE} denies access to this company{says}; connect it again", rail=RAIL, **common)
    return RailRefused(f"{TITLE} refused ({doing}){says or f' with status {status}'}", rail=RAIL, **common)


def _is_outage(fault: FoundFault, status: int) -> bool:
    if fault.code in _UNAVAILABLE or (not fault.code and status >= 500):
        return True
    if fault.code == APP_NOT_ALLOWED:
        return status >= 500
    if fault.code:
        return status >= 500 or (fault.code > 10_000 and fault.code not in _ACCESS_LOST and fault.code != 10_100)
    return status < 400  # a page, a cut-off body or nothing where records should be


def _unavailable(read: ReadAnswer, *, doing: str, is_write: bool) -> RailError:
    fault = read.fault
    common = {
        "provider_code": str(fault.code) if fault is not None and fault.code else None,
        "request_id": read.request_id,
    }
    kind = read.answer.content_type or "nothing"
    what = f"status {read.answer.status}, {fault.said if fault is not None and fault.said else kind}"
    if is_write:
        return OutcomeUnknown(
            f"{TITLE} failed while it was writing ({doing}; {what}): read the record back before repeating",
            rail=RAIL,
            **common,
        )
    return RailUnavailable(
        f"{TITLE} is not working right now ({doing}; {what}); try again later",
        rail=RAIL,
        retry_after_seconds=read.answer.retry_after_seconds,
        **common,
    )
