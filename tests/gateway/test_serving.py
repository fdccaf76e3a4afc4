"""The gateway's server: whose word it takes on who called."""

from __future__ import annotations

import httpx2
import pytest
from fastapi import FastAPI, Request

from gateway.serving import served

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize(
    ("trusted", "told"), [("127.0.0.0/8", "https 203.0.113.9"), ("10.0.0.1, 172.16.0.0/12", "http 127.0.0.1")]
)
async def test_only_the_proxies_that_are_named_say_who_called(trusted: str, told: str) -> None:
    app = FastAPI()

    @app.get("/")
    async def caller(request: Request) -> str:
        assert request.client
        return f"{request.url.scheme} {request.client.host}"

    async with served(app, "127.0.0.1", 0, trusted) as port, httpx2.AsyncClient() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/", headers=FORWARDED)).json() == told
