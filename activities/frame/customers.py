"""Reading a customer: one statement that gathers everything a decision may know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from pydantic import ValidationError

from activities.frame.account_filters import in_sight
from activities.frame.talks import with_talks
from activities.kernel.pool import Connection, Record
from activities.kernel.queries import Column, Query, Value, by_name
from domain.frame.customer import Customer
from domain.frame.keys import effect_key
from domain.frame.partly import read_customer, with_known_zones
from domain.frame.playbook import Playbook
from domain.frame.situation import HelpOwed, Looks
from domain.frame.unread import Unread
from domain.frame.unreadable import Missing, Unreadable, UnreadableError, why_not
from domain.kernel.calendar import local_day
from domain.kernel.zones import is_zone
from domain.success import adoption

_CUSTOMER = """
with a as (select * from account where account_id = $1)
select json_build_object(
  'account', (select row_to_json(a) from a),
  'owner', (select row_to_json(s) from staff s, a where s.staff_id = a.owner_id),
  'manager', (select row_to_json(m) from a join staff s on s.staff_id = a.owner_id join staff m on m.staff_id = s.manager_id
              where m.left_at is null),
  'success_manager', (select row_to_json(s) from staff s, a where s.staff_id = a.success_manager_id),
  'contacts', coalesce((
    select json_agg(row_to_json(x) order by x.position) from (
      select c.position, c.contact_id, c.name, c.email, c.role, c.language, c.time_zone, c.rejected_at is not null as rejected,
        c.unsubscribed_at is not null as unsubscribed, coalesce(to_json(wish.declined), '[]') as declined, wish.every_days
      from contact c left join mail_wish wish on wish.account_id = c.account_id and wish.email = lower(c.email)
      where c.account_id = $1) x), '[]'),
  'contracts', {contracts},
  'assets', {assets},
  'tasks', coalesce((
    select json_agg(row_to_json(t) order by t.due_at, t.name, t.stage) from onboarding_task t
    where t.account_id = $1 and (t.status = 'open' or t.due_at > $2::timestamptz - interval '400 days')), '[]'),
  'usage', coalesce((
    select json_agg(row_to_json(u) order by u.product) from (
      select product_code as product, max(day) as latest_day, min(day) as since,
             (avg(active_users) filter (where day > $3::date - 28))::text as recent,
             (avg(active_users) filter (where day <= $3::date - 28))::text as earlier,
             ((array_agg(active_users order by day desc))[1])::text as last
      from usage_day where account_id = $1 and day <= $3::date and day > $3::date - 56
      group by product_code) u), '[]'),
  'offers', coalesce((
    select json_agg(json_build_object(
        'offer_id', o.offer_id, 'asset_id', o.asset_id, 'add', o.add_quantity, 'unit_price', o.unit_price::text,
        'status', o.status, 'offered_at', o.offered_at, 'expires_at', o.expires_at) order by o.offered_at, o.offer_id)
    from offer o where o.account_id = $1 and o.offered_at > $2::timestamptz - interval '400 days'), '[]'),
  'surveys', coalesce((
    select json_agg(row_to_json(s) order by s.sent_at, s.survey_id) from survey s
    where s.account_id = $1 and s.kind = 'nps' and s.withdrawn_at is null
      and s.sent_at > $2::timestamptz - interval '400 days'), '[]'),
  'efforts', coalesce((
    select json_agg(row_to_json(s) order by s.sent_at, s.survey_id) from survey s
    where s.account_id = $1 and s.kind = 'ces' and s.withdrawn_at is null), '[]'),
  'references', coalesce((
    select json_agg(row_to_json(r) order by r.sent_at, r.reference_id) from reference_ask r
    where r.account_id = $1 and r.withdrawn_at is null), '[]'),
  'health', coalesce((
    select json_agg(row_to_json(h) order by h.at)
    from (select at, score, band from health_score where account_id = $1 order by at desc limit 3) h), '[]'),
  'staff_tasks', coalesce((
    select json_agg(t.key order by t.opened_at, t.key) from staff_task t where t.account_id = $1 and t.closed_at is null), '[]'),
  'changes', coalesce((
    select json_agg(row_to_json(g) order by g.at, g.number) from people_change g
    where g.account_id = $1 and g.at > $2::timestamptz - interval '400 days'), '[]'),
  'purchases', coalesce((
    select json_agg(row_to_json(o) order by o.day, o.order_id) from (
      select order_id, activated_on as day from sales_order
      where account_id = $1 and sells_goods order by activated_at desc, order_id desc limit 60) o), '[]'),
  'orders', coalesce((
    select json_agg(row_to_json(x) order by x.activated_at desc, x.order_id desc) from (
      select o.order_id, o.activated_at, o.recorded_at, said.names, said.sent
      from (select order_id, activated_at, recorded_at from sales_order where account_id = $1
              and activated_at > $2::timestamptz - interval '400 days' order by activated_at desc, order_id desc limit 20) o
      cross join lateral (
        select coalesce(json_agg(n.name order by n.place) filter (where n.place <= 12), '[]') as names,
               coalesce(json_agg(n.name order by n.place) filter (where n.sent and n.among <= 12), '[]') as sent
        from (select s.*, row_number() over (order by s.first) as place,
                     row_number() over (partition by s.sent order by s.first) as among
              from (select p.name, min(l.line_id) as first, bool_or(p.kind in ('goods', 'device')) as sent
                    from order_line l join product p on p.code = l.product_code where l.order_id = o.order_id
                    group by p.name) s) n) said) x), '[]'),
  'goods', coalesce((
    select json_agg(distinct g.name) from (
      select p.name from sales_order o join order_line l using (order_id) join product p on p.code = l.product_code
      where o.account_id = $1 and o.sells_goods and p.kind = 'goods' order by o.activated_at desc, o.order_id desc, l.line_id limit 8) g), '[]')
)::text
"""
_CONTRACTS = """coalesce((
    select json_agg(row_to_json(x) order by x.contract_id) from (
      select c.contract_id, c.order_id, c.currency, c.auto_renew, c.renewal_months, c.notice_days,
        c.uplift_percent::text as uplift_percent, c.status, c.status_reason, c.billing, c.first_invoice, c.evergreen, c.anchor_day,
        c.billed_from, f.start_on as first_start, f.until as first_until, row_to_json(t) as term, row_to_json(b) as previous,
        (select json_agg(n.start_on order by n.number) from contract_term n where n.contract_id = c.contract_id) as starts,
        v.offered, v.waiting, coalesce(v.versions, 1) as versions, coalesce(v.saved, false) as saved,
        (select h.reason from contract_churn h where h.contract_id = c.contract_id) as churn
      from contract c
      left join contract_term f on f.contract_id = c.contract_id and f.number = 1
      left join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
      left join contract_term b on b.contract_id = c.contract_id and b.number = t.number - 1
      left join lateral (
        select max(r.version) as versions, bool_or(r.saves) as saved,
          (array_agg(r.body order by r.version desc) filter (where r.state = 'offered'))[1] as offered,
          case when (array_agg(r.state order by r.version desc))[1] = 'waiting'
            then (array_agg(r.body order by r.version desc))[1] end as waiting
        from (select version, state, saves, to_jsonb(w) || jsonb_build_object('discount_percent', w.discount_percent::text,
                'uplift_percent', w.uplift_percent::text) as body
              from renewal_version w where w.contract_id = c.contract_id and w.term = t.number + 1) r) v on true
      where c.account_id = $1 and (c.status <> 'ended' or c.status_at > $2::timestamptz - interval '400 days')) x), '[]')"""
_ASSETS = """coalesce((
    select json_agg(row_to_json(x) order by x.asset_id) from (
      select s.asset_id, s.product_code as product, p.name as product_name, p.kind, s.contract_id, s.currency, s.price_per as per,
        s.unit_price::text as unit_price, s.ramped, coalesce((
          select json_agg(json_build_object('starts_at', r.starts_at, 'ends_at', r.ends_at, 'quantity', r.quantity,
            'mrr', r.mrr::text) order by r.starts_at)
          from asset_state_period r
          where r.asset_id = s.asset_id and (r.ends_at is null or r.ends_at > $2::timestamptz - interval '400 days')), '[]') as periods
      from asset s join product p on p.code = s.product_code
      where s.account_id = $1 and (s.lifecycle_end is null or s.lifecycle_end > $2::timestamptz - interval '400 days')) x), '[]')"""
CUSTOMER = _CUSTOMER.replace("{contracts}", _CONTRACTS).replace("{assets}", _ASSETS)
_ALONE = _CUSTOMER.replace("{contracts}", "'[]'::json").replace("{assets}", "'[]'::json")
_OF_CONTRACT = _CUSTOMER.replace(
    "{contracts}", _CONTRACTS.replace("where c.account_id = $1", "where c.account_id = $1 and c.contract_id = $7")
).replace("{assets}", _ASSETS.replace("where s.account_id = $1", "where s.account_id = $1 and s.contract_id = $7"))


_ZONE = "select time_zone from account where account_id = $1"
PLAYBOOKS: dict[tuple[str, int], Playbook] = {}
"""Those that this process has read, by segment and version: a version never changes. One process, one database."""


_ZONES: dict[str, str] = {}
"""The zones that accounts were last seen with: what is read goes by their day, and by its own zone whether that was the right one."""
_MOST_ZONES = 100_000


@dataclass(frozen=True)
class Seen:
    """What one statement has read of an account, by `day` as the local one; of contracts and assets only those
    `within` a contract, or none, if it was asked so."""

    row: Record
    day: date
    within: str | None = None


def reading(beside: Mapping[str, str], within: str | None = None) -> str:
    """What is selected of a customer, with the values of other statements by their names: the account is $1, the instant $2, the local
    day $3. within: the contract, $7, whose are the only contract and assets that are read; `NO_CONTRACT` for none."""
    of = CUSTOMER if within is None else _OF_CONTRACT if within else _ALONE
    return by_name({"zone": _ZONE, "customer": of, **beside})


def likely_day(account_id: str, as_of: datetime) -> date:
    """The account's day at `as_of`, as far as this process knows where it is."""
    return local_day(as_of, _ZONES.get(account_id, "UTC"))


