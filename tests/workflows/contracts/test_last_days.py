"""A day that is named as the last one counts to its end: what a mail says can be done on it is done late in the evening."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.quotes.test_quotes import ROUTER, asked, begun, sale
from tests.workflows.service_side import onboarded, report_full_use

TOKYO = ZoneInfo("Asia/Tokyo")


def evening(day: date) -> datetime:
    return datetime.combine(day, time(23, 30), TOKYO)


async def said(servers: Servers, account: str, template: str, key: str) -> list[str]:
    """A value of the mails of a template, oldest first."""
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->'context'->>$3 as value from outbox where account_id = $1 and body->>'template' = $2 and status = 'sent'"
        " order by settled_at",
        account,
        template,
        key,
    )
    return [row["value"] for row in rows]


async def offered(servers: Servers) -> tuple[str, str, date]:
    """A customer who was offered seats: the account, the offer, and the last day that its mail names."""
    _, account = await onboarded(servers)
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, timedelta(days=8))
    [offer_id] = await said(servers, account, "upsell_offer", "offer_id")
    [day] = await said(servers, account, "upsell_offer", "expires")
    return account, offer_id, date.fromisoformat(day)


@pytest.mark.engine
async def test_an_offer_is_taken_in_the_evening_of_its_last_day(servers: Servers) -> None:
    account, offer_id, day = await offered(servers)
    await servers.client.fast_forward_to(account, evening(day))
    answer = await servers.client.ask(account, "answer_offer", {"offer_id": offer_id, "decision": "accept"})
    assert answer["status"] == "accepted"


async def test_an_offer_lapses_with_its_last_day(servers: Servers) -> None:
    account, offer_id, day = await offered(servers)
    await servers.client.fast_forward_to(account, evening(day) + timedelta(hours=1))
    with pytest.raises(Refusal, match=r"is not open|is expired"):
        await servers.client.ask(account, "answer_offer", {"offer_id": offer_id, "decision": "accept"})


async def quoted(servers: Servers) -> tuple[str, str, date]:
    """A customer who has a quote: the account, the quote, and the last day that its mail names."""
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    now = (await servers.client.now(account)).astimezone(TOKYO).date()
    await servers.client.ask(account, "request_quote", asked(quote_id, sale("1", ROUTER, 2), valid_days=4))
    [day] = await said(servers, account, "quote_presented", "valid_until")
    assert date.fromisoformat(day) == now + timedelta(days=4)
    return account, quote_id, date.fromisoformat(day)


async def test_a_quote_is_taken_in_the_evening_of_its_last_day(servers: Servers) -> None:
    account, quote_id, day = await quoted(servers)
    await servers.client.fast_forward_to(account, evening(day))
    answer = await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})
    assert answer["state"] == "accepted"


async def test_a_quote_lapses_with_its_last_day(servers: Servers) -> None:
    account, quote_id, day = await quoted(servers)
    await servers.client.fast_forward_to(account, evening(day) + timedelta(hours=1))
    with pytest.raises(Refusal, match=r"waits for no answer|was valid until"):
        await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})


async def test_the_days_that_are_left_are_counted_to_the_day_that_is_named(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    end = await servers.pool.fetchval(
        "select until from contract_term join contract using (contract_id) where account_id = $1", account
    )
    await servers.client.fast_forward_to(account, evening(end - timedelta(days=40)))
    rows = await servers.pool.fetch(
        "select body->'context' as said, created_at from outbox where account_id = $1 and body->>'template' = 'renewal_notice'",
        account,
    )
    assert rows
    for row in rows:
        last = date.fromisoformat(row["said"]["term_end"])
        assert row["said"]["days_left"] == (last - row["created_at"].astimezone(TOKYO).date()).days
    mails = [
        mail for mail in servers.mails_to(document["contacts"][0]["email"]) if re.search("満了|更新", mail.subject)
    ]
    assert mails


@pytest.mark.parametrize(("months", "notice_days"), [(3, 30), (4, 30), (3, 90), (1, 45)])
async def test_who_has_just_heard_of_a_renewal_does_not_hear_at_once_of_the_next_end(
    servers: Servers, months: int, notice_days: int
) -> None:
    document = order()
    contract = document["contracts"][0]
    contract |= {"auto_renew": True, "notice_days": notice_days, "renewal_months": months}
    contract["term"] = {**contract["term"], "months": months}
    account = account_of(document)
    await servers.client.place_order(document)
    end = await servers.pool.fetchval(
        "select max(ends_at) from contract_term where contract_id = $1", contract["contract_id"]
    )
    await servers.client.fast_forward_to(account, end + timedelta(days=31 * months - 12))
    rows = await servers.pool.fetch(
        "select body->>'template' as template, body->'context' as said, coalesce(settled_at, created_at) as at from outbox"
        " where account_id = $1 and body->>'template' in ('renewal_confirmed', 'renewal_notice') order by 3",
        account,
    )
    told = [(row["template"], row["at"].astimezone(TOKYO).date(), row["said"]) for row in rows]
    begun, renewed_on = next((n, day) for n, (template, day, _) in enumerate(told) if template == "renewal_confirmed")
    notices = [(day, said) for template, day, said in told[begun:] if template == "renewal_notice"]
    assert notices
    assert (notices[0][0] - renewed_on).days >= 4
    first = next((day, said) for day, said in notices if said["quote"])
    assert (date.fromisoformat(first[1]["notice_by"]) - first[0]).days >= 4, "there is time to say no to the price"
    assert await apart(servers, account) == []
