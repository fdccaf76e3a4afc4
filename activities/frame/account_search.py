"""Finding customers: by a part of anything that names them, in any script, and by what is so of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query, Row, Value

LONGEST_QUERY = 200
_MOST_PARTS = 6
_MOST_FOUND = 500
"""So many texts are looked at for one part; who finds more says more."""
_NUMBER = re.compile(r"\+?[0-9()./ -]{3,}")

normalised = Value[str]("select search_text($1)")
"""A text in the one way of writing in which texts are found."""

segments = Column[str]("select distinct segment from playbook order by segment")
"""The segments that customers can be of."""

owners = Query(
    "select staff_id, name from staff where exists (select from account where owner_id = staff_id) order by name, staff_id"
)
"""Our people who own customers."""


@dataclass(frozen=True)
class AccountFilter:
    """What is so of the customers that are wanted; null for whatever. `of_staff`: they own them or look after them. `hold`: `block`,
    `warn`, or `any`. `band`: of the latest health score."""

    segment: str | None = None
    owner: str | None = None
    band: str | None = None
    hold: str | None = None
    of_staff: str | None = None
    closed: bool = False


@dataclass(frozen=True)
class AccountPage:
    """Customers in their order, and after which of them the next page begins; null if there is none."""

    accounts: list[Row] = field(default_factory=list)
    next: tuple[int, str, str] | None = None


def match_query(numbers: Sequence[int], most: int | None = None) -> str:
    """The texts that contain the parameters of these numbers: their pieces find them by the index, then the text is read."""
    parts = " and ".join(f"pieces @> search_probe(${n}::text) and strpos(says, ${n}::text) > 0" for n in numbers)
    return f"select account_id, kind, ref, says from search_entry where {parts}" + (f" limit {most}" if most else "")


_LIST = """
select a.account_id, a.name, a.segment, a.country, a.since, a.closed_at, a.owner_id, s.name as owner, h.band, h.score, l.level as hold,
       f.kind as found, f.ref, f.place, c.name as label
from {found}
join account a on a.account_id = f.account_id
join staff s on s.staff_id = a.owner_id
left join lateral (select band, score from health_score h where h.account_id = a.account_id order by at desc limit 1) h on true
left join lateral (
    select min(level) as level from sales_hold l where l.account_id = a.account_id and l.lifted_at is null) l on true
left join contact c on f.kind = 'contact' and c.account_id = a.account_id and c.contact_id = f.ref
where ($1::text is null or a.segment = $1) and ($2::text is null or a.owner_id = $2) and ($3::text is null or h.band = $3)
  and ($4::text is null or l.level = $4 or ($4 = 'any' and l.level is not null))
  and ($5::text is null or $5 in (a.owner_id, a.success_manager_id)) and ($6 or a.closed_at is null)
  and ($7::int is null or (f.place, a.name, a.account_id) > ($7, $8::text, $9::text))
order by f.place, a.name, a.account_id limit $10
"""
_FIRST = 11
_ALL = "(select account_id, null as kind, null as ref, 0 as place from account) f"


def list_query(matches: Sequence[str], whole: int = 0) -> str:
    """The statement of a page. $1 to $10: the filter, the cursor, the size. matches: the statements each of which has to find an account;
    whole: the number of the parameter that is all that was asked."""
    if not matches:
        return _LIST.format(found=_ALL)
    ctes = ", ".join(f"t{n} as materialized ({match})" for n, match in enumerate(matches))
    others = "".join(f" and account_id in (select account_id from t{n})" for n in range(1, len(matches)))
    found = f"""(
    select distinct on (account_id) account_id, kind, ref,
        case when search_text(ref) = ${whole}::text then 0 when kind = 'account' and starts_with(says, ${whole}::text) then 1
             when kind = 'account' then 2 else 3 end as place
    from t0 where true{others} order by account_id, 4, kind, ref) f"""
    return f"with {ctes} " + _LIST.format(found=found)


async def find_accounts(
    connection: Connection,
    asked: str = "",
    wanted: AccountFilter | None = None,
    *,
    after: tuple[int, str, str] | None = None,
    limit: int = 50,
) -> AccountPage:
    """Customers whose names, people, addresses, numbers or ids contain each part of what was asked, the surest first; without a
    question all that the filter wants, by name. `found` and `ref` say what it was found by."""
    wanted = wanted or AccountFilter()
    whole = await normalised(connection, asked[:LONGEST_QUERY]) or ""
    given = (wanted.segment, wanted.owner, wanted.band, wanted.hold, wanted.of_staff, wanted.closed or bool(whole))
    for matches, values in _ways(whole):
        query = list_query(matches, _FIRST + len(values) - 1)
        rows = await connection.fetch(query, *given, *(after or (None, None, None)), limit + 1, *values)
        if rows:
            accounts = [dict(row) for row in rows[:limit]]
            last = accounts[-1] if len(rows) > limit else None
            return AccountPage(accounts, (last["place"], last["name"], last["account_id"]) if last else None)
    return AccountPage()


def _ways(whole: str) -> Iterator[tuple[list[str], list[str]]]:
    """How to look for what was asked, the likeliest first: the statements, and the parameters that they begin at `_FIRST`."""
    parts = whole.split(" ")[:_MOST_PARTS] if whole else []
    numbers = [_FIRST + n for n in range(len(parts))]
    if not parts:
        yield [], []
    elif _NUMBER.fullmatch(whole) and (digits := re.sub(r"\D", "", whole).lstrip("0")):
        # As it is dialled, abroad or at home; but a number may be a part of an id as well.
        either = " union all ".join(f"({match_query([number], _MOST_FOUND)})" for number in (_FIRST, _FIRST + 1))
        yield [either], [digits, whole.replace(" ", ""), whole]
    else:
        yield [match_query(numbers, _MOST_FOUND)], [*parts, whole]
        if len(parts) > 1:  # one part names the company, another one somebody there
            yield [match_query([number]) for number in numbers], [*parts, whole]
