"""Debian's Chromium, driven by Playwright: a person at a real browser, who asks no other host for anything."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium")
HOW = "needs Debian's Chromium: apt-get install chromium"
needed = pytest.mark.skipif(CHROMIUM is None, reason=HOW)
DESK, PHONE = (1280, 900), (390, 844)
expect.set_options(timeout=15_000)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser, until the end of the block."""
    async with async_playwright() as playwright:
        # The pages are ours and on loopback: without its own sandbox it runs for root, as tests do in a container.
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def sitting_at(
    browser: Browser,
    host: str,
    language: str,
    *,
    scripts: bool = True,
    size: tuple[int, int] = DESK,
    theme: Literal["light", "dark"] = "light",
) -> AsyncIterator[Page]:
    """A new person's page. At the end nothing was asked of another host, and no page broke its own rules."""
    context = await browser.new_context(
        base_url=host,
        locale={"en": "en-GB", "ja": "ja-JP"}[language],
        java_script_enabled=scripts,
        viewport={"width": size[0], "height": size[1]},
        color_scheme=theme,
    )
    page = await context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
    finally:
        await context.close()
    assert not [url for url in asked if not url.startswith(host)]
    assert not [text for text in said if re.search("Content.Security|Error", text) and "status of 4" not in text], said


async def signs_in(page: Page, name: str, language: str) -> None:
    """Chooses who they are on the first page, and in which language they read."""
    await page.goto("/")
    await page.get_by_role("button", name=name).click()
    if await page.locator("html").get_attribute("lang") != language:
        await page.get_by_role("button", name={"en": "English", "ja": "日本語"}[language]).click()
    await expect(page.locator("html")).to_have_attribute("lang", language)


async def faults(page: Page) -> list[dict[str, Any]]:
    """What axe finds on the page that keeps somebody out, or makes it hard for them."""
    from axe_playwright_python.async_playwright import Axe

    found = (await Axe().run(page)).response["violations"]
    return [
        {
            "rule": one["id"],
            "where": [node["target"] for node in one["nodes"]],
            "why": one["nodes"][0]["failureSummary"],
        }
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
