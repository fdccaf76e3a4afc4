"""Rows of several tables are written by one statement, as each would have been by its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from activities.kernel.gathering import Gathered
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from tests.conftest import Servers

PARENT = Insert("family_parent", "id name")
KEPT = PARENT.otherwise("on conflict do nothing")
SAVED = PARENT.otherwise(or_update("id", "name"))
CHILD = Insert("family_child", "id parent_id at day price rates words ok body")
AT = datetime(2027, 3, 1, 12, 30, 0, 250, tzinfo=UTC)
ROW = (1, "p", AT, date(2027, 3, 1), Decimal("0.10"), [Decimal("8.5")], ["a b", 'c"d'], True, {"ä": ["x", None, 1.5]})
EMPTY: tuple[Any, ...] = (2, "p", None, None, None, None, [], None, None)


@pytest.fixture
async def connection(servers: Servers) -> AsyncIterator[Connection]:
    async with servers.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "create temporary table family_parent (number serial, id text primary key, name text) on commit drop;"
            "create temporary table family_child (number serial, id int primary key, parent_id text references family_parent,"
            " at timestamptz, day date, price numeric, rates numeric[], words text[], ok boolean, body jsonb) on commit drop"
        )
        yield connection
        await transaction.rollback()


async def _asked(connection: Connection, gathered: Gathered) -> int:
    asked: list[str] = []
    with connection.query_logger(lambda record: asked.append(record.query)):
        await gathered.write()
        await asyncio.sleep(0)  # it is told a moment later
    return len(asked)


async def test_rows_of_all_types_are_what_they_are_by_parameters(connection: Connection) -> None:
    await PARENT.add(connection, [("p", "P")])
    await CHILD.add(connection, [ROW, EMPTY])
    columns = ", ".join(CHILD.columns)
    before = await connection.fetch(f"delete from family_child returning {columns}")
    gathered = Gathered(connection)
    await gathered.add(CHILD, [ROW, EMPTY])
    await gathered.write()
    assert await connection.fetch(f"select {columns} from family_child order by number, id") == before


async def test_a_table_may_come_before_the_one_that_it_refers_to(connection: Connection) -> None:
    gathered = Gathered(connection)
    await gathered.add(CHILD, [(n, f"p{n}", *EMPTY[2:]) for n in range(3)])
    await gathered.add(PARENT, [(f"p{n}", f"P{n}") for n in range(3)])
    assert await _asked(connection, gathered) == 1
    assert await _asked(connection, gathered) == 0
    numbers = await connection.fetch(
        "select c.number = p.number as same from family_child c join family_parent p on p.id = parent_id"
    )
    assert [row["same"] for row in numbers] == [True] * 3


async def test_what_refers_to_nothing_is_refused_whole(connection: Connection) -> None:
    gathered = Gathered(connection)
    await gathered.add(PARENT, [("p", "P")])
    await gathered.add(CHILD, [(1, "nobody", *EMPTY[2:])])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with connection.transaction():
            await gathered.write()
    assert await connection.fetchval("select count(*) from family_parent") == 0


async def test_who_is_there_already_stays_or_changes_as_the_table_has_it(connection: Connection) -> None:
    gathered = Gathered(connection)
    await gathered.add(KEPT, [("p", "first"), ("p", "second")])
    await gathered.add(KEPT, [("p", "third")])
    await gathered.write()
    assert await connection.fetchval("select name from family_parent") == "first"
    await gathered.add(SAVED, [("p", "fourth")])
    await gathered.add(SAVED, [("p", "fifth")])
    await gathered.add(SAVED, [("p", "sixth"), ("p", "last")])
    await gathered.write()
    assert await connection.fetchval("select name from family_parent") == "last"


async def test_the_last_statement_gives_its_value_and_does_not_see_the_rows(connection: Connection) -> None:
    gathered = Gathered(connection)
    await gathered.add(PARENT, [("p", "P")])
    assert await gathered.write("select count(*) + $1::int from family_parent", 5) == 5
    assert await gathered.write("select count(*) + $1::int from family_parent", 5) == 6
