"""Finding customers: by a part of anything that names them, in any script, and by what is so of them.

Texts that contain what was asked are looked up by their pieces. If they are few, or the customers that are wanted are, all of them are put
in order. If they are many, the list is made in its order instead, place by place, until a page is full: then most customers that are looked
at belong on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from activities.frame.account_filters import AccountFilter, Parameters
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query, Row, Value

LONGEST_QUERY = 200
_MOST_PARTS = 6
_FEW = 500
"""Up to so many texts are put in order as they are."""
_AT_A_WALK = 300
"""So many customers are looked at in their order before all that could be meant are gathered."""
_NUMBER = re.compile(r"\+?[0-9()./ -]{3,}")
_LAST_LETTER = "\U0010ffff"

normalised = Value[str]("select search_text($1)")
"""A text in the one way of writing in which texts are found."""

segments = Column[str]("select distinct segment from playbook order by segment")
"""The segments that customers can be of."""

owners = Query(
    "select staff_id, name from staff where exists (select from account where owner_id = staff_id) order by name, staff_id"
)
"""Our people who own customers."""

Cursor = tuple[int, str, str]
"""A place in a list: how sure, the name in the one way of writing, the account."""


@dataclass(frozen=True)
class AccountPage:
    """Customers in their order, and after which of them the next page begins; null if there is none."""

    accounts: list[Row] = field(default_factory=list)
    next: Cursor | None = None


@dataclass(frozen=True)
class Asked:
    """What was asked, in the one way of writing. alternatives: of each, all parts stand in one text; each of `elsewhere` stands in
    some text of the same customer."""

    whole: str
    alternatives: tuple[tuple[str, ...], ...]
    elsewhere: tuple[str, ...] = ()

    def by_index(self, given: Parameters, alias: str = "e") -> str:
        """The condition on a text, which an index finds by its pieces."""
        return self._each(
            given, f"{alias}.pieces @> search_probe({{0}}::text) and strpos({alias}.says, {{0}}::text) > 0"
        )

    def by_reading(self, given: Parameters, alias: str) -> str:
        """The same of a text that is read anyway."""
        return self._each(given, f"strpos({alias}.says, {{0}}::text) > 0")

    def _each(self, given: Parameters, contains: str) -> str:
        either = (" and ".join(contains.format(given.put(part)) for part in parts) for parts in self.alternatives)
        return "(" + " or ".join(f"({one})" for one in either) + ")"


def ways(whole: str) -> Iterator[Asked]:
    """How to look for what was asked, the likeliest first."""
    parts = tuple(whole.split(" ")[:_MOST_PARTS])
    if _NUMBER.fullmatch(whole) and (digits := re.sub(r"\D", "", whole).lstrip("0")):
        # As it is dialled, abroad or at home; but a number may be a part of an id as well.
        yield Asked(whole, tuple(dict.fromkeys(((digits,), (whole.replace(" ", ""),)))))
        return
    yield Asked(whole, (parts,))
    if len(parts) > 1:  # one part names the company, another one somebody there
        yield Asked(whole, (parts[:1],), parts[1:])


# A place says how sure it is: 0 an id that was given whole, 1 a name that begins like that, 2 one that contains it, 3 something else of
# theirs.

_OWN = "search_entry s join account a using (account_id)"
_ORDER = 's.says collate "C", s.account_id'
_CHOSEN = "select s.account_id, {} as place, s.says from {} order by {} limit {}::int"
_FOUND = """
with t as materialized (select account_id, kind, ref, says from search_entry e where {match} limit {most}::int)
select account_id, count(*)::int as texts,
       min(case when {exact} then 0
                when kind = 'account' and starts_with(says, {whole}::text) then 1 when kind = 'account' then 2 else 3 end) as place
