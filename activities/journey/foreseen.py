"""What has happened to a customer, read so that it can be told what is new: messages, tasks of people, usage."""

from __future__ import annotations

from activities.kernel.queries import Query

messages_of = Query(
    "select o.delivery_id, o.channel, o.stage, o.status, o.reason, coalesce(o.message_id, l.message_id) as message_id,"
    "  coalesce(o.settled_at, o.created_at) as at,"
    "  o.body->>'template' as template, coalesce(c.name, s.name, o.body->>'to_name') as name, c.role"
    " from outbox o left join contact c on c.account_id = o.account_id and c.contact_id = o.contact_id"
    "  left join staff s on s.staff_id = o.staff_id left join outbox l on l.delivery_id = o.left_with"
    " where o.account_id = $1 and o.channel in ('deliver_mail', 'deliver_notice')"
    " order by coalesce(o.settled_at, o.created_at), o.delivery_id"
)
"""Mails and notices of an account, with where they stand since when, whom they are for, and the message that each left in."""


staff_tasks_of = Query(
    "select t.key, t.title, s.name as owner, t.opened_at, t.due_at, t.closed_at"
    " from staff_task t join staff s on s.staff_id = t.staff_id where t.account_id = $1 order by t.opened_at, t.key"
)
"""What our people were asked to do for an account, and when it was done, if it was."""


usage_since = Query(
    "select product_code as product, day, active_users, key_actions, invited_users, activated_users, units, null as feature"
    " from usage_day where account_id = $1 and day > $2"
    " union all select product_code, day, active_users, key_actions, null, null, null, feature"
    " from usage_feature_day where account_id = $1 and day > $2 order by day, product, feature nulls first"
)
"""What an account's products reported after a day."""
