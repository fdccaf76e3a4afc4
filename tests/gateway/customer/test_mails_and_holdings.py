"""Which mails somebody gets, and what they own, by the links of a mail: nothing changes by looking, what was chosen is obeyed, and the
links are theirs alone."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from activities.mail.keys import load_keys
from domain.mail.signing import AddressPurpose, token_of
from tests.e2e.lives import until
from tests.gateway.customer.forms import forms_in
from tests.gateway.mail.post import Post, contact_of


async def link(post: Post, mail: Any, purpose: AddressPurpose) -> str:
    async with post.servers.pool.acquire() as connection:
        keys = await load_keys(connection)
    return f"/{purpose.value}/{token_of(mail['delivery_id'], purpose, keys[mail['body']['key']])}"


async def welcomed(post: Post, **changes: Any) -> tuple[dict[str, Any], Any]:
    document = await post.customer(**changes)
    return document, await post.answered(contact_of(document), "welcome")


async def optional_mails(post: Post, account: str) -> list[tuple[str, Any]]:
    rows = await post.servers.pool.fetch(
        "select body->>'template' as template, settled_at from outbox where account_id = $1 and status = 'sent'"
        " and body->>'unsubscribe' is not null and body->>'template' not in ('welcome', 'go_live', 'provisioning_done')"
        " and left_with is null order by settled_at",
        account,
    )
    return [(row["template"], row["settled_at"]) for row in rows]


def box(page: str) -> dict[str, bool]:
    """The kinds of mails of the page, and whether each is chosen."""
    return {name: bool(on) for name, on in re.findall(r'name="topic" value="(\w+)"( checked)?', page)}


async def wish(post: Post, account: str) -> Any:
    return await post.servers.pool.fetchrow("select * from mail_wish where account_id = $1", account)


async def test_a_choice_is_obeyed_by_whoever_plans_mails(post: Post, web: httpx2.AsyncClient) -> None:
    document, mail = await welcomed(post)
    account = document["account"]["account_id"]
    path = await link(post, mail, AddressPurpose.MAILS)
    for method in ("GET", "HEAD", "GET"):  # a scanner follows every link
        assert (await web.request(method, path)).status_code == 200
    assert await wish(post, account) is None
    page = await web.get(path)
    assert box(page.text) == {"reviews": True, "help": True, "surveys": True, "offers": True}
    [form] = forms_in(page.text)
    sent = await web.post(path, data={"once": form["once"], "topic": ["reviews", "offers"], "every": "30"})
    assert sent.status_code == 200, sent.text
    assert box(sent.text) == {"reviews": True, "help": False, "surveys": False, "offers": True}
    assert 'role="status"' in sent.text
    found = await wish(post, account)
    assert (found["email"], set(found["declined"]), found["every_days"]) == (
        contact_of(document),
        {"help", "surveys"},
        30,
    )
    await post.servers.client.fast_forward(account, timedelta(days=5))
    for task in ("kickoff", "training", "first_value", "go_live"):
        await post.servers.client.ask(account, "complete_task", {"task": task})
    await post.servers.client.fast_forward(account, timedelta(days=150))
    got = await optional_mails(post, account)
    assert got, "what was not declined still comes"
    assert not {name for name, _ in got} & {
        "survey",
        "onboarding_invite",
        "onboarding_reminder",
        "play_note",
        "outreach",
    }
    days = [at for name, at in got if name != "touch_anniversary"]
    assert all(b - a >= timedelta(days=29) for a, b in pairwise(days)), got
    lines = [row["title"] for row in await post.servers.journal(account)]
    assert any("wants no mails about" in line and "at most one in 30 days" in line for line in lines)


async def test_whoever_wanted_none_can_want_some_again_and_owed_ones_always_come(
    post: Post, web: httpx2.AsyncClient
) -> None:
    document, mail = await welcomed(post)
    account = document["account"]["account_id"]
    path = await link(post, mail, AddressPurpose.MAILS)
    await post.servers.client.ask(
        account, "note_mail", {"event": "unsubscribed", "contact_id": "P-1", "by": "customer"}
    )
    page = await web.get(path)
    assert not any(box(page.text).values())
    for refused in ({"topic": ["invoices"]}, {"topic": ["reviews"], "every": "1"}):
        assert (await web.post(path, data={"once": "x", **refused})).status_code == 400
    await web.post(path, data={"once": forms_in(page.text)[0]["once"], "topic": ["reviews"], "every": ""})
    row = await post.servers.pool.fetchrow("select unsubscribed_at from contact where account_id = $1", account)
    assert row is not None
    assert row["unsubscribed_at"] is None
    assert (await wish(post, account))["every_days"] is None


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_what_they_own_is_shown_to_whom_it_went_for_as_long_as_they_are_there(
    post: Post, web: httpx2.AsyncClient, language: str
) -> None:
    document = await post.customer()
    account, contract = document["account"]["account_id"], document["contracts"][0]
    if language == "en":
        changed = {"change": [{"contact_id": "P-1", "language": "en"}], "by": "S-1"}
        await post.servers.client.ask(account, "change_contacts", changed)
    await post.servers.client.fast_forward(account, timedelta(days=330))
    mail = await post.answered(contact_of(document), "renewal_notice")
    path = await link(post, mail, AddressPurpose.OWNED)
    page = await web.get(path)
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    seats = next(line for line in contract["lines"] if line["product"] == "SEATS")
    for said in (contract["contract_id"], f'<td class="figure">{seats["quantity"]}</td>', document["account"]["name"]):
        assert said in page.text
    [*documents] = re.findall(r'href="(\.\./document/[^"]+)"', page.text)
    assert documents
    made = await web.get(documents[0].removeprefix(".."))
    assert made.headers["content-type"] == "application/pdf"
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    # Whoever administers sees what there is, and no amounts.
    amount = re.compile(r"[¥￥]\d")
    assert amount.search(page.text)
    await post.servers.pool.execute("update contact set role = 'admin' where account_id = $1", account)
    assert not amount.search((await web.get(path)).text)
    await post.servers.pool.execute("update contact set email = 'new@else.example' where account_id = $1", account)
    for purpose in (AddressPurpose.OWNED, AddressPurpose.MAILS):
        gone = await web.get(await link(post, mail, purpose))
        assert (gone.status_code, contract["contract_id"] in gone.text) == (410, False)


async def test_links_are_of_one_purpose_and_one_mail_and_expire(post: Post, web: httpx2.AsyncClient) -> None:
    document, mail = await welcomed(post)
    owned, mails = [await link(post, mail, one) for one in (AddressPurpose.OWNED, AddressPurpose.MAILS)]
    tokens = [one.rpartition("/")[2] for one in (owned, mails)]
    for swapped in (
        f"/owned/{tokens[1]}",
        f"/mails/{tokens[0]}",
        f"{owned[:-1]}{'a' if owned[-1] != 'a' else 'b'}",
        "/mails/x",
    ):
        assert (await web.get(swapped)).status_code == 404, swapped
    answered = await web.post(f"/mails/{tokens[0]}", data={"once": "x", "topic": ["reviews"], "every": ""})
    assert answered.status_code == 404
    account = document["account"]["account_id"]
    await post.servers.client.fast_forward(account, timedelta(days=95))
    assert [(await web.get(one)).status_code for one in (owned, mails)] == [410, 200]


async def test_links_of_a_mail_lead_to_the_account_that_goes_on(post: Post, web: httpx2.AsyncClient) -> None:
    joins, mail = await welcomed(post)
    group, _ = await welcomed(post)
    old, new = joins["account"]["account_id"], group["account"]["account_id"]
    paths = [await link(post, mail, purpose) for purpose in (AddressPurpose.MAILS, AddressPurpose.OWNED)]
    await post.servers.client.ask(old, "merge_account", {"into": new, "by": "S-1"})

    async def merged() -> bool:
        return bool(
            await post.servers.pool.fetchval("select merged_into is not null from account where account_id = $1", old)
        )

    await until(merged, f"{old} is part of {new}")
    assert [(await web.get(path)).status_code for path in paths] == [200, 200]
    form = forms_in((await web.get(paths[0])).text)[0]
    sent = await web.post(paths[0], data={"once": form["once"], "topic": ["reviews"], "every": "30"})
    assert 'role="status"' in sent.text
    found = await wish(post, new)
    assert (found["email"], found["every_days"]) == (contact_of(joins), 30)