from t group by account_id
"""
_OF_THESE = """
select s.account_id, f.place, s.says from unnest({ids}::text[], {places}::int[]) f(account_id, place) join {own} using (account_id)
where s.kind = 'account' and {wanted} order by f.place, {order} limit {limit}::int
"""
_EXACT = "s.account_id in (select x.account_id from search_entry x where search_text(x.ref) = {}::text and x.kind <> 'contact')"
_IS_ID = "{0}kind <> 'contact' and right({0}says, length({1}::text)) = {1}::text and search_text({0}ref) = {1}::text"
"""The id is the end of the text, which is cheaper to look at."""
_DETAILS = """
select a.account_id, a.name, a.segment, a.country, a.since, a.closed_at, a.owner_id, p.name as owner, h.band, h.score, l.level as hold,
       f.kind as found, f.ref, c.name as label
from unnest($1::text[]) with ordinality o(account_id, number)
join account a using (account_id)
join staff p on p.staff_id = a.owner_id
left join lateral (select band, score from health_score h where h.account_id = a.account_id order by at desc limit 1) h on true
left join lateral (
    select min(level) as level from sales_hold l where l.account_id = a.account_id and l.lifted_at is null) l on true
left join lateral (
    select e.kind, e.ref from search_entry e where e.account_id = a.account_id and {match}
    order by ({exact}) desc, e.kind <> 'account', e.kind, e.ref limit 1) f on true
