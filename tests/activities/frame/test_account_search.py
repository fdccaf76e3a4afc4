"""Customers are found by a part of anything that names them, in any script, through the index; what is written is found at once."""

from __future__ import annotations

from typing import Any

from activities.frame.account_filters import AccountFilter
from activities.frame.account_search import find_accounts
from activities.frame.search_statements import (
    Wanted,
    at_place,
    gathered_at,
    in_one_text,
    names_with,
    several_at,
    several_gathered,
    texts_with,
)
from tests.builders import order
from tests.conftest import Servers


async def _found(servers: Servers, asked: str, **wanted: Any) -> list[str]:
    async with servers.pool.acquire() as connection:
        return [row["account_id"] for row in (await find_accounts(connection, asked, AccountFilter(**wanted))).accounts]


async def _placed(servers: Servers, company: str, **contact: Any) -> dict[str, Any]:
    document = order()
    document["account"]["name"] = company
    document["contacts"][0] |= contact
    await servers.client.place_order(document)
    return document


async def test_a_customer_is_found_by_a_part_of_anything_that_names_them(servers: Servers) -> None:
    company = "株式会社ミナトノ珈琲 Süßwaren"
    document = await _placed(
        servers, company, name="高橋 陽子", email="Yoko.Q7@minato-no.example", phone="03-9731-5582"
    )
    account = document["account"]["account_id"]
    contract = document["contracts"][0]["contract_id"]
    for asked in (
        "珈琲",
        "ナト",
        "みなとの",
        "ﾐﾅﾄﾉ",
        "süSSwaren",
        "ＳＵ̈ssw",
        "陽子",
        "yoko.q7@",
        "minato-no.example",
        "03-9731-5582",
        "97315582",
        "0397315582",
        document["order_id"],
        contract,
        account.upper(),
        "珈琲 陽子",
        "高橋 q7",
    ):
        assert account in await _found(servers, asked), asked
    for asked in ("珈琲 花子", "ナミ", "97315583", "%", "'; drop table account; --", "\\"):
        assert account not in await _found(servers, asked), asked


async def test_what_is_surest_comes_first(servers: Servers) -> None:
    exact = (await _placed(servers, "Zzz Holding"))["account"]["account_id"]
    begins = (await _placed(servers, f"{exact} Trading"))["account"]["account_id"]
    within = (await _placed(servers, f"Aaa {exact}"))["account"]["account_id"]
    assert await _found(servers, exact) == [exact, begins, within]


async def test_what_changes_is_found_at_once_and_what_is_gone_is_not(servers: Servers) -> None:
    account = (await _placed(servers, "Before Ltd", name="Olga Vorher"))["account"]["account_id"]
    await servers.pool.execute("update account set name = 'Qarvex KG' where account_id = $1", account)
    await servers.pool.execute("update contact set name = 'Ines Qarvexa' where account_id = $1", account)
    assert account in await _found(servers, "qarvex kg")
    assert account not in await _found(servers, "before ltd vorher")
    await servers.pool.execute("delete from contact where account_id = $1", account)
    assert account not in await _found(servers, "qarvexa")


async def test_pages_follow_each_other_without_a_gap(servers: Servers) -> None:
    accounts = sorted([(await _placed(servers, "Xylopage"))["account"]["account_id"] for _ in range(5)])
    seen, after = [], None
    async with servers.pool.acquire() as connection:
        while True:
            page = await find_accounts(connection, "xylopage", after=after, limit=2)
            seen += [row["account_id"] for row in page.accounts]
            if (after := page.next) is None:
                break
    assert seen == accounts


async def test_filters_say_what_is_so_of_a_customer(servers: Servers) -> None:
    document = await _placed(servers, "Filterhaus")
    account, owner = document["account"]["account_id"], document["account"]["owner"]["staff_id"]
    segment = await servers.pool.fetchval("select segment from account where account_id = $1", account)
    await servers.pool.execute(
        "insert into sales_hold (hold_id, account_id, scope, level, reason, source, says, since, recorded_at)"
        " values ('h-filter', $1, 'customer', 'warn', 'manual', 'x', 'asked for', now(), now())",
        account,
    )
    assert await _found(servers, "filterhaus", segment=segment, owner=owner, hold="any", of_staff=owner) == [account]
    assert account in await _found(servers, "", hold="warn")
    for other in (
        {"segment": "none"},
        {"owner": "nobody"},
        {"hold": "block"},
        {"band": "critical"},
        {"of_staff": "nobody"},
    ):
        assert await _found(servers, "filterhaus", **other) == []


