"""A customer at their browser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from gateway.customer.pages import customer_app
from gateway.serving import served
from tests.gateway.mail.post import Post
from workers.wiring import attended


@pytest.fixture
async def web(post: Post) -> AsyncIterator[httpx2.AsyncClient]:
    """A customer's browser, and somebody who looks at the inbox."""
    async with (
        served(customer_app(post.inbox), "127.0.0.1", 0) as port,
        attended(post.inbox),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=30) as http,
    ):
        yield http
