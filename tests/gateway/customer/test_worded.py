"""What mails want to hear in words is said on the page of their link: it goes where a reply would, and whoever only looks changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from activities.channels.samples import CONTEXTS
from domain.mail.worded import IN_WORDS, NEEDS_WORDS
from tests.gateway.customer.forms import forms_in
from tests.gateway.customer.test_decisions import link
from tests.gateway.mail.post import Post, contact_of, written


async def asking(post: Post, mail: Any, template: str, language: str) -> str:
    """The path of the page of another mail beside this one, that asks so in this language."""
    row = await post.servers.pool.fetchrow(
        "insert into outbox (delivery_id, account_id, channel, stage, contact_id, body, created_at, status, settled_at)"
        " select delivery_id || $2, account_id, channel, stage, contact_id, body || $3::jsonb, created_at, status, settled_at"
        " from outbox where delivery_id = $1 returning *",
        mail["delivery_id"],
        f"-{template}-{language}",
        {"template": template, "language": language, "context": {**mail["body"]["context"], **CONTEXTS[template]}},
    )
    return await link(post, row)


async def said(post: Post, case_id: str) -> str:
    return (await post.messages(case_id, "inbound"))[-1]


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_what_a_mail_of_the_journey_wants_to_hear_opens_a_case_as_a_reply_does(
    post: Post, web: httpx2.AsyncClient, language: str
) -> None:
    document = await post.customer()
    welcome = await post.answered(contact_of(document), "welcome")
    for template, sayings in IN_WORDS.items():
        if template.startswith("case_"):
            continue
        before, path = await post.cases_of(document), await asking(post, welcome, template, language)
        for method in ("GET", "HEAD", "GET"):  # a scanner follows every link
            page = await web.request(method, path)
            assert page.status_code == 200, page.text
        assert f'<html lang="{language}">' in page.text
        assert page.headers["referrer-policy"] == "no-referrer"
        [form] = forms_in(page.text)
        for wrong in ({}, {"pick": "accept"}, {"pick": "still_open"}, {"pick": "time", "day": "2020-01-01"}):
            refused = await web.post(path, data={**form, "pick": "", **wrong, "comment": "<b>kept</b>"})
            assert (refused.status_code, "&lt;b&gt;kept&lt;/b&gt;" in refused.text) == (400, True)
        for pick in sorted(NEEDS_WORDS & set(sayings)):
            assert (await web.post(path, data={**form, "pick": pick, "comment": " "})).status_code == 400
        assert await post.cases_of(document) == before
        day = (await post.servers.client.now(document["account"]["account_id"]) + timedelta(days=3)).date().isoformat()
        typed = {**form, "pick": sayings[0].value, "day": day, "time": "14:30", "comment": "Our own <words>"}
        for _ in range(2):  # a double click
            sent = await web.post(path, data=typed)
            assert (sent.status_code, 'role="status"' in sent.text) == (200, True)
        [case_id] = set(await post.cases_of(document)) - set(before)
        words = await said(post, case_id)
        assert words.endswith("Our own <words>")
        assert ("14:30" in words) == (template == "outreach")
    told = "select count(*) from outbox where account_id = $1 and channel = 'deliver_notice' and body->>'words' like '%Our own%'"
    copies = await post.servers.pool.fetchval(told, document["account"]["account_id"])
    assert copies >= len(IN_WORDS) - 2


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_what_a_mail_of_a_case_wants_to_hear_goes_on_with_the_case(
    post: Post, web: httpx2.AsyncClient, language: str
) -> None:
    document = await post.customer()
    sender = contact_of(document)
    opened = await post.send(written(sender), sender=sender)
    await post.inbox.settled(opened)
    case_id = (await post.row(opened))["case_id"]
    await post.resolved(case_id)
    mail = await post.answered(sender, "case_resolved")
    path = await asking(post, mail, "case_resolved", language)
    for method in ("GET", "HEAD", "GET"):
        page = await web.request(method, path)
    assert await post.status(case_id) == "resolved"
    [form] = forms_in(page.text)
    sent = await web.post(path, data=form)  # one click says it
    assert 'role="status"' in sent.text
    assert await post.status(case_id) == "open"
    assert await said(post, case_id) == {"en": "It is not solved yet.", "ja": "まだ解決していません。"}[language]
    path = await asking(post, mail, "case_nudge", language)
    [form] = forms_in((await web.get(path)).text)
    await web.post(path, data={**form, "pick": "answer", "comment": "Model X-1"})
    assert await said(post, case_id) == "Model X-1"
    assert await post.cases_of(document) == [case_id]


async def test_somebody_who_is_no_case_s_contact_any_more_and_a_link_of_long_ago_say_nothing(
    post: Post, web: httpx2.AsyncClient
) -> None:
    document = await post.customer()
    account = document["account"]["account_id"]
    path = await asking(post, await post.answered(contact_of(document), "welcome"), "check_in", "en")
    [form] = forms_in((await web.get(path)).text)
    await post.servers.pool.execute("update contact set email = 'else@where.example' where account_id = $1", account)
    sent = await web.post(path, data={**form, "pick": "well"})
    assert sent.status_code == 200
    assert not await post.cases_of(document)
    reason = "select reason from inbox_message where account_id = $1 order by received_at desc limit 1"
    assert "nobody who is a contact today" in await post.servers.pool.fetchval(reason, account)
    await post.servers.client.fast_forward(account, timedelta(days=100))
    late = await web.get(path)
    assert (late.status_code, "<form" in late.text) == (200, False)
    assert (await web.post(path, data={**form, "pick": "well", "once": "another"})).status_code == 400
