"""The list of cases: whose they are, in whose time, page by page; and a case that somebody opens while the customer calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.cases import CaseClient
from gateway.console import cases, proposals
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import person, signed_in, with_role


async def _customer(servers: Servers, owner: str | None = None) -> str:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    if owner:
        await servers.pool.execute("update account set owner_id = $2 where account_id = $1", account, owner)
    return account


async def _case(servers: Servers, account: str, subject: str, **more: Any) -> str:
    client = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    case_id = f"C-{subject.replace(' ', '-')}-{account}"[:60]
    await client.open_case({"case_id": case_id, "account_id": account, "subject": subject, **more})
    return case_id


async def test_whoever_sees_their_own_customers_alone_finds_their_cases_behind_those_of_others(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "MOST", 2)
    me = await person(servers, AccessRole.SERVICE, own_only=True)
    other, mine = await _customer(servers), await _customer(servers, me)
    for n in range(3):
        await _case(servers, other, f"of others {n}", urgency="high", impact="high")
    for n in range(3):
        await _case(servers, mine, f"of mine {n}")
    browser = await signed_in(servers, me)
    seen, path = [], "/cases"
    while path:
        page = await browser.open(path)
        assert "of others" not in page.text
        found = [n for n in range(3) if f"of mine {n}" in page.text]
        assert len(found) <= 2
        seen += found
        path = next((link for link in page.links if "after=" in link), "")
    assert sorted(seen) == [0, 1, 2]
    await browser.open("/cases?after=nonsense")
    assert browser.answer.status_code == 422


async def test_clocks_are_those_of_the_customer(servers: Servers) -> None:
    account = await _customer(servers)
    case_id = await _case(servers, account, "its clock was moved")
    due = await servers.pool.fetchval("select min(due_at) from case_milestone where case_id = $1", case_id)
    await servers.pool.execute(
        "update case_milestone set due_at = $2 where case_id = $1", case_id, present() + timedelta(days=90)
    )
    await servers.pool.execute(
        "insert into effect (key, account_id, run, as_of, outcome) values ($1, $1, '', $2, '{}')",
        account,
        present() + timedelta(days=89, hours=21),
    )
    page = await (await with_role(servers, AccessRole.SERVICE)).open("/cases?pressing=1")
    assert "its clock was moved" not in page.text
    await servers.pool.execute("update service_case set priority = 'urgent' where case_id = $1", case_id)
    page = await (await with_role(servers, AccessRole.SERVICE)).open("/cases?pressing=1")
    row, zone, _ = page.text[page.text.index("its clock was moved") :].partition("Asia/Tokyo")
    assert due is not None
    assert zone
    assert "2 h" in row or "3 h" in row
    assert " d " not in row


async def test_a_case_is_opened_while_the_customer_calls_once_however_often_the_form_is_sent(servers: Servers) -> None:
    account = await _customer(servers)
    browser = await with_role(servers, AccessRole.SERVICE)
    page = await browser.open(f"/customers/{account}")
    path = f"/customers/{account}/acts/open_case"
    assert path in page.links
    page = await browser.open(path)
    [form] = [one for one in page.forms if one.action == path]
    assert form.fields["channel"] == "phone"
    assert "case_id" not in form.fields
    for _ in range(2):
        answer = await browser.http.post(
            path, data={**form.fields, "subject": "They called", "body": "The till is down"}, follow_redirects=True
        )
        assert answer.status_code == 200, answer.text
        assert answer.url.path.startswith("/cases/C-")
        assert "They called" in answer.text
    rows = await servers.pool.fetch("select channel, subject from service_case where account_id = $1", account)
    assert [tuple(row) for row in rows] == [("phone", "They called")]
    refused = await browser.http.post(path, data={**form.fields, "request_id": "co-other", "body": "no subject"})
    assert refused.status_code == 422
    assert "no subject" in refused.text
    clerk = await with_role(servers, AccessRole.FINANCE)
    assert path not in (await clerk.open(f"/customers/{account}")).text


async def test_proposals_of_others_hide_none_of_ones_own(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MOST", 2)
    me = await person(servers, AccessRole.SALES, own_only=True)
    other, mine = await _customer(servers), await _customer(servers, me)
    for n, account in enumerate((mine, mine, mine, other, other, other)):
        await servers.pool.execute(
            "insert into tool_act (act_id, actor, operation, subject_id, request, reason, at, expires_at)"
            " values ($1, 'key:a', 'request_quote', $2, '{}', $3, $4, $5)",
            f"own-{account}-{n}",
            account,
            f"reason {n} of it",
            present() + timedelta(seconds=n),
            present() + timedelta(days=3),
        )
    browser = await signed_in(servers, me)
    seen, path = [], "/proposals"
    while path:
        page = await browser.open(path)
        found = [n for n in range(6) if f"reason {n} of it" in page.text]
        assert len(found) <= 2
        seen += found
        path = next((link for link in page.links if "before=" in link), "")
    assert sorted(seen) == [0, 1, 2]
