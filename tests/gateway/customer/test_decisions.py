"""Renewals, quotes and offers are answered by their links: who only looks changes nothing, what is shown is what is agreed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from activities.channels.rendering import Renderer
from activities.kernel.clock import present
from activities.mail.keys import load_keys
from domain.frame.messages import OutgoingMail
from domain.mail.signing import AddressPurpose, token_of
from tests.builders import order
from tests.e2e.lives import until
from tests.gateway.customer.forms import forms_in
from tests.gateway.mail.post import Post, contact_of


async def link(post: Post, mail: Any) -> str:
    async with post.servers.pool.acquire() as connection:
        keys = await load_keys(connection)
    return f"/answer/{token_of(mail['delivery_id'], AddressPurpose.ANSWER, keys[mail['body']['key']])}"


async def renewing(post: Post, **changes: Any) -> tuple[dict[str, Any], Any]:
    """A customer whose contract ends soon: their order, and the mail with the offer for the next term."""
    document = await post.customer(**changes)
    start = date.fromisoformat(document["contracts"][0]["term"]["start"])
    into = timedelta(days=329)  # after the first two notices of a year, before the last one
    await post.servers.client.fast_forward(document["account"]["account_id"], start - present().date() + into)
    return document, await post.answered(contact_of(document), "renewal_notice")


async def sent(
    web: httpx2.AsyncClient, page: httpx2.Response, pick: str, units: int | None = None, **typed: str
) -> httpx2.Response:
    """Fills in the form of the page that picks so, and sends it as a browser does."""
    form = next(form for form in forms_in(page.text) if form.get("pick") == pick)
    if units is not None:
        typed |= {next(name for name in form if name.startswith("units:")): str(units)}
    return await web.post(page.url.path, data={**form, **typed})


async def units(post: Post, document: dict[str, Any]) -> list[Any]:
    """The seats of the term after this one, and until when they are theirs."""
    return await post.servers.pool.fetch(
        "select t.number, (select sum(p.quantity) from asset a join asset_state_period p using (asset_id)"
        "  where a.contract_id = t.contract_id and a.product_code = 'SEATS' and p.starts_at <= t.starts_at"
        "  and (p.ends_at is null or p.ends_at > t.starts_at)) as seats"
        " from contract_term t where t.contract_id = $1 order by t.number",
        document["contracts"][0]["contract_id"],
    )


async def test_a_renewal_with_fewer_seats_takes_four_clicks_and_one_field(post: Post, web: httpx2.AsyncClient) -> None:
    document, mail = await renewing(post)
    path = await link(post, mail)
    for method in ("GET", "HEAD", "GET"):  # a scanner follows every link
        assert (await web.request(method, f"{path}/accept")).status_code == 200
    assert len(await units(post, document)) == 1
    page = await web.get(f"{path}/revise")  # the first click; the form is open
    assert "<details open>" in page.text
    revised = await sent(web, page, "revise", units=30)  # the second
    assert revised.status_code == 200, revised.text
    assert 'name="version" value="2"' in revised.text
    assert re.search(r"<td class=\"figure\">30</td>", revised.text)
    assert len(await units(post, document)) == 1
    done = await sent(web, revised, "accept")  # the third
    assert done.status_code == 200
    assert "<form" not in done.text
    assert [(row["number"], row["seats"]) for row in await units(post, document)] == [(1, 40), (2, 30)]


async def test_after_the_last_day_to_say_no_a_notice_offers_what_its_page_takes(
    post: Post, web: httpx2.AsyncClient
) -> None:
    contract = {**order()["contracts"][0], "auto_renew": True, "notice_days": 200}
    document, _ = await renewing(post, contracts=[contract])
    await post.servers.client.fast_forward(document["account"]["account_id"], timedelta(days=10))
    left = "select count(*) from outbox where body->>'to_email' = $1 and body->>'template' = 'renewal_notice' and status = 'sent'"

    async def has_left() -> bool:
        return int(await post.servers.pool.fetchval(left, contact_of(document))) > 1

    await until(has_left, "the notice after the last day has left")
    last = await post.servers.pool.fetchrow(
        "select * from outbox where body->>'to_email' = $1 and body->>'template' = 'renewal_notice' order by settled_at desc",
        contact_of(document),
    )
    assert last is not None
    path = await link(post, last)
    mail = Renderer().render(
        OutgoingMail.model_validate(last["body"]), links=lambda page, one: path if page == "answer" else None
    )
    page = await web.get(path)
    offered = re.findall(rf"{path}/(\w+)", mail.text)
    assert set(offered) == {form["pick"] for form in forms_in(page.text)} == {"accept", "revise"}
    assert "Olga Ownerまでご相談ください" in re.sub(r"\s+(?=ま)", "", mail.text)
    assert not re.search("有効期限", mail.text + page.text)


async def test_in_grace_the_offer_holds_as_long_as_everything_runs(post: Post, web: httpx2.AsyncClient) -> None:
    document, _ = await renewing(post)
    account = document["account"]["account_id"]
    await post.servers.client.fast_forward(account, timedelta(days=40))
    row = await post.answered(contact_of(document), "renewal_grace")
    until = date.fromisoformat(row["body"]["context"]["grace_until"])
    said = f"{until.year}年{until.month}月{until.day}日"
    mail = Renderer().render(OutgoingMail.model_validate(row["body"]))
    assert f"見積有効期限：{said}" in mail.text
    page = await web.get(await link(post, row))
    assert re.search(rf"<th>有効期限</th><td>{said}</td>", page.text)


async def test_what_was_shown_is_what_is_agreed(post: Post, web: httpx2.AsyncClient) -> None:
    document, mail = await renewing(post)
    path = await link(post, mail)
    old = await web.get(path)
    account, contract = document["account"]["account_id"], document["contracts"][0]["contract_id"]
    seats = {"asset_id": f"{document['order_id']}.1", "quantity": 55}
    await post.servers.client.ask(account, "revise_renewal", {"contract_id": contract, "assets": [seats]})
    refused = await sent(web, old, "accept")
    assert len(await units(post, document)) == 1
    assert 'name="version" value="2"' in refused.text
    twice = forms_in(refused.text)
    await sent(web, refused, "accept")
    assert [row["seats"] for row in await units(post, document)] == [40, 55]
    again = await web.post(path, data=next(form for form in twice if form.get("pick") == "accept"))
    assert again.status_code == 400
    assert len(await units(post, document)) == 2


async def test_a_no_says_why_and_can_be_taken_back(post: Post, web: httpx2.AsyncClient) -> None:
    document, mail = await renewing(post)
    path = await link(post, mail)
    page = await web.get(f"{path}/decline")
    without = await sent(web, page, "decline")
    assert without.status_code == 400
    assert 'role="alert"' in without.text
    typed = await sent(web, page, "decline", why="other", comment=" ")
    assert (typed.status_code, 'value="other" selected' in typed.text) == (400, True)
    declined = await sent(web, page, "decline", why="price", comment="<b>too</b> dear")
    assert declined.status_code == 200
    contract = document["contracts"][0]["contract_id"]
    row = await post.servers.pool.fetchrow(
        "select c.status, h.reason, h.said from contract c join contract_churn h using (contract_id) where contract_id = $1",
        contract,
    )
    assert row is not None
    assert tuple(row) == ("declined", "price", "<b>too</b> dear")
    assert [form["pick"] for form in forms_in(declined.text)] == ["accept"]
    back = await sent(web, declined, "accept")
    assert "<form" not in back.text
    assert len(await units(post, document)) == 2


async def test_who_decides_no_more_binds_nobody(post: Post, web: httpx2.AsyncClient) -> None:
    document, mail = await renewing(post)
    page = await web.get(await link(post, mail))
    account = document["account"]["account_id"]
    change = {"change": [{"contact_id": "P-1", "email": "somebody@else.example"}], "by": "S-1"}
    await post.servers.client.ask(account, "change_contacts", change)
    answered = await sent(web, page, "accept")
    assert answered.status_code == 200
    assert len(await units(post, document)) == 1
    reason = "select reason from inbox_message where account_id = $1 order by received_at desc limit 1"
    assert "nobody who decides" in await post.servers.pool.fetchval(reason, account)


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_an_offer_is_accepted_in_their_language(post: Post, web: httpx2.AsyncClient, language: str) -> None:
    _, quote_id, mail = await with_quote(post, language)
    page = await web.get(await link(post, mail))
    assert f'<html lang="{language}">' in page.text
    assert ("¥" in page.text) or ("￥" in page.text)
    done = await sent(web, page, "accept")
    assert "<form" not in done.text
    state = await post.servers.pool.fetchval("select state from quote where quote_id = $1", quote_id)
    assert state == "accepted"


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_quote_is_wished_otherwise_and_a_person_reads_what_is_wished(
    post: Post, web: httpx2.AsyncClient, language: str
) -> None:
    document, quote_id, mail = await with_quote(post, language)
    account, path = document["account"]["account_id"], await link(post, mail)
    for method in ("GET", "HEAD"):
        assert (await web.request(method, f"{path}/revise")).status_code == 200
    page = await web.get(f"{path}/revise")
    assert "<details open>" in page.text
    again = next(form for form in forms_in(page.text) if form.get("pick") == "revise")
    for typed in ({}, {"months": "0"}, {"months": "x"}, {"months": "٣"}, {"units:1": "-1"}, {"units:1": "99999999"}):
        wrong = await web.post(path, data={**again, **typed})
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (400, True)
    assert not await post.cases_of(document)
    for _ in range(2):  # a double click
        done = await web.post(
            path, data={**again, "units:1": "8", "months": "24", "comment": "<b>if</b> it costs less"}
        )
        assert 'role="status"' in done.text
    assert {"en": "another version of this quote", "ja": "改訂版のお見積り"}[language] in done.text
    [case_id] = await post.cases_of(document)
    [said] = await post.messages(case_id, "inbound")
    assert quote_id in said.splitlines()[0]
    assert {"en": ": 8 instead of 5", "ja": "：5から8へ"}[language] in said
    assert {"en": "For 24 months", "ja": "期間：24か月"}[language] in said
    assert said.endswith("<b>if</b> it costs less")
    told = "select body->>'words' from outbox where account_id = $1 and channel = 'deliver_notice' and body->>'words' <> ''"
    assert said in [row[0] for row in await post.servers.pool.fetch(told, account)]
    stands = "select state || version from quote where quote_id = $1"
    assert await post.servers.pool.fetchval(stands, quote_id) == "presented1"
    lines = [row["title"] for row in await post.servers.journal(account)]
    assert any("answered the quote" in line for line in lines), lines
    taken = await sent(web, done, "accept")  # it holds as it is
    assert "<form" not in taken.text
    refused = await web.post(path, data={**again, "units:1": "9"})
    assert refused.status_code == 400
    assert len(await post.cases_of(document)) == 1


async def with_quote(post: Post, language: str) -> tuple[dict[str, Any], str, Any]:
    """A customer who reads this language, with a quote for five more seats: their order, the quote's id, its mail."""
    document = await post.customer()
    account = document["account"]["account_id"]
    changed = {"change": [{"contact_id": "P-1", "language": language}], "by": "S-1"}
    await post.servers.client.ask(account, "change_contacts", changed)
    start = document["contracts"][0]["term"]["start"]
    line = {"kind": "quantity", "line_id": "1", "asset_id": f"{document['order_id']}.1", "delta": 5, "effective": start}
    await post.servers.client.ask(account, "request_quote", {"quote_id": f"Q-{account}", "lines": [line], "by": "S-1"})
    return document, f"Q-{account}", await post.answered(contact_of(document), "quote_presented")


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_why_somebody_does_not_go_on_is_said_by_the_link_of_the_farewell(
    post: Post, web: httpx2.AsyncClient, language: str
) -> None:
    document, _ = await renewing(post)
    account, contract = document["account"]["account_id"], document["contracts"][0]["contract_id"]
    changed = {"change": [{"contact_id": "P-1", "language": language}], "by": "S-1"}
    await post.servers.client.ask(account, "change_contacts", changed)
    wish = {"contract_id": contract, "decision": "decline", "reason": "We have thought about it.", "by": "P-1"}
    await post.servers.client.ask(account, "answer_renewal", wish)
    path = await link(post, await post.answered(contact_of(document), "renewal_declined"))
    reason = "select reason || '/' || said from contract_churn where contract_id = $1"
    for method in ("GET", "HEAD"):
        page = await web.request(method, path)
        assert page.status_code == 200
    page = await web.get(path)
    assert f'<html lang="{language}">' in page.text
    [form] = forms_in(page.text)
    for wrong in ("", "price", "why nothing", "decline price", "why other"):
        assert (await web.post(path, data={**form, "choice": wrong})).status_code == 400
    assert await post.servers.pool.fetchval(reason, contract) is None
    done = await web.post(path, data={**form, "choice": "why competitor", "comment": "closer to us"})
    assert {"en": "We take another product", "ja": "他社の製品を利用する"}[language] in done.text

    async def noted() -> bool:
        return bool(await post.servers.pool.fetchval(reason, contract) == "competitor/closer to us")

    await until(noted, "the reason is noted")
