"""Whoever is told the price of the next term is told the one before, and by how much it rose or fell: in the notice and in the confirmation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

SAYS = {
    "en": ("¥60 more than until now (¥1,200)", "¥3,000 more than until now (¥60,000)"),
    "ja": ("これまでの単価￥1,200から￥60の値上げ", "これまでの単価￥60,000から￥3,000の値上げ"),
}


async def told(servers: Servers, document: dict[str, Any]) -> dict[str, str]:
    """The mails about the renewal that reached the customer, by their kind: the texts, without line ends."""
    rows = await servers.pool.fetch(
        "select distinct on (2) message_id, body->>'template' as template from outbox where account_id = $1 and status = 'sent'"
        " and (body->>'template' = 'renewal_confirmed' or jsonb_typeof(body->'context'->'quote') = 'object') order by 2",
        account_of(document),
    )
    mailbox = servers.stack.mailbox
    texts = {one.message_id: mailbox.read(one.id).text for one in servers.mails_to(document["contacts"][0]["email"])}
    return {row["template"]: " ".join((texts[row["message_id"]] or "").split()) for row in rows}


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_price_that_rises_is_told_beside_the_one_before(servers: Servers, language: str) -> None:
    document = order()
    document["contacts"][0]["language"] = language
    document["contracts"][0] |= {"auto_renew": True, "notice_days": 10, "uplift_percent": "5"}
    await servers.client.place_order(document)
    await servers.client.fast_forward(account_of(document), timedelta(days=410))
    await settled(servers.pool, account_of(document))
    mails = await told(servers, document)
    assert set(mails) == {"renewal_confirmed", "renewal_notice"}
    for text in mails.values():
        for words in SAYS[language]:
            assert words in text


async def test_a_price_that_stays_is_told_alone_and_one_that_falls_with_what_it_was(servers: Servers) -> None:
    document = order()
    document["contacts"][0]["language"] = "en"
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=350))
    await settled(servers.pool, account)
    mails = await told(servers, document)
    assert "until now" not in mails["renewal_notice"]
    asked = {"contract_id": contract_id, "discount_percent": "5", "role": "manager", "reason": "loyal", "by": "S-1"}
    await servers.client.ask(account, "revise_renewal", asked)
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept", "by": "S-1"})
    await settled(servers.pool, account)
    text = (await told(servers, document))["renewal_confirmed"]
    assert "¥60 less than until now (¥1,200)" in text
    assert "¥3,000 less than until now (¥60,000)" in text
