"""What goes along with assets that are handed over, in tables: contacts, and of a whole account its cases, surveys, usage and timeline."""

from __future__ import annotations

from activities.frame.handlers import Place, Sql
from domain.contracts.writes import TakeHistory
from domain.frame.people_facts import ChangeOf

# Who is known there by their address stays who they are; an id that is taken there becomes another. Who is new is so once, whatever ids
# their address had. What somebody has said of optional mails goes along, and of two words the later one counts.
TAKE_CONTACTS = Sql(
    f"""
with came as (
insert into contact (account_id, contact_id, position, name, email, role, language, time_zone, rejected_at, rejected_reason, phone,
    phone_number, unsubscribed_at, set_by_request)
select :account_id, case when exists (select from contact t where t.account_id = :account_id and t.contact_id = c.contact_id)
        then left(md5(c.account_id || '/' || c.contact_id), 16) else c.contact_id end,
    (select coalesce(max(position), -1) from contact where account_id = :account_id) + row_number() over (order by c.position),
    c.name, c.email, c.role, c.language, c.time_zone, c.rejected_at, c.rejected_reason, c.phone, c.phone_number, c.unsubscribed_at, true
from contact c where c.account_id = :from_account and c.contact_id = any(:contact_ids)
    and not exists (select from contact t where t.account_id = :account_id and lower(t.email) = lower(c.email))
returning contact_id, position, email, role),
wishes as (
insert into mail_wish (account_id, email, declined, every_days, chosen_at)
select :account_id, said.email, said.declined, said.every_days, said.chosen_at from mail_wish said
where said.account_id = :from_account and exists (select from contact c where c.account_id = :from_account
    and c.contact_id = any(:contact_ids) and lower(c.email) = said.email)
on conflict (account_id, email) do update set declined = excluded.declined, every_days = excluded.every_days,
    chosen_at = excluded.chosen_at where mail_wish.chosen_at < excluded.chosen_at),
stopped as (
update contact t set unsubscribed_at = c.unsubscribed_at from contact c
where t.account_id = :account_id and c.account_id = :from_account and c.contact_id = any(:contact_ids) and lower(t.email) = lower(c.email)
    and t.unsubscribed_at is null and c.unsubscribed_at is not null and not exists (select from mail_wish later
    where later.account_id = :account_id and later.email = lower(t.email) and later.chosen_at > c.unsubscribed_at))
insert into people_change (account_id, what, about, after, at)
select distinct on (lower(email)) :account_id, '{ChangeOf.CONTACT.value}', contact_id, role, :at::timestamptz from came
order by lower(email), position
"""
)
# Who became part of this account before is part of the other one, too.
MERGED_INTO = Sql("update account set merged_into = :to_account where :account_id in (account_id, merged_into)")
_SAME_PERSON = (
    "(select t.contact_id from contact t join contact c on lower(t.email) = lower(c.email)"
    " where t.account_id = :account_id and c.account_id = :from_account and c.contact_id = {}.contact_id limit 1)"
)
_HISTORY = (
    f"update service_case m set contact_id = {_SAME_PERSON.format('m')}, account_id = :account_id where account_id = :from_account",
    "update sales_hold set lifted_at = :at, lifted_by = 'merge' where account_id = :from_account and case_id is not null"
    " and lifted_at is null",
    "update survey set account_id = :account_id where account_id = :from_account",
    "update timeline_item set account_id = :account_id where account_id = :from_account",
    # What was charged for use by then is charged; of a day that both reported, both count.
    "insert into usage_day as o (account_id, product_code, day, active_users, key_actions, invited_users, activated_users, units,"
    " charged_units) select :account_id, product_code, day, active_users, key_actions, invited_users, activated_users, units,"
    " coalesce(units, 0) from usage_day where account_id = :from_account"
    " on conflict (account_id, product_code, day) do update set active_users = o.active_users + excluded.active_users,"
    " key_actions = coalesce(o.key_actions + excluded.key_actions, o.key_actions, excluded.key_actions),"
    " invited_users = coalesce(o.invited_users + excluded.invited_users, o.invited_users, excluded.invited_users),"
    " activated_users = coalesce(o.activated_users + excluded.activated_users, o.activated_users, excluded.activated_users),"
    " units = coalesce(o.units + excluded.units, o.units, excluded.units),"
    " charged_units = o.charged_units + excluded.charged_units",
    "delete from usage_day where account_id = :from_account",
    "insert into usage_feature_day as o (account_id, product_code, feature, day, active_users, key_actions)"
    " select :account_id, product_code, feature, day, active_users, key_actions from usage_feature_day where account_id = :from_account"
    " on conflict (account_id, product_code, feature, day) do update set active_users = o.active_users + excluded.active_users,"
    " key_actions = coalesce(o.key_actions + excluded.key_actions, o.key_actions, excluded.key_actions)",
    "delete from usage_feature_day where account_id = :from_account",
)
_TAKE_HISTORY = [Sql(text) for text in _HISTORY]


async def take_history(place: Place, writes: list[TakeHistory]) -> None:
    """What another account has lived through is this one's; the contacts came before."""
    for statement in _TAKE_HISTORY:
        await statement(place, writes)
