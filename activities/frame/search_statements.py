"""Statements that find customers: by the texts that name them, one or several, each place of a list for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from activities.frame.account_filters import AccountFilter, Parameters

_MOST_PARTS = 6
_NUMBER = re.compile(r"\+?[0-9()./ -]{3,}")
_LAST_LETTER = "\U0010ffff"

Cursor = tuple[int, str, str]
"""A place in a list: how sure, the name in the one way of writing, the account."""


@dataclass(frozen=True)
class Asked:
    """What was asked, in the one way of writing. alternatives: of each, all parts stand in one text."""

    whole: str
    alternatives: tuple[tuple[str, ...], ...]

    def by_index(self, given: Parameters, alias: str = "e") -> str:
        """The condition on an entry, whose text an index finds by its pieces."""
        pieces = f"search_pieces({alias}.says) @> search_probe({{0}}::text)"
        return self._each(given, f"{pieces} and strpos({alias}.says, {{0}}::text) > 0")

    def by_reading(self, given: Parameters, text: str) -> str:
        """The same of a text that is read anyway."""
        return self._each(given, f"strpos({text}, {{0}}::text) > 0")

    def _each(self, given: Parameters, contains: str) -> str:
        either = (" and ".join(contains.format(given.put(part)) for part in parts) for parts in self.alternatives)
        return "(" + " or ".join(f"({one})" for one in either) + ")"


def in_one_text(whole: str) -> Asked:
    """What was asked, all of it in one text."""
    if digits := _digits(whole):
        # As it is dialled, abroad or at home; but a number may be a part of an id as well.
        return Asked(whole, tuple(dict.fromkeys(((digits,), (whole.replace(" ", ""),)))))
    return Asked(whole, (_parts(whole),))


def in_several(whole: str) -> tuple[str, ...]:
    """The parts of what was asked that may stand in several texts of a customer: one names the company, another one somebody there."""
    parts = _parts(whole)
    return () if _digits(whole) or len(parts) == 1 else parts


def _parts(whole: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(whole.split(" ")[:_MOST_PARTS]))


def _digits(whole: str) -> str:
    return re.sub(r"\D", "", whole).lstrip("0") if _NUMBER.fullmatch(whole) else ""


# A place says how sure it is: 0 an id that was given whole, 1 a name that begins like that, 2 one that contains it, 3 something else of
# theirs.

_OWN = "customer_text s join account a using (account_id)"
_ORDER = 's.says collate "C", s.account_id'
_CHOSEN = "select s.account_id, {} as place, s.says from {} order by {} limit {}::int"
_NAMED = (
    "select count(*)::int as names from (select from customer_text e where e.kind = 'account' and {} limit {}::int) few"
)
_FOUND = """
with t as materialized (select account_id, kind, ref, says from customer_text e where {match} limit {most}::int)
select account_id, count(*)::int as texts,
       min(case when {exact} then 0
                when kind = 'account' and starts_with(says, {whole}::text) then 1 when kind = 'account' then 2 else 3 end) as place
