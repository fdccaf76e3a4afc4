"""Main contacts hear of a renewal and of an end that others decide on; whoever was asked hears the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

PEOPLE = {"main": "Mai", "billing": "Bill", "sponsor": "Spencer"}


async def before_the_end(servers: Servers) -> tuple[str, str]:
    """A customer whose contract is paid for by one person, decided on by another and used by a third, with the offer of its next term."""
    document = order()
    name = document["contacts"][0]["email"]
    document["contacts"] = [
        {"contact_id": role, "name": who, "email": f"{role}-{name}", "role": role, "language": "en"}
        for role, who in PEOPLE.items()
    ]
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=25))
    return account, contract_id


async def heard(servers: Servers, account: str, *templates: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Who got these mails, in order: the contact, the template and what it was filled with."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select contact_id, body from outbox where account_id = $1 and body->>'template' = any($2) and status = 'sent'"
        " order by created_at, delivery_id",
        account,
        list(templates),
    )
    return [(row["contact_id"], row["body"]["template"], row["body"]["context"]) for row in rows]


@pytest.mark.parametrize("decision", ["accept", "decline"])
async def test_all_whom_it_concerns_hear_how_it_was_decided(servers: Servers, decision: str) -> None:
    account, contract_id = await before_the_end(servers)
    ((reader, _, offered),) = await heard(servers, account, "contract_news")
    assert (reader, offered["what"], offered["readers"]) == ("main", "offered", ["Bill", "Spencer"])
    assert "total" not in str(offered), "no price"
    answer = {"contract_id": contract_id, "decision": decision, "reason": "value", "by": "customer"}
    await servers.client.ask(account, "answer_renewal", answer)
    answered = {"accept": "renewal_confirmed", "decline": "renewal_declined"}[decision]
    told = await heard(servers, account, answered)
    assert sorted(one[0] for one in told) == ["billing", "sponsor"]
    _, (reader, _, news) = await heard(servers, account, "contract_news")
    assert (reader, news["what"]) == ("main", {"accept": "confirmed", "decline": "declined"}[decision])
    if decision == "accept":
        return
    assert told[0][2]["last_access"] == told[0][2]["term_end"] == told[0][2]["billed_until"] == news["day"]
    assert told[0][2]["export_until"] is None, "the playbook promises no day"
    await servers.client.fast_forward(account, timedelta(days=30))
    *_, (reader, _, news) = await heard(servers, account, "contract_news")
    assert (reader, news["what"], news["day"]) == ("main", "ended", told[0][2]["term_end"])
    assert await apart(servers, account) == []


async def test_whoever_pays_as_well_hears_it_once(servers: Servers) -> None:
    document = order()
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=340))
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    assert len(await heard(servers, account, "renewal_confirmed")) == 1
    assert await heard(servers, account, "contract_news") == []
