"""Two people act at the same moment, by whatever door: both are heard in some order, and what they leave is what that order gives."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx2
import pytest

from domain.frame.access import AccessRole
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.console.browser import with_role
from tests.gateway.customer.forms import forms_in
from tests.gateway.customer.test_decisions import link, renewing, units
from tests.gateway.mail.post import Post

_INVOICED = """
select coalesce((select sum(total) from invoice where account_id = $1), 0)
     - coalesce((select sum(total) from credit_memo where account_id = $1), 0)
"""


async def _asked(servers: Servers, account: str, update: str, *bodies: Mapping[str, object]) -> list[httpx2.Response]:
    """Each body is sent by a program of its own, all at once."""
    async with (
        calling(servers, await token_of(servers, AccessRole.SALES)) as one,
        calling(servers, await token_of(servers, AccessRole.SALES)) as other,
    ):
        path = f"/accounts/{account}/requests/{update}"
        return list(
            await asyncio.gather(
                *(http.post(path, json=body, timeout=60) for http, body in zip((one, other), bodies, strict=True))
            )
        )


async def _bought(servers: Servers) -> tuple[str, str]:
    document = order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"]), f"{document['order_id']}.1"


async def _seats(servers: Servers, asset: str) -> int:
    return int(
        await servers.pool.fetchval(
            "select quantity from asset_state_period where asset_id = $1 order by starts_at desc limit 1", asset
        )
    )


async def test_two_who_add_to_one_asset_both_add(servers: Servers) -> None:
    account, asset = await _bought(servers)
    before = await _seats(servers, asset)
    answers = await _asked(
        servers,
        account,
        "amend_assets",
        {"assets": [{"asset_id": asset, "add": 5}]},
        {"assets": [{"asset_id": asset, "add": 3}]},
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    assert await _seats(servers, asset) == before + 8
    numbers = await servers.pool.fetch("select sequence from asset_action where asset_id = $1 order by 1", asset)
    assert [row["sequence"] for row in numbers] == [1, 2, 3]


async def test_of_two_who_cancel_one_asset_one_is_told_that_it_is_done(servers: Servers) -> None:
    account, asset = await _bought(servers)
    body = {"assets": [{"asset_id": asset}]}
    answers = await _asked(servers, account, "cancel_assets", body, body)
    assert sorted(answer.status_code for answer in answers)[0] == 200, [answer.text for answer in answers]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert [answer.headers["content-type"] for answer in refused] == ["application/problem+json"], refused
    assert asset in refused[0].text
    cancelled = "select count(*) from asset_action where asset_id = $1 and category = 'Cancellations'"
    assert await servers.pool.fetchval(cancelled, asset) == 1
    assert await servers.pool.fetchval(_INVOICED, account) >= 0


@pytest.mark.parametrize("first", ["customer", "sales"])
async def test_a_customer_and_sales_decide_on_one_renewal_in_one_minute(
    post: Post, web: httpx2.AsyncClient, first: str
) -> None:
    document, mail = await renewing(post)
    account, contract = document["account"]["account_id"], document["contracts"][0]["contract_id"]
    page = await web.get(f"{await link(post, mail)}/accept")
    accept = next(form for form in forms_in(page.text) if form.get("pick") == "accept")
    sales = await with_role(post.servers, AccessRole.SALES)
    path = f"/customers/{account}/acts/answer_renewal"
    form = next(form for form in (await sales.open(path)).forms if form.action == path)
    decline = {**form.fields, "contract_id": contract, "decision": "decline", "reason": "they called"}
    asked = [
        web.post(page.url.path, data=accept),
        sales.http.post(path, data=decline, follow_redirects=True),
    ]
    if first == "sales":
        asked.reverse()
    answers = await asyncio.gather(*asked)
    assert all(answer.status_code < 500 for answer in answers), [answer.text[:300] for answer in answers]
    status = await post.servers.pool.fetchval("select status from contract where contract_id = $1", contract)
    terms = len(await units(post, document))
    assert (terms, status == "declined") in [(2, False), (1, True)], (terms, status)