async def load_customer(connection: Connection, account_id: str, as_of: datetime) -> Customer | None:
    """Everything about a customer at `as_of`, or null if no order of theirs was ever accepted.

    What cannot be read is left out and named in `unreadable`. Raises UnreadableError if that is the account itself.
    """
    return (await load_customer_and(connection, account_id, as_of, {}))[0]


async def load_customer_and(
    connection: Connection, account_id: str, as_of: datetime, beside: Mapping[str, str], seen: Seen | None = None
) -> tuple[Customer | None, Mapping[str, Any]]:
    """As `load_customer`, with the values of other statements, see `reading`, in the same round trip; `seen`: what was read so just now."""
    row, day = (seen.row, seen.day) if seen else (None, likely_day(account_id, as_of))
    within = seen.within if seen else None
    while True:
        row = row or await connection.fetchrow(f"select {reading(beside)}", account_id, as_of, day)
        assert row is not None
        zone = row["zone"]
        if zone is None:
            _ZONES.pop(account_id, None)
            return None, {}
        if not is_zone(zone):
            why = f"no time zone is called {zone!r}, so no day of theirs is known"
            raise UnreadableError(Unreadable(kind="account", id=account_id, why=why))
        if len(_ZONES) >= _MOST_ZONES:
            _ZONES.clear()
        _ZONES[account_id] = zone
        if local_day(as_of, zone) == day:
            return _within(_read(row["customer"]), within), {**row, "within": within}
        row, day, within = None, local_day(as_of, zone), None


