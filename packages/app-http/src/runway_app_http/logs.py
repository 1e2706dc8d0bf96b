"""Where log lines go: standard error, as text or JSON. Secrets never do, whatever a caller passes."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from pydantic import SecretStr

from runway_app_http.tracing import SpanWriter

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["console", "json"]

_SECRET_NAMES = ("secret", "token", "password", "authorization", "api_key", "private_key")
_HIDDEN = "[hidden]"
_LOUD = ("httpx", "httpcore", "alembic", "aiosqlite", "asyncio", "uvicorn")
"""Libraries whose notes below a warning nobody asked for; some of them write out whole requests."""


def configure_logs(*, level: LogLevel, form: LogFormat, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to `stream`, one event a line."""
    out = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
        SpanWriter(),
    ]
    if form == "json":
        # Tracebacks are written without the values of variables: one of them may be a secret.
        last: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            )
        ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the values whose name says that they are secret, and every `SecretStr`."""
    for name, value in event.items():
        event[name] = _hidden(name, value)
    return event


def _hidden(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr) or any(word in name.lower() for word in _SECRET_NAMES):
        return _HIDDEN
    if isinstance(value, dict):
        return {key: _hidden(str(key), part) for key, part in value.items()}
    return value
