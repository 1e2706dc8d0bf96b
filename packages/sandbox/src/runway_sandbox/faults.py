"""The vendor's refusals, word for word as recorded (facts/qbo.md section 7), in their JSON, XML and gateway forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

import msgspec

from runway_sandbox.wiretime import format_answer_time

JSON_TYPE = "application/json;charset=UTF-8"
XML_TYPE = "application/xml;charset=UTF-8"
HTML_TYPE = "text/html; charset=us-ascii"

SERVICE_UNAVAILABLE_HTML = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE>\r\n"
    b'<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
    b"<BODY><h2>Service Unavailable</h2>\r\n"
    b"<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n</BODY></HTML>\r\n"
)
MAINTENANCE_HTML = b"<html><head><title>QuickBooks</title></head><body><h1>We'll be back soon</h1></body></html>"


@dataclass(frozen=True)
class ServiceFaultError(Exception):
    """A refusal by the accounting service: capitalised keys, and the code as text."""

    code: str
    message: str
    detail: str
    element: str | None = ""
    status: int = 400
    kind: str = "ValidationFault"

    def as_wire(self) -> dict[str, object]:
        """Build the `Fault` member that stands in an answer or in a batch item."""
        error: dict[str, object] = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element is not None:
            error["element"] = self.element
        return {"Error": [error], "type": self.kind}

    def json_body(self, at: datetime) -> bytes:
        """Write the whole answer as JSON."""
        return msgspec.json.encode({"Fault": self.as_wire(), "time": format_answer_time(at)})

    def xml_body(self, at: datetime) -> bytes:
        """Write the whole answer as XML, which comes when JSON was not asked for."""
        element = f" element={quoteattr(self.element)}" if self.element else ""
        return _xml_fault(
            at, kind=self.kind, error=f'code="{self.code}"{element}', message=self.message, detail=self.detail
        )


@dataclass(frozen=True)
class GatewayFaultError(Exception):
    """A refusal by the gateway: lower-case keys, `time` in epoch milliseconds, most members null."""

    status: int
    code: str
    message: str
    detail: str | None
    kind: str
    headers: dict[str, str] = field(default_factory=dict)

    def json_body(self, at: datetime) -> bytes:
        """Write the whole answer as the gateway does."""
        error = {"message": self.message, "detail": self.detail, "code": self.code, "element": None}
        return msgspec.json.encode(
            {
                "warnings": None,
                "intuitObject": None,
                "fault": {"error": [error], "type": self.kind},
                "report": None,
                "queryResponse": None,
                "batchItemResponse": [],
                "attachableResponse": [],
                "syncErrorResponse": None,
                "requestId": None,
                "time": int(at.timestamp() * 1000),
                "status": None,
                "cdcresponse": [],
            }
        )


def _xml_fault(at: datetime, *, kind: str, error: str, message: str, detail: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<IntuitResponse time="{format_answer_time(at)}" xmlns="http://schema.intuit.com/finance/v3">\n'
        f'  <Fault type="{kind}">\n    <Error {error}>\n'
        f"      <Message>{escape(message)}</Message>\n      <Detail>{escape(detail)}</Detail>\n"
        "    </Error>\n  </Fault>\n</IntuitResponse>\n"
    ).encode()


def throttle_body(at: datetime) -> bytes:
    """Write the 429 body: XML even when JSON was asked for (facts/qbo.md 7.2)."""
    return _xml_fault(
        at,
        kind="SERVICE",
        error='code="3001"',
        message="message=ThrottleExceeded; errorCode=003001; statusCode=429",
        detail="The request limit was reached.  Try again later",
    )


def not_signed_in(detail: str) -> GatewayFaultError:
    """Refuse a token that is missing, malformed, expired or revoked."""
    return GatewayFaultError(
        status=401,
        code="3200",
        message="message=AuthenticationFailed; errorCode=003200; statusCode=401",
        detail=detail,
        kind="AUTHENTICATION",
        headers={"www-authenticate": 'Bearer realm="Intuit", error="invalid_token"'},
    )


def wrong_company() -> GatewayFaultError:
    """Refuse a good token that opens another company, or another environment, than the path names."""
    return GatewayFaultError(
        status=403,
        code="3100",
        message="message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        detail=None,
        kind="SERVICE",
    )


def query_grammar(detail: str) -> ServiceFaultError:
    """Refuse a query that does not parse."""
    return ServiceFaultError("4000", "Error parsing query", f"QueryParserError: {detail}", element=None)


def query_content(detail: str) -> ServiceFaultError:
    """Refuse a query that parses but asks for what cannot be asked."""
    return ServiceFaultError("4001", "Invalid query", f"QueryValidationError: {detail}", element=None)


def required(parameter: str) -> ServiceFaultError:
    """Refuse a body without something that must be there."""
    return ServiceFaultError(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {parameter} is missing in the request",
        element=parameter,
    )


def unsupported_property(detail: str) -> ServiceFaultError:
    """Refuse a body with a member, or a value, that cannot be there."""
    return ServiceFaultError(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{detail} specified is unsupported or invalid",
    )


def not_found() -> ServiceFaultError:
    """Refuse an id that is deleted, unknown or inactive: 400, never 404."""
    return ServiceFaultError(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees.",
    )


def stale() -> ServiceFaultError:
    """Refuse a write with an old SyncToken."""
    return ServiceFaultError(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and root were working on this at the same time. "
        "root finished before you did, so your work was not saved.",
    )


def duplicate_name(who: str = "customer, vendor or employee") -> ServiceFaultError:
    """Refuse a name that is taken; the raw line break is the vendor's."""
    return ServiceFaultError(
        "6240",
        "Duplicate Name Exists Error",
        f"The name supplied already exists. : Another {who} is already using this \nname. Please use a different name.",
    )


def invalid_reference(what: str, identifier: str) -> ServiceFaultError:
    """Refuse a reference to nothing."""
    return ServiceFaultError(
        "2500",
        "Invalid Reference Id",
        f"Invalid Reference Id : {what} element id {identifier} not found",
    )


def business_rule(detail: str) -> ServiceFaultError:
    """Refuse what the rules of bookkeeping forbid."""
    return ServiceFaultError(
        "6000",
        "A business validation error has occurred while processing your request",
        f"Business Validation Error: {detail}",
    )


def unsupported_operation(detail: str) -> ServiceFaultError:
    """Refuse a path or operation that does not exist."""
    return ServiceFaultError("500", "Unsupported Operation", f"Operation {detail} is not supported.")


def system_failure(detail: str = "java.lang.NullPointerException") -> ServiceFaultError:
    """Fail as the server does when it does not know why."""
    return ServiceFaultError(
        "10000",
        "An application error has occurred while processing your request",
        f"System Failure Error: {detail}",
        status=500,
        kind="SystemFault",
    )