def _within(customer: Customer, contract_id: str | None) -> Customer:
    """The customer of whom only what is under a contract was read, if so."""
    if contract_id is None:
        return customer
    left = {"contracts": Unread(contract_id, customer.contracts), "assets": Unread(contract_id, customer.assets)}
    return customer.having(**left)


def _read(said: str) -> Customer:
    try:
        customer = Customer.model_validate_json(said)
    except ValidationError:
        customer = read_customer(json.loads(said))
    return with_known_zones(customer)


async def load_playbook(connection: Connection, segment: str, version: int) -> Playbook:
    """The playbook that a customer was planned with. One that cannot be read stops only what asks it for something."""
    if known := PLAYBOOKS.get((segment, version)):
        return known
    body = await connection.fetchval("select body from playbook where segment = $1 and version = $2", segment, version)
    try:
        found = PLAYBOOKS[segment, version] = Playbook.stored(body)
    except ValidationError as error:
        fact = Unreadable(kind="playbook", id=f"{segment} {version}", why=why_not(error))
        return cast(Playbook, Missing(fact))
    return found


async def find_playbook(connection: Connection, segment: str, version: int) -> Playbook | None:
    """The playbook of that segment and version; null if none is on record."""
    if await connection.fetchval("select 1 from playbook where segment = $1 and version = $2", segment, version):
        return await load_playbook(connection, segment, version)
    return None


_CAME_BACK = """
select max(h.starts_at) from (
  select r.starts_at, max(coalesce(r.ends_at, 'infinity')) over (
      order by r.starts_at, r.ends_at, r.asset_id rows between unbounded preceding and 1 preceding) as covered
  from asset s join product p on p.code = s.product_code join asset_state_period r using (asset_id)
  where s.account_id = $1 and p.kind in ('subscription', 'support') and r.quantity > 0 and r.starts_at <= $4) h
where h.covered < h.starts_at
"""
"""When something sold for a term was in force again after a time in which nothing was."""


