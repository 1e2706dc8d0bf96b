"""Style, script and sign of the pages: few and small, so kept in memory and named by their content."""

import hashlib
from pathlib import Path

from fastapi import APIRouter
from runway_core.errors import NotFound
from starlette.requests import Request
from starlette.responses import Response

router = APIRouter()

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FILES = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "static").iterdir())}
_VERSIONS = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in _FILES.items()}


def static_address(name: str) -> str:
    """Where a page loads a file from; the address changes with the content."""
    return f"/static/{name}?v={_VERSIONS[name]}"


@router.get("/static/{name}")
async def read_static(name: str, request: Request) -> Response:
    """One file of the pages."""
    content = _FILES.get(name)
    if content is None:
        raise NotFound(f"no file {name[:40]!r}")
    is_current = request.query_params.get("v") == _VERSIONS[name]
    caching = "public, max-age=31536000, immutable" if is_current else "public, max-age=300"
    return Response(content, media_type=_TYPES[Path(name).suffix], headers={"Cache-Control": caching})
