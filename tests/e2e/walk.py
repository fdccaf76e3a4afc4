"""What a visitor of the demo does at its end: through its own doors, as the rep, as the agent and as the customer."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx2

from activities.frame import access_rows
from activities.frame.access_rows import ApiKey
from activities.kernel.clock import present
from activities.kernel.pool import Pool, open_pool
from domain.frame.access import ANYTHING
from gateway.here import Running, running_file
from gateway.tokens import Token
from tests.e2e.lives import until
from tests.gateway.console.browser import Browser
from tests.gateway.customer.forms import forms_in

_PROGRAM = Path(sys.executable).with_name("perennial")
_TAKES = 420
ACCOUNT, CASE, BOUGHT, CONTRACT = "capricorn-coffee", "C-1102", "SO-2027-0291", "CC-ONSITE"


@dataclass(frozen=True)
class Shown:
    """A demo that has lived its story and stays up: its summary, the link that it ends with, where it listens."""

    folder: Path
    summary: dict[str, Any]
    way_in: str
    running: Running
    pool: Pool


@asynccontextmanager
async def staying_demo(folder: Path) -> AsyncIterator[Shown]:
    """`perennial demo --json`, until the end of the block."""
    out, err = folder / "out.txt", folder / "err.txt"
    with out.open("wb") as to, err.open("wb") as errors:
        environment = {**os.environ, "COLUMNS": "200"}
        process = await asyncio.create_subprocess_exec(
            str(_PROGRAM), "demo", "--json", "--data", "demo", cwd=folder, env=environment, stdout=to, stderr=errors
        )
    try:
        for _ in range(2 * _TAKES):
            if process.returncode is not None or "stays up" in err.read_text():
                break
            await asyncio.sleep(0.5)
        said = err.read_text()
        assert "stays up" in said, said[-3000:]
        running = Running.model_validate_json(running_file(folder / "demo").read_text())
        [way_in] = re.findall(r"http://\S+/sign-in/ticket/\S+", said)
        pool = await open_pool(running.database_url)
        try:
            yield Shown(folder / "demo", json.loads(out.read_text()), way_in, running, pool)
        finally:
            await pool.close()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def as_the_rep(demo: Shown) -> None:
    """Signed in by the link: the customer whole, sales held back, and a quote refused because of it."""
    async with httpx2.AsyncClient(base_url=demo.running.gateway_url, timeout=60) as http:
        browser = Browser(http)
        page = await browser.open(demo.way_in)
        assert browser.answer.url.path == f"/customers/{ACCOUNT}"
        for shown in ("Capricorn Coffee", "Chris Thomas", "sales blocked", CASE, "POS 7 Terminal", "On-site Care"):
            assert shown in page.text, shown
        assert f"{demo.running.ui_url}/namespaces/default/workflows/journey-{ACCOUNT}" in page.links
        quote = {"quote_id": "Q-91", "lines": [_MORE_SEATS]}
        refused = await _asked(demo, "sales", f"/accounts/{ACCOUNT}/requests/request_quote", quote)
        assert (refused.status_code, refused.json()["code"]) == (422, "SalesHeld")


_MORE_SEATS = {"kind": "quantity", "line_id": "1", "asset_id": "SO-2026-0417.1", "delta": 10}


async def as_the_agent(demo: Shown) -> None:
    """Answers the case, gives back what the terminals cost less since this morning, resolves; what burns no more cools down."""
    case = f"/cases/{CASE}/requests"
    for path, body in (
        (f"{case}/respond", {"body": "原因を調査しています。"}),
        (f"{case}/claim_price_match", {"order_id": BOUGHT, "line_id": "1"}),
        (f"{case}/resolve", {"code": "fixed", "text": "設定を修正しました。"}),
    ):
        answer = await _asked(demo, "service", path, body)
        assert answer.status_code == 200, answer.text
    async with await _calling(demo, "finance") as http:
        bills = (await http.get(f"/accounts/{ACCOUNT}/invoices?limit=200")).json()["items"]
    async with await _calling(demo, "sales") as http:
        holds = (await http.get(f"/accounts/{ACCOUNT}/holds")).json()["active"]
    assert any(Decimal(one["total"]) == 3 * 5_000 and "credit" in one["kind"] for one in bills), bills
    assert [hold["reason"] for hold in holds] == ["cooling_down"], "sales waits for some days more"

    async def told() -> bool:
        return any("原因を調査しています。" in _text(mail) for mail in _mails(demo, "aoi.yamamoto"))

    await until(told, "the answer by mail")


async def as_the_customer(demo: Shown) -> None:
    """From the mail, renewed with fewer units."""
    asked = next(mail for mail in _mails(demo, "ren.sato") if CONTRACT in str(mail["subject"]))
    link = re.findall(r"https?://\S+/answer/[\w.-]+", _text(asked))[0]
    async with httpx2.AsyncClient(timeout=60, follow_redirects=True) as http:
        page = await http.get(f"{link}/revise")
        assert page.status_code == 200, page.text
        form = next(one for one in forms_in(page.text) if one.get("pick") == "revise")
        units = next(name for name in form if name.startswith("units:"))
        revised = await http.post(str(page.url), data={**form, units: "10"})
        assert revised.status_code == 200, revised.text
        accept = next(one for one in forms_in(revised.text) if one.get("pick") == "accept")
        done = await http.post(str(revised.url), data=accept)
        assert done.status_code == 200, done.text

    async def renewed() -> bool:
        rows = await demo.pool.fetch(
            "select number, origin from contract_term where contract_id = $1 order by number", CONTRACT
        )
        return [(row["number"], row["origin"]) for row in rows] == [(1, "sold"), (2, "accepted")]

    await until(renewed, "the next term")


def _mails(demo: Shown, to: str) -> list[EmailMessage]:
    """What somebody got, the latest first."""
    found = sorted((demo.folder / "mailbox").glob("*.eml"), reverse=True)
    mails = [message_from_bytes(mail.read_bytes(), policy=default) for mail in found]
    return [mail for mail in mails if to in str(mail["to"])]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


async def _calling(demo: Shown, role: str) -> httpx2.AsyncClient:
    """The API with a key of this role."""
    token = Token.new()
    key = ApiKey(token.key_id, f"walk-{token.key_id}", (role,), (), tuple(ANYTHING), present(), "walk")
    async with demo.pool.acquire() as connection:
        await access_rows.add_key(connection, key, token.secret)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(base_url=f"{demo.running.gateway_url}/v1", headers=headers, timeout=60)


async def _asked(demo: Shown, role: str, path: str, body: dict[str, Any]) -> httpx2.Response:
    async with await _calling(demo, role) as http:
        return await http.post(path, json=body)