async def load_looks(connection: Connection, account_id: str, as_of: datetime) -> Looks:
    """Since when help is under way, the latest looks at how the customer uses what they pay for, and whether they had left before."""
    row = await connection.fetchrow(
        f"select ({_CAME_BACK}) as back,"
        " (select max(coalesce(reopened_at, opened_at)) from staff_task where account_id = $1 and key = $3 and closed_at is null) as help,"
        " (select count(*)::int from staff_task where account_id = $1 and starts_with(key, $3 || '/') and opened_at >="
        "  (select max(opened_at) from staff_task where account_id = $1 and key = $3 and closed_at is null)) as steps,"
        " (select coalesce(jsonb_agg(jsonb_build_object('key', t.key, 'staff_id', s.staff_id, 'name', s.name,"
        "    'due_at', greatest(t.due_at, t.snoozed_until)) order by greatest(t.due_at, t.snoozed_until), t.key), '[]')"
        "  from staff_task t join staff s using (staff_id) where t.account_id = $1 and t.closed_at is null"
        "  and (t.key = $3 or starts_with(t.key, $3 || '/'))) as owed,"
        " max(as_of) filter (where starts_with(key, $2 || '/check-in-')) as checked_in,"
        " max(as_of) filter (where starts_with(key, $2 || '/follow-up-')) as followed_up"
        " from effect where account_id = $1 and starts_with(key, $2)",
        account_id,
        effect_key(account_id, adoption.STAGE),
        adoption.HELP_TASK,
        as_of,
    )
    if row is None:
        return Looks()
    looks = Looks(
        help_since=row["help"],
        checked_in_at=row["checked_in"],
        followed_up_at=row["followed_up"],
        help_steps=row["steps"],
        help_owed=tuple(
            HelpOwed(one["key"], one["staff_id"], one["name"], datetime.fromisoformat(one["due_at"]))
            for one in row["owed"]
        ),
        back_at=row["back"],
    )
    return await with_talks(connection, account_id, looks)


async def reopen(connection: Connection, account_id: str) -> None:
    """An account whose journey was closed and begins again."""
    await connection.execute(
        "update account set closed_at = null, closed_reason = null where account_id = $1 and closed_at is not null",
        account_id,
    )


account_name = Value[str | None]("select name from account where account_id = $1")
"""What an account is called; null for one that is not known."""


async def zone_of(connection: Connection, account_id: str) -> str:
    """The account's time zone; UTC for one that is not known."""
    zone: str | None = await connection.fetchval(_ZONE, account_id)
    return zone or "UTC"


looks_after = Value[bool | None](f"select coalesce({in_sight('$2')}, false) from account a where account_id = $1")
"""True if an account is one of somebody's: they own it or look after it, or their team does; null for one that is not known."""


customers_of = Column[str](f"select account_id from account a where {in_sight('$1')}")
"""The accounts that one of our people owns or looks after, or their team."""


standing_of = Query(
    "select a.account_id, a.name, a.country, a.time_zone, greatest($2::timestamptz,"
    " (select max(e.as_of) from effect e where e.account_id = a.account_id)) as now from account a where a.account_id = $1"
)
"""An account with its own time: the present, or once its clock was moved the last that happened. Nothing for one that is not known."""


latest_lived = Value[datetime | None]("select max(as_of) from effect")
"""The latest instant that anything was done as of: ahead of the present where a life was lived ahead. It reads all of them."""


count_accounts = Value[int]("select count(*) from account")
"""How many accounts there are."""


async def unknown_accounts(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Those of these ids that no account has."""
    rows = await connection.fetch(
        "select id from unnest($1::text[]) id where not exists (select 1 from account where account_id = id) order by id",
        list(ids),
    )
    return [row["id"] for row in rows]


accounts_under_contract = Column[str](
    "select account_id from account where closed_at is null and exists"
    " (select 1 from contract where contract.account_id = account.account_id and status <> 'ended') order by account_id"
)
"""Accounts that a journey has to look after: not closed, with a contract that is not over."""


some_under_contract = Column[str](
    "select account_id from account where closed_at is null and exists"
    " (select 1 from contract where contract.account_id = account.account_id and status <> 'ended') order by account_id limit 3"
)
"""A few of them, for a look that costs little."""


accounts_after = Column[str]("select account_id from account where account_id > $1 order by account_id limit $2")
"""Account ids in their order, a page at a time: those after the last of the page before."""
