"""Whom a mail went to, for the pages that its links lead to: who they are today, and which mails they want."""

from __future__ import annotations

from pydantic import AwareDatetime

from activities.kernel.queries import Models
from domain.frame.mail_kinds import MailTopic
from domain.kernel.base import Carried
from domain.orders.order import ContactRole


class MailReader(Carried):
    """Whom a mail went to. `current`: they are a contact with that address still; `role` is that of today. `now`: what time it is for
    the customer, whose clock may have been moved."""

    account_id: str
    company: str
    seller: str
    contact_id: str
    name: str
    email: str
    language: str
    time_zone: str
    at: AwareDatetime
    now: AwareDatetime
    current: bool
    role: ContactRole | None = None
    unsubscribed: bool = False
    declined: tuple[MailTopic, ...] = ()
    every_days: int | None = None


reader_of = Models(
    MailReader,
    """
select o.account_id, a.name as company, coalesce(o.body->'context'->>'seller', '') as seller, o.contact_id, o.body->>'to_name' as name,
  o.body->>'to_email' as email, o.body->>'language' as language, o.body->>'time_zone' as time_zone, (o.body->>'at')::timestamptz as at,
  greatest($2::timestamptz, (select max(e.as_of) from effect e where e.account_id = o.account_id)) as now,
  coalesce(lower(c.email) = lower(o.body->>'to_email'), false) as current, c.role, c.unsubscribed_at is not null as unsubscribed,
  coalesce(w.declined, '{}') as declined, w.every_days
from outbox o join account a on a.account_id = o.account_id
left join contact c on c.account_id = o.account_id and c.contact_id = o.contact_id
left join mail_wish w on w.account_id = o.account_id and w.email = lower(c.email)
where o.channel = 'deliver_mail' and o.contact_id is not null and delivery_digest(o.delivery_id) = $1
""",
)
"""By the digest that a token names."""