_MANY = """
insert into account (account_id, name, country, time_zone, language, segment, playbook_version, owner_id, success_manager_id, since,
    recorded_at)
select $1 || n, $2 || ' ' || md5(n::text), 'JP', 'Asia/Tokyo', 'ja', p.segment, p.version, s.staff_id, s.staff_id, now(), now()
from generate_series(1, $3::int) n, (select * from playbook order by segment, version limit 1) p,
     (select * from staff order by staff_id limit 1) s
"""


async def test_the_index_finds_the_pieces(servers: Servers) -> None:
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute(_MANY, "many-", "会社", 3000)
        await connection.execute("select gin_clean_pending_list('customer_text_pieces')")  # as a vacuum does
        await connection.execute("analyze customer_text")
        wanted = Wanted(AccountFilter(closed=True), None, 51)
        for asked in ("青空", "c4"):
            query, given = texts_with(in_one_text(asked), 2000)
            plan = await connection.fetch(f"explain {query}", *given)
            assert "customer_text_pieces" in "".join(row[0] for row in plan), asked
        way, parts = in_one_text("ab12"), ("ab12", "cd34")
        for statement, index in (
            (at_place(way, 0, 0, wanted), "customer_text_ref"),
            (at_place(way, 1, 0, wanted), "customer_text_in_order"),
            (names_with(way, 501), "customer_text_pieces"),
            (gathered_at(way, 2, wanted), "customer_text_pieces"),
            (at_place(way, 2, 0, wanted), "customer_text_in_order"),
            (at_place(way, 3, 1000, wanted), "customer_text_in_order"),
            (gathered_at(way, 3, wanted), "customer_text_pieces"),
            (several_at(parts, 2, 0, wanted), "customer_text_in_order"),
            (several_at(parts, 3, 1000, wanted), "customer_text_in_order"),
            (several_gathered(parts, wanted), "customer_text_pieces"),
        ):
            plan = await connection.fetch(f"explain {statement[0]}", *statement[1])
            assert index in "".join(row[0] for row in plan), statement[0]
        await connection.execute("delete from customer_text where account_id like 'many-%'")
        await connection.execute("delete from account where account_id like 'many-%'")


async def test_a_word_that_thousands_have_in_their_names_hides_nobody(servers: Servers) -> None:
    document = await _placed(servers, "Zephyrhaus KG")
    account = document["account"]["account_id"]
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute(_MANY, "crowd-", "Zephyrhaus", 2500)
        await connection.execute("update account set success_manager_id = owner_id where account_id like 'crowd-%'")
        await connection.execute(
            "insert into staff (staff_id, name, email) values ('s-zephyr', 'Zoe', 'zoe@seller.example')"
        )
        await connection.execute("update account set owner_id = 's-zephyr' where account_id = $1", account)
        theirs = await find_accounts(connection, "zephyrhaus", AccountFilter(seen_by="s-zephyr"))
        assert [row["account_id"] for row in theirs.accounts] == [account]
        by_middle = await find_accounts(connection, "ephyr", AccountFilter(owner="s-zephyr"))
        assert [row["account_id"] for row in by_middle.accounts] == [account]
        for asked in ("zephyrhaus", "ephyrh"):
            seen, after = [], None
            while True:
                page = await find_accounts(connection, asked, after=after, limit=400)
                seen += [row["account_id"] for row in page.accounts]
                if (after := page.next) is None:
                    break
            assert len(seen) == len(set(seen)) == 2501, asked
            names = await connection.fetch("select account_id from customer_text where account_id = any($1) and kind = 'account'"
                                           ' order by says collate "C"', seen)  # fmt: skip
            assert seen == [row["account_id"] for row in names], asked
        await connection.execute("delete from customer_text where account_id like 'crowd-%'")
        await connection.execute("delete from account where account_id like 'crowd-%'")


async def test_thousands_of_orders_hide_no_name_and_no_id(servers: Servers) -> None:
    shop = (await _placed(servers, "Quopifar & Co"))["account"]["account_id"]
    within = (await _placed(servers, "The Quopifar"))["account"]["account_id"]
    buyer = (await _placed(servers, "Aaa Buyer"))["account"]["account_id"]
    async with servers.pool.acquire() as connection, connection.transaction() as _:
        await connection.execute(
            "insert into customer_text select $1, 'order', o, o, 'aaa buyer' from"
            " (select 'quopifar-' || n as o from generate_series(1, 2500) n) found",
            buyer,
        )
        found = await find_accounts(connection, "quopifar")
        assert [row["account_id"] for row in found.accounts] == [shop, within, buyer]
        assert [row["found"] for row in found.accounts] == ["account", "account", "order"]
        by_id = (await find_accounts(connection, "quopifar-25")).accounts
        assert [(row["account_id"], row["found"], row["ref"]) for row in by_id] == [(buyer, "order", "quopifar-25")]
        await connection.execute("delete from customer_text where account_id = $1 and ref like 'quopifar-%'", buyer)


