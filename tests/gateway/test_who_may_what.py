"""The one table of who may what, held against the doors: every role asks everything, and reads every page of one customer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from activities.journey.trying import TRIED
from activities.kernel.clock import present
from domain.frame.access import MAY_ASK, MAY_DO, MAY_SEE, AccessRole, FieldGroup, WriteAct
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import BEGINNINGS, CASE, JOURNEY, OF_CASES, OF_JOURNEYS
from gateway.api.app import create_app
from gateway.api.written import (
    PREVIEW_CLAIM,
    PREVIEW_QUOTE,
    PUBLISH_PRICES,
    PUT_AGENT,
    PUT_ENTITLEMENT,
    PUT_TEAM,
    RECORD_USAGE,
    preview_written,
)
from gateway.cases import CaseClient
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from tests.conftest import Servers
from tests.gateway.api.callers import token_of
from tests.gateway.api.test_reading import placed
from tests.gateway.console.browser import Browser, as_person, in_front_of, person

PEOPLE = sorted(set(AccessRole) - {AccessRole.PROGRAM})
NOBODY = "nobody-here"
SOLD = "select order_id, contract_id from contract where account_id = $1 order by contract_id limit 1"
BEGIN = {"place_order": "/orders", "import_order": "/imports/orders", "open_case": "/cases"}
WRITES = {
    WriteAct.RECORD_USAGE: ("POST", RECORD_USAGE.path, {"rows": []}),
    WriteAct.PUBLISH_PRICES: ("POST", PUBLISH_PRICES.path, {"book": "\x00"}),
    WriteAct.PUT_TEAM: ("PUT", PUT_TEAM.path, {"team": "x"}),
    WriteAct.PUT_AGENT: ("PUT", PUT_AGENT.path, {"staff": {"staff_id": "x"}}),
    WriteAct.PUT_ENTITLEMENT: ("PUT", PUT_ENTITLEMENT.path, {"entitlement_id": "x"}),
}


@cache
def application(doors: Doors) -> FastAPI:
    """The API and the pages, made once."""
    return create_app(doors, console(Place(doors)))


@pytest.fixture
def app(servers: Servers) -> FastAPI:
    """What every role calls."""
    return application(Doors(servers.temporal, servers.pool, servers.settings.task_queue))


@asynccontextmanager
async def calling(app: FastAPI, token: str) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.test/v1", headers=headers) as http:
        yield http


def asked(of: Mapping[str, Sequence[RequestKind[Any]]]) -> Iterator[RequestKind[Any]]:
    return (kind for kinds in of.values() for kind in kinds)


def is_refused(answer: httpx2.Response) -> bool:
    """True for whoever may not; false for whoever got past that, whatever is wrong with what they sent."""
    assert answer.status_code in (403, 404, 409, 422), answer.text
    assert (answer.status_code == 403) == (answer.json()["code"] == "NotAllowed"), answer.text
    return answer.status_code == 403


@pytest.mark.parametrize("role", sorted(AccessRole))
async def test_a_key_asks_what_its_role_may_and_nothing_else(servers: Servers, app: FastAPI, role: AccessRole) -> None:
    wrong = []
    async with calling(app, await token_of(servers, role)) as http:
        for place, kinds in (("accounts", OF_JOURNEYS), ("cases", OF_CASES)):
            for kind in asked(kinds):
                path = BEGIN.get(kind.update, f"/{place}/{NOBODY}/requests/{kind.update}")
                answer = await http.post(path, json={})
                if kind.internal:
                    assert answer.status_code in (404, 405), "nobody is offered it"
                elif is_refused(answer) == bool(MAY_ASK[role] & kind.asked_by):
                    wrong.append(kind.update)
        for act, (method, path, body) in WRITES.items():
            answer = await http.request(method, re.sub(r"\{\w+\}", "x", path), json=body)
            if is_refused(answer) == (role in MAY_DO[act]):
                wrong.append(act)
        tried = [(preview_written(JOURNEY[update]), JOURNEY[update]) for update in sorted(TRIED)]
        for written, kind in (
            *tried,
            (PREVIEW_QUOTE, JOURNEY["request_quote"]),
            (PREVIEW_CLAIM, CASE["claim_price_match"]),
        ):
            answer = await http.post(written.path.format(account_id=NOBODY), json={})
            if is_refused(answer) == bool(MAY_ASK[role] & kind.asked_by):
                wrong.append(written.path)
    assert not wrong


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_person_asks_by_forms_what_their_role_may_and_nothing_else(
    servers: Servers, app: FastAPI, role: AccessRole
) -> None:
    browser = await as_person(servers, in_front_of(app), await person(servers, role))
    page = await browser.open("/customers")
    token = next(form.fields["token"] for form in page.forms if form.method == "post")
    wrong = []
    for place, kinds in (("customers", OF_JOURNEYS), ("cases", OF_CASES)):
        for kind in asked(kinds):
            path = f"/{place}/{NOBODY}/acts/{kind.update}"
            shown = await browser.http.get(path)
            sent = await browser.http.post(path, data={"token": token})
            looked = await browser.http.post(path, data={"token": token, "do": "preview"})
            may = bool(MAY_ASK[role] & kind.asked_by) and not kind.internal
            # What is theirs to ask is asked of nobody here; what begins something is no form of a customer's.
            expected = 404 if may or kind.update in BEGINNINGS else 403
            found = (shown.status_code, sent.status_code, looked.status_code)
            if set(found) != {expected}:
                wrong.append((kind.update, *found))
    assert not wrong


@dataclass(frozen=True)
class Marks:
    """What stands in the pages of one customer for each group, and nowhere else."""

    account: str
    case: str
    of: dict[FieldGroup, re.Pattern[str]]


async def marked(servers: Servers) -> Marks:
    """A customer of whom each group has something that is found again."""
    document = await placed(servers, seat_price="1237")
    account = document["account"]["account_id"]
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    case = f"C-{account}"
    await cases.open_case({"case_id": case, "account_id": account, "subject": "Till is down", "body": "since nine"})
    await cases.ask(case, "note", {"body": "wordofours", "shared": True, "by": "s-7"})
    await cases.ask(case, "note", {"body": "wordofservice", "shared": False, "by": "s-7"})
    said = {"band": "critical", "reason": "wordofhealth", "days": 14, "by": "S-2", "request_id": "health-1"}
    await servers.client.ask(account, "override_health", said)
    more = {"assets": [{"asset_id": f"{document['order_id']}.1", "add": 2}], "by": "S-1", "request_id": "amend-1"}
    await servers.client.ask(account, "amend_assets", more)
    await servers.client.score_health(account)
    return Marks(
        account,
        case,
        {
            # 40 seats at 1237, alone, with support, by the year; two more by the month; and the price itself
            FieldGroup.PRICES: re.compile(r"\b(1,?237|49,?480|54,?480|593,?760|653,?760|2,?474)\b"),
            FieldGroup.NOTES: re.compile("wordofours"),
            FieldGroup.INTERNAL: re.compile("wordofservice"),
            FieldGroup.HEALTH: re.compile('wordofhealth|"band"'),
        },
    )


async def test_no_page_shows_a_role_what_is_not_for_it(servers: Servers, app: FastAPI) -> None:
    marks = await marked(servers)
    asset = await servers.pool.fetchval("select min(asset_id) from asset where account_id = $1", marks.account)
    task = await servers.pool.fetchval("select min(task_id) from staff_task where account_id = $1", marks.account)
    bill = await servers.pool.fetchval("select min(invoice_id) from invoice where account_id = $1", marks.account)
    sold = dict(await servers.pool.fetchrow(SOLD, marks.account) or {})
    ids = {"account_id": marks.account, "case_id": marks.case, "asset_id": asset, "task_id": task or NOBODY}
    ids |= {"document_id": bill or NOBODY, "quote_id": NOBODY, **sold}
    paths = [path for path, found in app.openapi()["paths"].items() if "get" in found]
    asked = ("amend-1", "health-1")
    paths = [made for path in paths for made in dict.fromkeys(path.replace("{request_id}", one) for one in asked)]
    assert len(paths) > 20
    for role in sorted(AccessRole):
        async with calling(app, await token_of(servers, role)) as http:
            read = {}
            for path in paths:
                answer = await http.get(
                    re.sub(r"\{(\w+)\}", lambda name: str(ids.get(name[1], NOBODY)), path.removeprefix("/v1")),
                    params={"q": marks.account} if path == "/v1/accounts" else {},
                )
                assert answer.status_code in (200, 403, 404, 422), answer.text
                read[path] = answer.text
        judge(role, marks, read)
    for role in PEOPLE:
        browser = await as_person(servers, in_front_of(app), await person(servers, role))
        judge(role, marks, await crawled(browser, marks) | await tried_out(browser, marks, asset))


async def crawled(browser: Browser, marks: Marks) -> dict[str, str]:
    """Every page that can be gone to from the customer and the case."""
    read: dict[str, str] = {}
    ahead = [
        "/?all=1",
        f"/customers?q={marks.account}",
        f"/customers/{marks.account}",
        f"/cases/{marks.case}",
        "/cases",
    ]
    while ahead:
        path = ahead.pop()
        page = await browser.open(path)
        assert browser.answer.status_code in (200, 403), path
        read[path] = f"{page.text} {[has for _, has in page.tags]}"
        here = [link for link in page.links if link.startswith("/") and not link.startswith("//")]
        ahead += [
            link
            for link in dict.fromkeys(here)
            if link.partition("?")[0] not in {one.partition("?")[0] for one in (*read, *ahead)}
            and "/acts/" not in link
            and not re.match(rf"/(customers|cases)/(?!{marks.account}|{marks.case})", link)
        ]
    return read


async def tried_out(browser: Browser, marks: Marks, asset: str) -> dict[str, str]:
    """The form of each act that can be looked at first, and what it would come to; of whoever may ask it."""
    read: dict[str, str] = {}
    rows = {"assets[0].asset_id": asset, "assets[0].add": "2", "lines[0].asset_id": asset, "lines[0].quantity": "2"}
    rows |= {"lines[0].start": f"{present().year + 1}-03-01"}
    for update in sorted(TRIED):
        path = f"/customers/{marks.account}/acts/{update}"
        page = await browser.open(path)
        read[path] = f"{page.text} {[has for _, has in page.tags]}"
        if form := next((one for one in page.forms if one.action == path), None):
            asked = {name: value for name, value in rows.items() if name in form.fields}
            page = await browser.send(path, "preview", **asked)
            read[f"{path} looked at"] = f"{page.text} {[has for _, has in page.tags]}"
    return read


def judge(role: AccessRole, marks: Marks, read: dict[str, str]) -> None:
    """Whoever may see a group finds it somewhere; nobody else finds it anywhere."""
    for group, mark in marks.of.items():
        where = {
            path: text[max(found.start() - 60, 0) : found.end() + 40]
            for path, text in read.items()
            if (found := mark.search(text))
        }
        assert bool(where) == (role in MAY_SEE[group]), (role, group, where)
