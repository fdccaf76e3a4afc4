"""Workers of a release before go on with today's schema: it is migrated while they still run, and they may come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from activities.kernel.pool import Connection
from activities.service.case_imports import _STAGES
from activities.success.usage_batches import STAGE
from tests.activities.record_release import RELEASES, recorded
from tests.conftest import Servers

FILES = sorted(RELEASES.glob("*.json.gz"))
_INSERTS = re.compile(r'insert into "?(\w+)"? (?:as \w+ )?\(([^()]*)\)')
_BY_WHAT_IS_AROUND = {"invoice_line": {"invoice_id", "number"}}
"""By table, the columns that the statement writes of which an insert is a part."""
_NEEDED = """
select c.table_name, c.column_name from information_schema.columns c
where c.table_schema = 'public' and c.is_nullable = 'NO' and c.column_default is null and c.is_identity = 'NO' and c.is_generated = 'NEVER'
order by c.table_name, c.column_name
"""


async def unfit(connection: Connection, texts: list[str]) -> Iterator[str]:
    """What of these statements the schema does not know, and which columns they would leave out that have to be written."""
    found = []
    needed: dict[str, set[str]] = {}
    for row in await connection.fetch(_NEEDED):
        needed.setdefault(row["table_name"], set()).add(row["column_name"])
    for text in texts:
        for table, columns in _INSERTS.findall(text):
            named = {one.strip().strip('"') for one in columns.split(",")} | _BY_WHAT_IS_AROUND.get(table, set())
            left_out = sorted(needed.get(table, set()) - named)
            found += [f"{table}.{one} is not written by: {text[:160]}" for one in left_out]
        transaction = connection.transaction()
        await transaction.start()
        for stage in (_STAGES, STAGE):
            if text != stage:
                await connection.execute(stage)
        try:
            for part in filter(str.strip, text.split(";") if ";" in text else [text]):
                await connection.prepare(part)
        except asyncpg.PostgresError as error:
            found.append(f"{error}: {text[:160]}")
        await transaction.rollback()
    return iter(found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".json.gz"))
async def test_the_statements_of_a_release_fit_todays_schema(path: Path, servers: Servers) -> None:
    texts = recorded(path)
    assert len(texts) > 300
    async with servers.pool.acquire() as connection:
        assert list(await unfit(connection, texts)) == []


async def test_a_schema_that_leaves_a_release_behind_is_noticed(servers: Servers) -> None:
    texts = recorded(FILES[-1])
    async with servers.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("alter table lead rename column account_id to customer_id")
        await connection.execute("alter table journal add column mood text not null default ''")
        await connection.execute("alter table journal alter column mood drop default")
        said = "\n".join(await unfit(connection, texts))
        await transaction.rollback()
    assert "account_id" in said
    assert "journal.mood is not written by" in said