async def test_what_is_theirs_by_a_number_or_in_a_case_leads_to_them(servers: Servers) -> None:
    document = await _placed(servers, "Numbered KG")
    account, contract = document["account"]["account_id"], document["contracts"][0]["contract_id"]
    pool = servers.pool
    await pool.execute("insert into renewal_quote (quote_id, contract_id, term, currency, total, valid_until, lines, quoted_at)"
                       " values ('RQ-7x41', $1, 2, 'JPY', 1, now()::date, '[]', now())", contract)  # fmt: skip
    await pool.execute("insert into service_case (case_id, account_id, subject, channel, impact, urgency, priority, status, status_at,"
                       " opened_at, last_activity_at, planned_at, recorded_at) values ('C-7x42', $1, 'Zephyrlampe flackert', 'web', 'low',"
                       " 'low', 'low', 'open', now(), now(), now(), now(), now())", account)  # fmt: skip
    asset = await pool.fetchval("select min(asset_id) from asset where account_id = $1", account)
    invoice = await pool.fetchval("select min(invoice_id) from invoice where account_id = $1", account)
    for asked, kind in (
        (asset, "asset"),
        (invoice, "invoice"),
        ("RQ-7x41", "quote"),
        ("zephyrlampe flack", "case"),
        ("C-7x42", "case"),
    ):
        async with pool.acquire() as connection:
            first = (await find_accounts(connection, asked)).accounts[0]
        assert (first["account_id"], first["found"]) == (account, kind), asked
    await pool.execute("update service_case set subject = 'Quuxlampe' where case_id = 'C-7x42'")
    assert await _found(servers, "quuxlampe") == [account]
    assert await _found(servers, "zephyrlampe") == []


async def test_of_few_customers_who_are_wanted_all_texts_are_read(servers: Servers) -> None:
    """However many others have the word: each of theirs stands at its place."""
    mine = [
        (await _placed(servers, name))["account"]["account_id"] for name in ("Old Vorbixa", "Vorbixa KG", "Nothing Ltd")
    ]
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute(_MANY, "horde-", "Vorbixa", 600)
        await connection.execute(
            "insert into staff (staff_id, name, email) values ('s-vor', 'Vera', 'vera@seller.example')"
        )
        await connection.execute("update account set success_manager_id = 's-vor' where account_id = any($1)", mine)
        await connection.execute("update contact set name = 'Vorbixa Person' where account_id = $1", mine[2])
        found = await find_accounts(connection, "vorbixa", AccountFilter(seen_by="s-vor"))
        assert [row["account_id"] for row in found.accounts] == [mine[1], mine[0], mine[2]]
        assert [row["found"] for row in found.accounts] == ["account", "account", "contact"]
        await connection.execute("update account set success_manager_id = owner_id where account_id = any($1)", mine)
        await connection.execute("delete from customer_text where account_id like 'horde-%'")
        await connection.execute("delete from account where account_id like 'horde-%'")


async def test_parts_in_several_texts_find_a_customer_among_thousands_with_each(servers: Servers) -> None:
    """Some have one part in their name and the other elsewhere; some have both elsewhere, in two texts."""
    named = (await _placed(servers, "Wumbrix KG", name="Zodrel Yamada"))["account"]["account_id"]
    apart = (await _placed(servers, "Nobody Ltd", name="Wumbrix Yamada"))["account"]["account_id"]
    alone = (await _placed(servers, "Wumbrix Alone"))["account"]["account_id"]
    insert = "insert into customer_text select $1, 'order', $2 || o, $2 || o, 'none' from generate_series(1, 700) o"
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "update customer_text set listed_by = says where account_id = $1 and kind = 'account'", apart
        )

        async def found(asked: str, limit: int = 50) -> list[str]:
            seen, after = [], None
            while True:
                page = await find_accounts(connection, asked, after=after, limit=limit)
                seen += [row["account_id"] for row in page.accounts]
                if (after := page.next) is None:
                    return seen

        await connection.execute(insert, apart, "zodrel-")
        for limit in (50, 1):
            assert await found("wumbrix zodrel", limit) == [named, apart]
        await connection.execute(_MANY, "mob-", "Wumbrix", 600)
        await connection.execute(insert.replace("'order'", "'case'"), alone, "other-")
        for limit in (50, 1):
            assert await found("wumbrix zodrel", limit) == [named, apart]
        assert (await found("wumbrix nihil")) == []
        await connection.execute(
            "delete from customer_text where account_id like 'mob-%' or ref like 'zodrel-%' or ref like 'other-%'"
        )
        await connection.execute("delete from account where account_id like 'mob-%'")
