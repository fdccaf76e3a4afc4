"""One customer's rows and what all customers share, carried into another database as of one instant."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from activities.kernel.pool import Connection

_TABLES = """
select c.relname as name,
  array_agg(a.attname order by a.attnum) filter (where a.attgenerated = '') as columns,
  array_agg(a.attname order by a.attnum) filter (where a.attidentity <> '') as counted
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migrations'
group by c.relname order by c.relname
"""
_REFERENCES = """
select child.relname as child, parent.relname as parent,
  array(select a.attname from unnest(k.conkey) with ordinality n(number, place)
        join pg_attribute a on a.attrelid = child.oid and a.attnum = n.number order by n.place) as columns,
  array(select a.attname from unnest(k.confkey) with ordinality n(number, place)
        join pg_attribute a on a.attrelid = parent.oid and a.attnum = n.number order by n.place) as referred
from pg_constraint k join pg_class child on child.oid = k.conrelid join pg_class parent on parent.oid = k.confrelid
where k.contype = 'f' and k.connamespace = 'public'::regnamespace and child.oid <> parent.oid
order by child.relname, (select bool_and(a.attnotnull) from pg_attribute a where a.attrelid = child.oid and a.attnum = any(k.conkey)) desc,
  k.conname
"""
_CUSTOMER = "account_id"
_OF_TWO_CUSTOMERS = {"conveyance": "from_account = $1 or to_account = $1"}


@dataclass(frozen=True)
class Reference:
    """Columns of one table that name rows of another."""

    child: str
    parent: str
    columns: Sequence[str]
    referred: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table as it is copied: its columns but those that are computed, and among them those that count by themselves."""

    name: str
    columns: Sequence[str]
    counted: Sequence[str] | None


class Schema:
    """Which rows are a customer's follows from the tables themselves: they name the account, or a row that is the account's.

    What neither does is shared by all customers: products, prices, playbooks, policies, calendars, our people.
    """

    def __init__(self, tables: Sequence[Table], references: Sequence[Reference]) -> None:
        self.tables = {table.name: table for table in tables}
        self._references = references

    @classmethod
    async def read(cls, connection: Connection) -> Schema:
        """As the database has it."""
        tables = [Table(**dict(row)) for row in await connection.fetch(_TABLES)]
        return cls(tables, [Reference(**dict(row)) for row in await connection.fetch(_REFERENCES)])

    def condition(self, name: str, seen: frozenset[str] = frozenset()) -> str | None:
        """Which of a table's rows are the customer's ($1), as a condition of SQL; null for what all customers share."""
        if name in _OF_TWO_CUSTOMERS:
            return _OF_TWO_CUSTOMERS[name]
        if _CUSTOMER in self.tables[name].columns:
            return f"{_CUSTOMER} = $1"
        for reference in self._references:
            if reference.child != name or reference.parent in seen:
                continue
            if (condition := self.condition(reference.parent, seen | {name})) is not None:
                ours, theirs = _listed(reference.columns), _listed(reference.referred)
                return f'({ours}) in (select {theirs} from "{reference.parent}" where {condition})'
        return None

    def selection(self, name: str, *columns: str) -> tuple[str, bool]:
        """The query for a table's rows of a customer, and whether it asks for the customer's id."""
        condition = self.condition(name)
        query = f'select {_listed(columns or self.tables[name].columns)} from "{name}"'
        return (query, False) if condition is None else (f"{query} where {condition}", True)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


async def carry(source: Connection, target: Connection, account_id: str) -> None:
    """Fills a database of the same schema, and of nobody, with a customer's rows and what all customers share.

    `source` is read in one snapshot and not written; in `target` no trigger runs and nothing is checked, as all has been before.
    """
    async with source.transaction(isolation="repeatable_read", readonly=True), target.transaction():
        schema = await Schema.read(source)
        await target.execute("set local session_replication_role = replica")
        await target.execute(f"truncate {_listed([*schema.tables])}")
        for table in schema.tables.values():
            query, asks = schema.selection(table.name)
            rows = io.BytesIO()
            await source.copy_from_query(query, *([account_id] if asks else []), output=rows, format="binary")
            rows.seek(0)
            await target.copy_to_table(table.name, source=rows, columns=[*table.columns], format="binary")
            for column in table.counted or ():
                await target.execute(_COUNT_ON.format(table=table.name, column=column))
        await target.execute(_ARRIVED)
        await target.execute(_NOBODY_TOLD)


_COUNT_ON = """select setval(pg_get_serial_sequence('"{table}"', '{column}'), coalesce(max("{column}"), 0) + 1, false) from "{table}" """
# The other customer of a transfer under way is not there to answer; and no other system hears of a copy.
_ARRIVED = "update conveyance set status = 'received', settled_at = asked_at where status = 'under_way'"
_NOBODY_TOLD = "delete from outbox where channel = 'deliver_webhook' and status = 'waiting'"