left join contact c on f.kind = 'contact' and c.account_id = a.account_id and c.contact_id = f.ref
order by o.number
"""


@dataclass(frozen=True)
class Wanted:
    """Which customers, after which one, and how many of them."""

    filter: AccountFilter
    after: Cursor | None
    limit: int

    def chosen(self, given: Parameters, condition: str, place: int = 0, walk: int = 0) -> str:
        """The statement of customers `a` of one place, with their own texts `s`, in their order. walk: the condition is looked at for
        so many customers alone, one after the other."""
        conditions = self.filter.conditions(given)
        own = _OWN if conditions else "search_entry s"
        of_it = "s.kind = 'account'" + (f" and {conditions}" if conditions else "")
        if self.after is not None and place == self.after[0]:
            of_it += f" and ({_ORDER}) > ({given.put(self.after[1])}::text, {given.put(self.after[2])}::text)"
        source, limit = f"select s.account_id, s.says from {own} where {of_it}", given.put(self.limit)
        if walk:
            return _CHOSEN.format(
                place, f"({source} order by {_ORDER} limit {walk}) s where {condition}", _ORDER, limit
            )
        return _CHOSEN.format(place, f"({source} and {condition}) s", _ORDER, limit)


def texts_with(asked: Asked, most: int | None, among: Sequence[str] | None = None) -> tuple[str, Parameters]:
    """So many texts at most that contain what was asked, by their customers; of these customers alone, if they are given."""
    given = Parameters()
    match = asked.by_index(given) if among is None else _among(among, asked, given)
    whole = given.put(asked.whole)
    return _FOUND.format(match=match, most=given.put(most), whole=whole, exact=_IS_ID.format("", whole)), given


def _among(among: Sequence[str], asked: Asked, given: Parameters) -> str:
    return f"e.account_id = any({given.put(list(among))}::text[]) and {asked.by_reading(given, 'e')}"


def of_these(places: Sequence[tuple[str, int]], wanted: Wanted) -> tuple[str, Parameters]:
    """Those of the customers that are wanted, each at its place."""
    given = Parameters()
    ids, numbers = given.put([one[0] for one in places]), given.put([one[1] for one in places])
    of_it = wanted.filter.conditions(given) or "true"
    if wanted.after is not None:
        place, says, account = map(given.put, wanted.after)
        of_it += f" and (f.place, {_ORDER}) > ({place}::int, {says}::text, {account}::text)"
    limit = given.put(wanted.limit)
    return _OF_THESE.format(ids=ids, places=numbers, own=_OWN, wanted=of_it, order=_ORDER, limit=limit), given


def some_of(wanted: Wanted, most: int) -> tuple[str, Parameters]:
    """So many at most of the customers that are wanted, in no order; nothing is asked for who wants any."""
    given = Parameters()
    conditions = wanted.filter.conditions(given)
    return f"select a.account_id from account a where {conditions or 'true'} limit {given.put(most)}::int", given


def of_all(wanted: Wanted) -> tuple[str, Parameters]:
    """All the customers that are wanted, by name."""
    given = Parameters()
    return wanted.chosen(given, "true"), given


def of_several(asked: Asked, wanted: Wanted) -> tuple[str, Parameters]:
    """The customers of whom several texts together contain what was asked."""
    given = Parameters()
    each = (asked, *(Asked(part, ((part,),)) for part in asked.elsewhere))
    within = " and ".join(
        f"s.account_id in (select e.account_id from search_entry e where {one.by_index(given)})" for one in each
    )
    return wanted.chosen(given, within, 3), given


def at_place(asked: Asked, place: int, walk: int, wanted: Wanted) -> tuple[str, Parameters]:
    """The customers of one place, of a walk if that is said."""
    given = Parameters()
    whole = given.put(asked.whole)
    exact = _EXACT.format(whole)
    begins = f's.says collate "C" >= {whole}::text and s.says collate "C" < {whole}::text || \'{_LAST_LETTER}\''
    if place == 0:
        condition = exact
    elif place == 1:
        condition = f"{begins} and not {exact}"
    elif place == 2:
        own = asked.by_reading(given, "s") if walk else asked.by_index(given, "s")
        condition = f"{own} and not starts_with(s.says, {whole}::text) and not {exact}"
    else:
        if walk:
            other = asked.by_reading(given, "e")
            theirs = f"exists (select from search_entry e where e.account_id = s.account_id and e.kind <> 'account' and {other})"
        else:
            theirs = _within("e.kind <> 'account' and " + asked.by_index(given))
        condition = f"not {asked.by_reading(given, 's')} and not {exact} and {theirs}"
    return wanted.chosen(given, condition, place, walk), given


def _within(condition: str) -> str:
    """Of the customers with such a text, which are gathered once: `offset` keeps the two selects apart."""
    return f"s.account_id in (select e.account_id from search_entry e where {condition} offset 0)"


def details(ids: Sequence[str], asked: Asked | None) -> tuple[str, Parameters]:
    """What lists show of customers, in the order in which they are given."""
    given = Parameters()
    given.put(list(ids))
    match = asked.by_reading(given, "e") if asked else "false"
    exact = _IS_ID.format("e.", given.put(asked.whole)) if asked else "e.kind is null"
    return _DETAILS.format(match=match, exact=exact), given


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
    for way in ways(whole):
        rows = await _found(connection, way, page)
        if rows:
            return await _page(connection, rows, limit, way)
    return AccountPage()


async def _page(connection: Connection, rows: Sequence[Row], limit: int, asked: Asked | None = None) -> AccountPage:
    ids = [row["account_id"] for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    accounts = await _rows(connection, details(ids, asked)) if ids else []
    return AccountPage(accounts, (last["place"], last["says"], last["account_id"]) if last else None)


async def _found(connection: Connection, asked: Asked, wanted: Wanted) -> list[Row]:
    """The customers of a page and the one behind it, each with its place and name."""
    if asked.elsewhere:
        return await _rows(connection, of_several(asked, wanted))
    texts = await _rows(connection, texts_with(asked, _FEW + 1))
    are_all = sum(row["texts"] for row in texts) <= _FEW
    if not are_all and wanted.filter.conditions(Parameters()):
        some = await _rows(connection, some_of(wanted, _FEW + 1))
        if len(some) <= _FEW:
            texts = await _rows(connection, texts_with(asked, None, [row["account_id"] for row in some]))
            are_all = True
    if are_all:
        return (
            await _rows(connection, of_these([(row["account_id"], row["place"]) for row in texts], wanted))
            if texts
            else []
        )
    found: list[Row] = []
    for place in range(wanted.after[0] if wanted.after else 0, 4):
        rest = replace(wanted, limit=wanted.limit - len(found))
        rows: list[Row] = []
        for walk in (_AT_A_WALK, 0) if place > 1 else (0,):
            rows = await _rows(connection, at_place(asked, place, walk, rest))
            if len(rows) == rest.limit:
                break
        found += rows
        if len(found) == wanted.limit:
            break
    return found
