"""Short numbers, over real SMTP: what a mail names by a long id is answered by a number that a person types."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from activities.quotes import things
from domain.kernel.short_numbers import Numbered
from tests.builders import order
from tests.e2e.lives import onboard, report_usage
from tests.gateway.mail.post import Post, contact_of, written
from tests.gateway.mail.test_replies import reply, state_of


def long_id(what: str) -> str:
    """An id of 40 characters, as other systems make them."""
    return f"{what}_2027.{uuid.uuid4().hex}"[:40].ljust(40, "0")


async def customer(post: Post, *contracts: str) -> dict[str, Any]:
    """A customer with contracts of these ids; the order."""
    document = order()
    [first] = document["contracts"]
    document["contracts"] = [
        {
            **first,
            "contract_id": one,
            "lines": [{**line, "line_id": f"{n}-{line['line_id']}"} for line in first["lines"]],
        }
        for n, one in enumerate(contracts)
    ]
    return await post.customer(contracts=document["contracts"])


def account_of(document: dict[str, Any]) -> str:
    return str(document["account"]["account_id"])


async def numbers_of(post: Post, document: dict[str, Any]) -> dict[str, str]:
    """What is known by which short number."""
    async with post.servers.pool.acquire() as connection:
        return await things.numbers_of(connection, account_of(document))


async def notice_of(post: Post, document: dict[str, Any]) -> Any:
    """The latest notice of the end of a term, of a customer whose contracts end in 45 days."""
    await post.servers.client.fast_forward(account_of(document), timedelta(days=320))
    await post.answered(contact_of(document), "renewal_notice")
    return await post.servers.pool.fetchrow(
        "select * from outbox where account_id = $1 and body->>'template' = 'renewal_notice' and status = 'sent'"
        " order by created_at desc limit 1",
        account_of(document),
    )


async def terms_of(post: Post, contract: str) -> int:
    found: int = await post.servers.pool.fetchval("select count(*) from contract_term where contract_id = $1", contract)
    return found


async def status_of(post: Post, contract: str) -> str:
    return str(await post.servers.pool.fetchval("select status from contract where contract_id = $1", contract))


async def test_a_contract_with_a_long_id_is_renewed_by_its_short_number(post: Post) -> None:
    contract = long_id("ACME")
    document = await customer(post, contract)
    notice = await notice_of(post, document)
    [mail] = [one for one in post.servers.mails_to(contact_of(document)) if one.message_id == notice["message_id"]]
    assert f"{contract} (K-1)" in mail.subject
    told = post.servers.stack.mailbox.read(mail.id).text or ""
    assert "契約番号（K-1）" in told
    row = await reply(post, notice, contact_of(document), "お世話になっております。\nＫ－１を更新します。")
    assert (row["status"], row["reason"]) == ("matched", f"accept renewal {contract}")
    confirmed = await post.answered(contact_of(document), "renewal_confirmed")
    assert confirmed["body"]["context"]["numbers"] == {contract: "K-1"}
    assert await terms_of(post, contract) == 2


async def test_of_two_contracts_the_one_is_declined_whose_number_is_given(post: Post) -> None:
    first, second = sorted([long_id("ACME"), long_id("ACME")])
    document = await customer(post, first, second)
    await notice_of(post, document)
    numbers = await numbers_of(post, document)
    assert sorted(numbers) == ["K-1", "K-2"]
    row = await post.delivered(written(contact_of(document), "Our contracts", "We will not renew K-2."))
    assert (row["status"], row["reason"]) == ("matched", f"decline renewal {numbers['K-2']}")
    assert (await status_of(post, numbers["K-1"]), await status_of(post, numbers["K-2"])) == ("active", "declined")


async def test_a_wish_to_renew_takes_the_contract_that_it_names(post: Post) -> None:
    ids = long_id("ACME"), long_id("ACME")
    document = await customer(post, *ids)
    await notice_of(post, document)
    numbers = await numbers_of(post, document)
    row = await post.delivered(written(contact_of(document), "Renewal", "Hello, please renew K-2. Thanks"))
    assert (row["status"], row["reason"]) == ("matched", f"have contract {numbers['K-2']} renewed")
    unknown = await post.delivered(written(contact_of(document), "Renewal", "Hello, please renew K-3. Thanks"))
    assert unknown["case_id"] is not None  # a person reads it
    assert [await terms_of(post, one) for one in ids] == [1, 1]


async def quoted(post: Post, document: dict[str, Any], quote_id: str) -> Any:
    """The mail that brings a new quote."""
    start = (present() + timedelta(days=20)).date().isoformat()
    line = {"kind": "sale", "line_id": "1", "product": "SEATS", "quantity": 5, "start": start, "months": 12}
    request = {"quote_id": quote_id, "lines": [line], "role": "sales"}
    await post.servers.client.ask(account_of(document), "request_quote", request)
    return await post.answered(contact_of(document), "quote_presented")


@pytest.mark.parametrize("answers", [True, False])
async def test_a_quote_with_a_long_id_is_accepted_in_full_width(post: Post, answers: bool) -> None:
    document = await post.customer()
    quote_id = long_id("ANGEBOT")[:32].replace(".", "_")
    mail = await quoted(post, document, quote_id)
    assert mail["body"]["context"]["numbers"] == {quote_id: "Q-1"}
    words = "Ｑ－１を承諾いたします。よろしくお願いいたします。"
    if answers:
        row = await reply(post, mail, contact_of(document), words)
    else:
        row = await post.delivered(written(contact_of(document), "お見積りの件", words))
    assert (row["status"], row["reason"]) == ("matched", f"accept quote {quote_id}")
    assert await state_of(post, quote_id) == "accepted"


async def test_each_customer_counts_from_one_and_a_stranger_changes_nothing(post: Post) -> None:
    ours, theirs = long_id("ACME"), long_id("OTHER")
    document, other = await customer(post, ours), await customer(post, theirs)
    notice = await notice_of(post, document)
    await notice_of(post, other)
    for account, contract in ((document, ours), (other, theirs)):
        assert await numbers_of(post, account) == {"K-1": contract}
    for row in (
        await post.delivered(written(f"jo@{uuid.uuid4().hex[:8]}.example", "Renewal", "Please renew K-1.")),
        await post.delivered(written(f"jo@{uuid.uuid4().hex[:8]}.example", "Renewal", "We will not renew K-1.")),
        await reply(post, notice, contact_of(other), "K-1は更新しません。"),
    ):
        assert row["status"] == "unknown"
    row = await post.delivered(written(contact_of(other), "Renewal", "We will not renew K-1."))
    assert row["reason"] == f"decline renewal {theirs}"
    assert (await status_of(post, ours), await status_of(post, theirs)) == ("active", "declined")


async def test_an_offer_is_accepted_by_its_short_number(post: Post) -> None:
    document = await post.customer()
    client, account_id = post.servers.client, account_of(document)
    await client.fast_forward(account_id, timedelta(days=45))
    await onboard(client, account_id)
    await report_usage(client, account_id, users=39)
    await client.fast_forward(account_id, timedelta(days=6))
    mail = await post.answered(contact_of(document), "upsell_offer")
    offer_id = mail["body"]["context"]["offer_id"]
    row = await post.delivered(written(contact_of(document), "席数の追加", "O-1を承諾します。"))
    assert (row["status"], row["reason"]) == ("matched", f"accept offer {offer_id}")
    await post.answered(contact_of(document), "upsell_confirmed")


async def test_what_is_typed_easily_needs_no_number(post: Post) -> None:
    contract = f"AC-{uuid.uuid4().hex[:6]}"
    document = await customer(post, contract)
    notice = await notice_of(post, document)
    assert "numbers" not in notice["body"]["context"]
    assert await numbers_of(post, document) == {}


# What numbers there are


async def test_two_who_ask_at_once_count_on(post: Post) -> None:
    document = await post.customer()
    pool, account_id = post.servers.pool, account_of(document)
    both_in = asyncio.Barrier(2)

    async def numbered(*ids: str) -> list[str]:
        async with pool.acquire() as connection, connection.transaction():
            await both_in.wait()
            found = await things.short_numbers(connection, account_id, [(Numbered.CONTRACT, one) for one in ids])
            await asyncio.sleep(0.2)  # the other one waits for this transaction's end
            return found

    one, other = await asyncio.gather(numbered("long.one", "long.both"), numbered("long.both", "long.other"))
    assert sorted({*one, *other}) == ["K-1", "K-2", "K-3"]
    assert one[1] == other[0]


async def test_a_number_is_never_what_something_else_is_called(post: Post) -> None:
    document = await post.customer()
    pool, account_id = post.servers.pool, account_of(document)

    async def number_of(contract: str) -> str:
        async with pool.acquire() as connection, connection.transaction():
            [found] = await things.short_numbers(connection, account_id, [(Numbered.CONTRACT, contract)])
            return found

    async def meant(name: str) -> str | None:
        async with pool.acquire() as connection:
            thing = await things.thing_named(connection, account_id, name)
            return thing.id if thing else None

    assert (await number_of("long.one"), await meant("k 1")) == ("K-1", "long.one")
    # A later order brings contracts that are called so themselves: what stands in mails means neither for certain any more.
    await later_order(post, document, "K.1", "k_3")
    assert (await meant("K-1"), await number_of("long.one"), await meant("K-2")) == (None, "K-2", "long.one")
    assert (await number_of("long.two"), await meant("K-4"), await meant("K3")) == ("K-4", "long.two", "k_3")


async def later_order(post: Post, document: dict[str, Any], *contracts: str) -> None:
    """Another order of the customer, with contracts of these ids."""
    known = {key: document[key] for key in ("account", "contacts", "currency", "products")}
    more = order(**known)
    [first] = more["contracts"]
    lines = [
        {**first, "contract_id": one, "lines": [{**first["lines"][0], "line_id": f"k{n}"}]}
        for n, one in enumerate(contracts)
    ]
    await post.servers.client.place_order({**more, "contracts": lines})
