"""Keys that lead to other tables have an index where something is looked for, or deleted, by them."""

from __future__ import annotations

from tests.conftest import Servers

NOBODY_GOES_BY = {
    *("account playbook", "asset product", "lead product", "order_line product"),  # which stay
    "staff staff",  # whom somebody reports to
    *("case_seen account", "case_seen staff", "lead staff", "staff_task staff"),  # found by the account or the case
    *(
        "console_draft staff",
        "console_form staff",
        "playbook_trial account",
        "service_team staff",
        "lead service_case",
        "renewal_release service_case",
        "sales_hold service_case",
    ),
    *("contract sales_order", "quote sales_order", "refund_claim credit_memo"),
    *("asset asset", "offer asset", "imported_asset account", "imported_asset contract"),
    *("service_case service_case", "tool_act tool_act"),  # `follows_id` and `takes_back`, which are only shown
}
"""Tables whose rows are not found from there, and those they name: rows of these are never deleted."""

_WITHOUT = """
select c.conrelid::regclass::text as holds, c.confrelid::regclass::text as names from pg_constraint c
where contype = 'f' and c.connamespace = 'public'::regnamespace and not exists (
    select from pg_index i where i.indrelid = c.conrelid and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
    and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ 'IS NOT NULL'))
"""


async def test_every_key_that_is_gone_by_has_an_index(servers: Servers) -> None:
    rows = await servers.pool.fetch(_WITHOUT)
    assert {f"{row['holds']} {row['names']}" for row in rows} == NOBODY_GOES_BY


async def test_the_case_and_the_quote_of_a_term_are_found_by_their_keys(servers: Servers) -> None:
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        for query in (
            "select count(*) from service_case where parent_id = 'C-1'",
            "select 1 from service_case where merged_into = 'C-1'",
            "select 1 from renewal_quote where contract_id = 'K-1' and term = 2",
            "select 1 from asset where contract_id = 'K-1'",
            "select count(*) from account where owner_id = 'S-1'",
            "select count(*) from account where success_manager_id = 'S-1'",
        ):
            plan = await connection.fetch(f"explain {query}")
            assert "Index" in "".join(row[0] for row in plan), query
