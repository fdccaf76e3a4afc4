"""Mails and events that wait for a person: read, taken to whom they belong, looked at once more, or dismissed."""

from __future__ import annotations

import json
from uuid import uuid4

from starlette.applications import Starlette

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from domain.mail.marks import Domains
from gateway.cases import CaseClient
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from gateway.inbound import Inbox
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, as_person, in_front_of, person, with_role
from tests.gateway.mail.post import DOMAIN, OWN, written


def _inbox(servers: Servers) -> Inbox:
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    return Inbox(servers.client, cases, servers.pool, own_address=OWN, domains=Domains(DOMAIN, DOMAIN))


async def _agent(servers: Servers, *roles: AccessRole) -> Browser:
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    app = Starlette(routes=[console(Place(doors, True, inbox=_inbox(servers)))])
    return await as_person(servers, in_front_of(app), await person(servers, *(roles or (AccessRole.SERVICE,))))


async def _mail(servers: Servers, subject: str) -> str:
    """A mail of somebody whom nobody knows."""
    inbox = _inbox(servers)
    raw = written(f"Ann Any <ann@{uuid4().hex[:12]}.example>", subject, "Is <b>anybody</b> there?").as_bytes()
    inbox_id = await inbox.receive(raw, present(), recipients=[OWN])
    await inbox.settle_new()
    await servers.pool.execute("update inbox_message set status = 'unknown' where inbox_id = $1", inbox_id)
    return inbox_id


async def test_a_mail_is_read_and_opens_a_case_of_the_customer_whose_it_is(servers: Servers) -> None:
    document = order()
    await servers.client.place_order(document)
    account = document["account"]["account_id"]
    browser = await _agent(servers)
    inbox_id = await _mail(servers, "Who has it")
    page = await browser.open("/today/mails")
    assert f"/mails/{inbox_id}" in page.links or "Only the first" in page.text
    page = await browser.open(f"/mails/{inbox_id}")
    assert "Is <b>anybody</b> there?" in page.text
    forms = {form.fields["do"]: form for form in page.forms if form.action == f"/mails/{inbox_id}"}
    nobody = await browser.http.post(f"/mails/{inbox_id}", data={**forms["account"].fields, "account": "nobody-there"})
    assert nobody.status_code == 404
    assert 'value="nobody-there"' in nobody.text
    answer = await browser.http.post(
        f"/mails/{inbox_id}", data={**forms["account"].fields, "account": account}, follow_redirects=True
    )
    assert "The mail is settled." in answer.text
    [row] = await servers.pool.fetch(
        "select status, settled_by, case_id from inbox_message where inbox_id = $1", inbox_id
    )
    assert (row["status"], row["settled_by"].startswith("con-")) == ("matched", True)
    found = await servers.pool.fetchval("select account_id from service_case where case_id = $1", row["case_id"])
    assert found == account
    page = await browser.open(f"/mails/{inbox_id}")
    assert not [form for form in page.forms if form.action == f"/mails/{inbox_id}"]
    logged = await servers.pool.fetchval("select operation from audit_entry where reason = $1", f"mail {inbox_id}")
    assert logged == "assign_mail"


async def test_a_mail_joins_a_case_or_is_dismissed_with_a_reason(servers: Servers) -> None:
    document = order()
    await servers.client.place_order(document)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    case_id = f"C-{uuid4().hex[:10]}"
    account = document["account"]["account_id"]
    await cases.open_case({"case_id": case_id, "account_id": account, "subject": "It is there already"})
    browser = await _agent(servers)
    joins, spam = await _mail(servers, "More about it"), await _mail(servers, "Buy this")
    await browser.open(f"/mails/{joins}")
    await browser.http.post(
        f"/mails/{joins}", data={**_form(browser, f"/mails/{joins}", "case"), "case": case_id}, follow_redirects=True
    )
    bodies = await servers.pool.fetch("select body from case_message where case_id = $1", case_id)
    assert any("anybody" in row["body"] for row in bodies)
    await browser.open(f"/mails/{spam}")
    form = _form(browser, f"/mails/{spam}", "discard")
    silent = await browser.http.post(f"/mails/{spam}", data={**form, "reason": " "})
    assert silent.status_code == 422
    answer = await browser.http.post(f"/mails/{spam}", data={**form, "reason": "an offer"}, follow_redirects=True)
    assert "The mail is settled." in answer.text
    [row] = await servers.pool.fetch("select status, reason from inbox_message where inbox_id = $1", spam)
    assert tuple(row) == ("discarded", "an offer")


def _form(browser: Browser, action: str, do: str) -> dict[str, str]:
    return next(form.fields for form in browser.page.forms if form.action == action and form.fields["do"] == do)


