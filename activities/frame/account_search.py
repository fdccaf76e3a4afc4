"""Finding customers: by a part of anything that names them, in any script, and by what is so of them.

Texts that contain what was asked are looked up by their pieces. If they are few, or the customers that are wanted are, all of them are put
in order. If they are many, the list is made in its order instead, place by place, until a page is full: then many of the customers that are
looked at belong on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from activities.frame.account_filters import AccountFilter, Parameters
from activities.frame.search_statements import (
    Asked,
    Cursor,
    Wanted,
    anywhere,
    at_place,
    details,
    gathered_at,
    in_one_text,
    in_several,
    names_with,
    of_all,
    of_these,
    several_among,
    several_at,
    several_gathered,
    some_of,
    texts_with,
)
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query, Row, Value

LONGEST_QUERY = 200
_FEW = 500
"""Up to so many texts are put in order as they are."""
_AT_A_WALK = 1000
"""The texts of so many customers are read in their order before all that could be meant are gathered."""
normalised = Value[str]("select search_text($1)")
"""A text in the one way of writing in which texts are found."""

segments = Column[str]("select distinct segment from playbook order by segment")
"""The segments that customers can be of."""

owners = Query(
    "select staff_id, name from staff where exists (select from account where owner_id = staff_id) order by name, staff_id"
)
"""Our people who own customers."""


@dataclass(frozen=True)
class AccountPage:
    """Customers in their order, and after which of them the next page begins; null if there is none."""

    accounts: list[Row] = field(default_factory=list)
    next: Cursor | None = None


async def _rows(connection: Connection, statement: tuple[str, Parameters]) -> list[Row]:
    query, given = statement
    return [dict(row) for row in await connection.fetch(query, *given)]


async def find_accounts(
    connection: Connection,
    asked: str = "",
    wanted: AccountFilter | None = None,
    *,
    after: Cursor | None = None,
    limit: int = 50,
) -> AccountPage:
    """Customers whose names, people, addresses, numbers or ids contain each part of what was asked, the surest first; without a
    question all that the filter wants, by name. `found` and `ref` say what it was found by."""
    wanted = wanted or AccountFilter()
    whole = await normalised(connection, asked[:LONGEST_QUERY]) or ""
    page = Wanted(replace(wanted, closed=wanted.closed or bool(whole)), after, limit + 1)
    if not whole:
        return await _page(connection, await _rows(connection, of_all(page)), limit)
    rows = await _found(connection, way := in_one_text(whole), page)
    if not rows and (parts := in_several(whole)):
        way = anywhere(parts)
        rows = await _found_in_several(connection, parts, page)
    return await _page(connection, rows, limit, way)


async def _page(connection: Connection, rows: Sequence[Row], limit: int, asked: Asked | None = None) -> AccountPage:
    ids = [row["account_id"] for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    accounts = await _rows(connection, details(ids, asked)) if ids else []
    return AccountPage(accounts, (last["place"], last["says"], last["account_id"]) if last else None)


async def _found(connection: Connection, asked: Asked, wanted: Wanted) -> list[Row]:
    """The customers of a page and the one behind it, each with its place and name."""
    texts = await _rows(connection, texts_with(asked, _FEW + 1))
    are_all = sum(row["texts"] for row in texts) <= _FEW
    if not are_all and wanted.filter.conditions(Parameters()):
        some = await _rows(connection, some_of(wanted, _FEW + 1))
        if len(some) <= _FEW:
            texts = await _rows(connection, texts_with(asked, None, [row["account_id"] for row in some]))
            are_all = True
    if are_all:
        return await _in_order(connection, texts, wanted)
    found: list[Row] = []
    for place in range(wanted.after[0] if wanted.after else 0, 4):
        found += await _at(connection, asked, place, replace(wanted, limit=wanted.limit - len(found)))
        if len(found) == wanted.limit:
            break
    return found


async def _at(connection: Connection, asked: Asked, place: int, wanted: Wanted) -> list[Row]:
    """The customers of one place by the shorter way: in their order until a page is full, or all that the index finds."""
    if place == 2:
        ((named,),) = [row.values() for row in await _rows(connection, names_with(asked, _FEW + 1))]
        if named <= _FEW:
            return await _rows(connection, gathered_at(asked, place, wanted))
    walk = _AT_A_WALK if place == 3 else 0
    rows = await _rows(connection, at_place(asked, place, walk, wanted))
    if walk and len(rows) < wanted.limit:
        rows = await _rows(connection, gathered_at(asked, place, wanted))
    return rows


async def _found_in_several(connection: Connection, parts: Sequence[str], wanted: Wanted) -> list[Row]:
    """The customers of whom several texts together contain the parts; those whose own names do come first."""
    for part in parts:
        texts = await _rows(connection, texts_with(anywhere([part]), _FEW + 1))
        if sum(row["texts"] for row in texts) <= _FEW:
            ids = [row["account_id"] for row in texts]
            return await _in_order(connection, await _rows(connection, several_among(parts, ids)), wanted)
    found: list[Row] = []
    if wanted.after is None or wanted.after[0] == 2:
        found = await _rows(connection, several_at(parts, 2, 0, wanted))
    rest = replace(wanted, limit=wanted.limit - len(found))
    if rest.limit == 0:
        return found
    rows = await _rows(connection, several_at(parts, 3, _AT_A_WALK, rest))
    if len(rows) < rest.limit:
        rows = await _rows(connection, several_gathered(parts, rest))
    return found + rows


async def _in_order(connection: Connection, placed: Sequence[Row], wanted: Wanted) -> list[Row]:
    """Those of a few customers, each with its place, that belong on the page."""
    places = [(row["account_id"], row["place"]) for row in placed]
    return await _rows(connection, of_these(places, wanted)) if places else []
