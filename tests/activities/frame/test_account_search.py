"""Customers are found by a part of anything that names them, in any script, through the index; what is written is found at once."""

from __future__ import annotations

from typing import Any

from activities.frame.account_search import AccountFilter, find_accounts, list_query, match_query
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


async def test_the_index_finds_the_pieces(servers: Servers) -> None:
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "insert into account (account_id, name, country, time_zone, language, segment, playbook_version, owner_id,"
            " success_manager_id, since, recorded_at)"
            " select 'many-' || n, '会社' || md5(n::text), 'JP', 'Asia/Tokyo', 'ja', p.segment, p.version, s.staff_id, s.staff_id,"
            " now(), now() from generate_series(1, 3000) n,"
            " (select * from playbook order by segment, version limit 1) p, (select * from staff order by staff_id limit 1) s"
        )
        await connection.execute("select gin_clean_pending_list('search_entry_pieces')")  # as a vacuum does
        await connection.execute("analyze search_entry")
        for asked in ("青空", "c4"):
            plan = await connection.fetch(f"explain {match_query([1], 2000)}", asked)
            assert "search_entry_pieces" in "".join(row[0] for row in plan), asked
        query = list_query([match_query([11])], 12)
        given = (None, None, None, None, None, True, None, None, None, 50, "ab12", "ab12")
        plan = await connection.fetch(f"explain {query}", *given)
        assert "search_entry_pieces" in "".join(row[0] for row in plan)
        await connection.execute("delete from search_entry where account_id like 'many-%'")
        await connection.execute("delete from account where account_id like 'many-%'")