from t group by account_id
"""
_AMONG = """
select account_id, case when bool_or(e.kind = 'account' and {named}) then 2 else 3 end as place
from customer_text e where e.account_id = any({ids}::text[]) group by account_id having {each}
"""
_OF_THESE = """
select s.account_id, f.place, s.says from unnest({ids}::text[], {places}::int[]) f(account_id, place) join {own} using (account_id)
where s.kind = 'account' and {wanted} order by f.place, {order} limit {limit}::int
"""
_OTHERS = (
    "exists (select from customer_text e where e.account_id = s.account_id and e.kind <> 'account' and {} offset 0)"
)
"""Looked up customer by customer: without `offset` the engine reads all texts once, for few customers as well."""
_EXACT = "s.account_id in (select x.account_id from customer_text x where search_text(x.ref) = {}::text and x.kind <> 'contact')"
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
    select e.kind, e.ref from customer_text e where e.account_id = a.account_id and {match}
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
        own = _OWN if conditions else "customer_text s"
        of_it = "s.kind = 'account'" + (f" and {conditions}" if conditions else "")
        if self.after is not None and place == self.after[0]:
            of_it += f" and ({_ORDER}) > ({given.put(self.after[1])}::text, {given.put(self.after[2])}::text)"
        source, limit = f"select s.account_id, s.says from {own} where {of_it}", given.put(self.limit)
        if walk:
            return _CHOSEN.format(
                place, f"({source} order by {_ORDER} limit {walk}) s where {condition}", _ORDER, limit
            )
        return _CHOSEN.format(place, f"({source} and {condition}) s", _ORDER, limit)

    def gathered(self, given: Parameters, condition: str, place: int) -> str:
        """The statement of customers of one place by the condition on their texts `s`: all are read, each once, then put in order.
        `offset` keeps the reading from following the order."""
        conditions = self.filter.conditions(given)
        own = _OWN if conditions else "customer_text s"
        of_it = condition + (f" and {conditions}" if conditions else "")
        source = f"select distinct s.account_id, s.listed_by as says from {own} where {of_it} offset 0"
        behind = ""
        if self.after is not None and place == self.after[0]:
            behind = f" where ({_ORDER}) > ({given.put(self.after[1])}::text, {given.put(self.after[2])}::text)"
        return _CHOSEN.format(place, f"({source}) s{behind}", _ORDER, given.put(self.limit))


def texts_with(asked: Asked, most: int | None, among: Sequence[str] | None = None) -> tuple[str, Parameters]:
    """So many texts at most that contain what was asked, by their customers; of these customers alone, if they are given."""
    given = Parameters()
    match = asked.by_index(given) if among is None else _among(among, asked, given)
    whole = given.put(asked.whole)
    return _FOUND.format(match=match, most=given.put(most), whole=whole, exact=_IS_ID.format("", whole)), given


def _among(among: Sequence[str], asked: Asked, given: Parameters) -> str:
    return f"e.account_id = any({given.put(list(among))}::text[]) and {asked.by_reading(given, 'e.says')}"


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


def names_with(asked: Asked, most: int) -> tuple[str, Parameters]:
    """How many customers contain what was asked in their own names; counted no further than so many."""
    given = Parameters()
    match = asked.by_index(given)
    return _NAMED.format(match, given.put(most)), given


def at_place(asked: Asked, place: int, walk: int, wanted: Wanted) -> tuple[str, Parameters]:
    """The customers of one place, their texts read in their order: of a walk of so many if that is said, else until a page is full."""
    given = Parameters()
    whole = given.put(asked.whole)
    exact = _EXACT.format(whole)
    begins = f's.says collate "C" >= {whole}::text and s.says collate "C" < {whole}::text || \'{_LAST_LETTER}\''
    if place == 0:
        condition = exact
    elif place == 1:
        condition = f"{begins} and not {exact}"
    elif place == 2:
        condition = f"{asked.by_reading(given, 's.says')} and not starts_with(s.says, {whole}::text) and not {exact}"
    else:
        theirs = _OTHERS.format(asked.by_reading(given, "e.says"))
        condition = f"not {asked.by_reading(given, 's.says')} and not {exact} and {theirs}"
    return wanted.chosen(given, condition, place, walk), given


def gathered_at(asked: Asked, place: int, wanted: Wanted) -> tuple[str, Parameters]:
    """The customers of place 2 or 3, all found by the pieces of their texts and put in order."""
    given = Parameters()
    whole = given.put(asked.whole)
    found = f"{asked.by_index(given, 's')} and not {_EXACT.format(whole)}"
    if place == 2:
        condition = f"s.kind = 'account' and not starts_with(s.says, {whole}::text) and {found}"
    else:
        condition = f"s.kind <> 'account' and not {asked.by_reading(given, 's.listed_by')} and {found}"
    return wanted.gathered(given, condition, place), given


def details(ids: Sequence[str], asked: Asked | None) -> tuple[str, Parameters]:
    """What lists show of customers, in the order in which they are given."""
    given = Parameters()
    given.put(list(ids))
    match = asked.by_reading(given, "e.says") if asked else "false"
    exact = _IS_ID.format("e.", given.put(asked.whole)) if asked else "e.kind is null"
    return _DETAILS.format(match=match, exact=exact), given


def several_at(parts: Sequence[str], place: int, walk: int, wanted: Wanted) -> tuple[str, Parameters]:
    """Customers of whom several texts together contain the parts, in their order: at place 2 their own names one of them at least."""
    given = Parameters()
    own = [_reads(given, "s.says", part) for part in parts]
    others = [_elsewhere(given, part) for part in parts]
    either = f"({' or '.join(own)})"
    if place == 2:
        each = " and ".join(f"({one} or {other})" for one, other in zip(own, others, strict=True))
        return wanted.chosen(given, f"{either} and {each}", place, walk), given
    return wanted.chosen(given, f"not {either} and {' and '.join(others)}", place, walk), given


def several_gathered(parts: Sequence[str], wanted: Wanted) -> tuple[str, Parameters]:
    """Those of place 3, found by the pieces of their texts and put in order."""
    given = Parameters()
    found = Asked(parts[0], ((parts[0],),)).by_index(given, "s")
    others = [_all_with(given, part) for part in parts[1:]]
    unnamed = f"not {anywhere(parts).by_reading(given, 's.listed_by')}"
    return wanted.gathered(given, " and ".join(("s.kind <> 'account'", unnamed, found, *others)), 3), given


def several_among(parts: Sequence[str], among: Sequence[str]) -> tuple[str, Parameters]:
    """Of these customers those whose texts contain all the parts, each with its place; all their texts are read."""
    given = Parameters()
    ids, named = given.put(list(among)), anywhere(parts).by_reading(given, "e.says")
    each = " and ".join(f"bool_or({_reads(given, 'e.says', part)})" for part in parts)
    return _AMONG.format(named=named, ids=ids, each=each), given


def anywhere(parts: Sequence[str]) -> Asked:
    """Any of the parts."""
    return Asked(" ".join(parts), tuple((part,) for part in parts))


def _reads(given: Parameters, text: str, part: str) -> str:
    return Asked(part, ((part,),)).by_reading(given, text)


def _elsewhere(given: Parameters, part: str) -> str:
    return _OTHERS.format(_reads(given, "e.says", part))


def _all_with(given: Parameters, part: str) -> str:
    """The customers with such a text, read once: `offset` keeps the two selects apart."""
    found = Asked(part, ((part,),)).by_index(given)
    return f"s.account_id in (select e.account_id from customer_text e where e.kind <> 'account' and {found} offset 0)"
