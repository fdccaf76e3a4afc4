"""The table of personal columns is whole: every column with text is listed in it, once, as personal or as plain."""

from __future__ import annotations

from collections import Counter

from activities.journey.personal import PERSONAL, PLAIN
from tests.conftest import Servers

_WITH_TEXT = """
select c.table_name || '.' || c.column_name as name from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
  and (c.data_type in ('text', 'json', 'jsonb', 'bytea', 'character varying', 'character', 'xml') or c.udt_name in ('_text', '_varchar', '_jsonb'))
"""
OF_ERASURES = {f"erasure.{name}" for name in ("erasure_id", "account_id", "contact_id", "by")} | {
    f"erasure.{name}" for name in ("words", "cells", "runs", "certificate")
}
"""What keeps people from coming back: ids, counts and digests."""


async def test_every_column_with_text_is_personal_or_plain(servers: Servers) -> None:
    there = {row["name"] for row in await servers.pool.fetch(_WITH_TEXT)}
    personal = [f"{one.table}.{name}" for one in PERSONAL for name in one.names]
    plain = [f"{table}.{name}" for table, names in PLAIN.items() for name in names.split()]
    listed = Counter([*personal, *plain])
    assert [name for name, times in listed.items() if times > 1] == []
    assert there - set(listed) == OF_ERASURES, "list new columns with text in activities/journey/personal.py"
    assert set(listed) - there == set()


async def test_every_row_of_the_table_is_a_statement_that_the_database_takes(servers: Servers) -> None:
    for one in PERSONAL:
        theirs = f"({one.theirs or 'true'}) and $2::text is not null and $3::text[] is not null"
        names = ", ".join(f'"{name}"' for name in one.names)
        text = f"select {names}, {theirs} from {one.table} where {one.whose}"
        assert await servers.pool.fetch(text, "nobody", "none", []) == []
