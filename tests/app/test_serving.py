"""Serving behind a server of the firm's: whose address counts, and who may say so."""

import asyncio
import contextlib

import httpx
import pytest
from fastapi import FastAPI, Request
from runway_app_http.serving import address_of, bind_address, serve_app
from runway_app_http.settings import AppSettings

DEFAULT = AppSettings().trusted_proxies


def echo_app() -> FastAPI:
    """An app that says who it thinks is asking."""
    app = FastAPI()

    @app.get("/")
    async def tell(request: Request) -> list[str]:
        return [request.client.host if request.client else "", request.url.scheme]

    return app


@pytest.mark.parametrize(
    ("trusted", "told", "expected"),
    [
        pytest.param(DEFAULT, "198.51.100.9", ["198.51.100.9", "https"], id="a proxy on this machine"),
        pytest.param(DEFAULT, "10.0.0.1, 198.51.100.9", ["198.51.100.9", "https"], id="what a caller wrote before it"),
        pytest.param(
            (*DEFAULT, "10.0.0.0/24"), "198.51.100.9, 10.0.0.3", ["198.51.100.9", "https"], id="two proxies in a row"
        ),
        pytest.param(("10.0.0.0/24",), "198.51.100.9", ["127.0.0.1", "http"], id="anybody else"),
    ],
)
async def test_whoever_stands_in_front_says_who_asks_if_trusted(
    trusted: tuple[str, ...], told: str, expected: list[str]
) -> None:
    listener = bind_address("127.0.0.1", 0)
    serving = asyncio.create_task(serve_app(echo_app(), listener, trusted_proxies=trusted))
    try:
        async with httpx.AsyncClient(base_url=address_of(listener)) as client:
            headers = {"X-Forwarded-For": told, "X-Forwarded-Proto": "https"}
            heard = (await client.get("/", headers=headers)).json()
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        listener.close()

    assert heard == expected