async def test_mails_and_events_are_for_whom_the_table_says(servers: Servers) -> None:
    inbox_id, event_id = await _mail(servers, "Not for all"), await _event(servers, '{"a": 1}')
    for role, mail, event in (
        (AccessRole.SALES, 403, 403),
        (AccessRole.SERVICE, 200, 403),
        (AccessRole.OPERATOR, 200, 200),
    ):
        browser = await with_role(servers, role)
        await browser.open(f"/mails/{inbox_id}")
        assert browser.answer.status_code == mail, role
        await browser.open(f"/events/{event_id}")
        assert browser.answer.status_code == event, role


async def _event(servers: Servers, body: str) -> str:
    event_id = f"ev-{uuid4().hex[:12]}"
    await servers.pool.execute(
        "insert into event_source (source, mapping, made_at, made_by) values ('crm', 'x', now(), 't') on conflict do nothing"
    )
    await servers.pool.execute(
        "insert into inbound_event (event_id, source, foreign_id, headers, body, received_at, try_at, status, reason)"
        " values ($1, 'crm', $1, '{}', $2, now(), now(), 'failed', 'it cannot be read')",
        event_id,
        body.encode(),
    )
    return event_id


async def test_an_event_is_corrected_looked_at_once_more_or_dismissed(servers: Servers) -> None:
    browser = await _agent(servers, AccessRole.OPERATOR)
    mended, again, spare = [await _event(servers, '{"n": "<i>1</i>"}') for _ in range(3)]
    page = await browser.open(f"/events/{mended}")
    assert "<i>1</i>" in page.text
    form = _form(browser, f"/events/{mended}", "mend")
    broken = await browser.http.post(f"/events/{mended}", data={**form, "body": "{"})
    assert broken.status_code == 422
    answer = await browser.http.post(f"/events/{mended}", data={**form, "body": '{"n": 2}'}, follow_redirects=True)
    assert "The event is looked at once more." in answer.text
    [row] = await servers.pool.fetch("select status, mended, body from inbound_event where event_id = $1", mended)
    assert (row["status"], json.loads(row["mended"]), json.loads(row["body"])) == ("new", {"n": 2}, {"n": "<i>1</i>"})
    await browser.open(f"/events/{again}")
    await browser.http.post(f"/events/{again}", data=_form(browser, f"/events/{again}", "replay"))
    assert await servers.pool.fetchval("select status from inbound_event where event_id = $1", again) == "new"
    await browser.open(f"/events/{spare}")
    form = _form(browser, f"/events/{spare}", "discard")
    assert (await browser.http.post(f"/events/{spare}", data={**form, "reason": ""})).status_code == 422
    await browser.http.post(f"/events/{spare}", data={**form, "reason": "a trial"})
    [row] = await servers.pool.fetch("select status, reason from inbound_event where event_id = $1", spare)
    assert tuple(row) == ("discarded", "a trial")
    twice = await browser.http.post(f"/events/{spare}", data={**form, "reason": "again"})
    assert twice.status_code == 422


async def test_files_of_a_case_are_listed_and_handed_over_to_who_may_see_it(servers: Servers) -> None:
    document = order()
    document["contacts"][0]["email"] = f"aoi@{uuid4().hex[:12]}.example"
    await servers.client.place_order(document)
    account, inbox = document["account"]["account_id"], _inbox(servers)
    mail = written(document["contacts"][0]["email"], "With a picture", "See what it says.")
    content, name = b"<script>alert(1)</script>", "報告 1/2.html"
    mail.add_attachment(content, maintype="text", subtype="html", filename=name)
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="plan.pdf")
    inbox_id = await inbox.receive(mail.as_bytes(), present(), recipients=[OWN])
    await inbox.settle_new()
    case_id = await servers.pool.fetchval("select case_id from inbox_message where inbox_id = $1", inbox_id)
    browser = await _agent(servers)
    page = await browser.open(f"/cases/{case_id}")
    paths = [f"/cases/{case_id}/files/{inbox_id}/{number}" for number in (1, 2)]
    assert [link for link in page.links if "/files/" in link] == paths
    answer = await browser.http.get(paths[0])
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E5%A0%B1")
    assert "/" not in answer.headers["content-disposition"]
    for wrong in (f"/cases/{case_id}/files/{inbox_id}/3", f"/cases/{case_id}/files/m-0/1", paths[0][:-1] + "x"):
        assert (await browser.http.get(wrong)).status_code == 404, wrong
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    other = f"C-{uuid4().hex[:10]}"
    await cases.open_case({"case_id": other, "account_id": account, "subject": "Another one"})
    assert (await browser.http.get(f"/cases/{other}/files/{inbox_id}/1")).status_code == 404
    own = await with_role(servers, AccessRole.SERVICE, own_only=True)
    assert (await own.http.get(paths[0])).status_code == 403
