"""Log lines: one event a line, and never a secret."""

import io
import json
import logging

import pytest
import structlog
from pydantic import SecretStr
from runway_app_http.logs import LogFormat, configure_logs


@pytest.mark.parametrize("form", ["console", "json"])
def test_secrets_are_never_logged(form: LogFormat) -> None:
    stream = io.StringIO()
    configure_logs(level="debug", form=form, stream=stream)

    structlog.get_logger("test").info(
        "connected", refresh_token="hunter2", kept=SecretStr("hunter3"), request={"Authorization": "Basic hunter4"}
    )
    password = "hunter5"
    try:
        int(f"{len(password)} signs")
    except ValueError:
        structlog.get_logger("test").exception("failed")

    assert "connected" in stream.getvalue()
    assert "7 signs" in stream.getvalue()
    assert "hunter" not in stream.getvalue()


def test_json_lines_are_one_document_each_for_both_kinds_of_logger() -> None:
    stream = io.StringIO()
    configure_logs(level="info", form="json", stream=stream)

    structlog.get_logger("test").info("ledger_mirrored", changed=3)
    logging.getLogger("library").warning("watch %s", "out")
    structlog.get_logger("test").debug("unseen")
    logging.getLogger("httpx").info("GET https://example.com/?token=hunter2")

    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["ledger_mirrored", "watch out"]
    assert events[0]["changed"] == 3
    assert all(event["timestamp"].endswith("Z") for event in events)
