"""Reads a multipart upload of files with their metadata (facts/qbo.md 2 and 8.9); file contents are not kept."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from runway_sandbox.books import decode_wire
from runway_sandbox.faults import required, unsupported_property

_NAME = re.compile(rb'name="(?P<part>file_(?:metadata|content)_(?P<number>\d+))"')
_FILE_NAME = re.compile(rb'filename="(?P<name>[^"]*)"')
_BOUNDARY = re.compile(r'boundary="?(?P<boundary>[^";]+)"?')


def read_upload(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """List the attachables that an upload makes, in the order of their numbers.

    Raises:
        ServiceFaultError: 2020 when there is no boundary or no part, 2010 when metadata is not JSON.
    """
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise required("boundary")
    metadata: dict[int, dict[str, Any]] = {}
    for part in body.split(b"--" + match["boundary"].encode()):
        head, _, content = part.strip(b"\r\n").replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
        name = _NAME.search(head)
        if name is None:
            continue
        entry = metadata.setdefault(int(name["number"]), {})
        if name["part"].startswith(b"file_metadata"):
            entry.update(_read_metadata(content))
        else:
            _describe_content(entry, head, content)
    if not metadata:
        raise required("file_content_01")
    return [_with_addresses(entry) for _, entry in sorted(metadata.items())]


def _read_metadata(content: bytes) -> dict[str, Any]:
    try:
        read = decode_wire(content.strip())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unsupported_property("file_metadata") from error
    if not isinstance(read, dict):
        raise unsupported_property("file_metadata")
    return read


def _describe_content(entry: dict[str, Any], head: bytes, content: bytes) -> None:
    if b"base64" in head.lower():
        try:
            content = base64.b64decode(content, validate=False)
        except binascii.Error as error:
            raise unsupported_property("file_content") from error
    entry["Size"] = len(content)
    file_name = _FILE_NAME.search(head)
    if file_name is not None:
        entry.setdefault("FileName", file_name["name"].decode(errors="replace"))


def _with_addresses(entry: dict[str, Any]) -> dict[str, Any]:
    name = str(entry.get("FileName", "attachment"))
    return {
        **entry,
        "FileName": name,
        "FileAccessUri": f"/v3/company/download/{name}",
        "TempDownloadUri": f"https://sandbox.invalid/attachments/{name}",
    }
