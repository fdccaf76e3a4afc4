"""Whom a mail went to, for the pages that its links lead to: who they are today, and which mails they want."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime

from activities.kernel.queries import Models
from domain.frame.mail_kinds import MailTopic
from domain.frame.success_facts import OnboardingTaskStatus
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


class PromisedStep(Carried):
    """A step of somebody's onboarding, and whom it waits for."""

    stage: str
    name: str
    title: dict[str, str]
    owner: str
    due_on: date
    status: OnboardingTaskStatus
    waits_for: str | None = None


steps_of = Models(
    PromisedStep,
    "select stage, name, title, owner, due_on, status, waits_for from onboarding_task"
    " where account_id = $1 and status <> 'past' and not over order by due_on, due_at, stage, name",
)
"""The steps of an account's onboardings, by their days."""


WHOM = """
left join account own on own.account_id = o.account_id
left join lateral (
  select k.* from contact k where k.account_id = coalesce(own.merged_into, o.account_id)
    and case when own.merged_into is null then k.contact_id = o.contact_id else lower(k.email) = lower(o.body->>'to_email') end
  order by k.position, k.contact_id limit 1) c on true
"""
"""Beside a mail `o` the contact whom it went to, `c`: where their account went on as part of another, whoever has the address there."""

reader_of = Models(
    MailReader,
    f"""
select a.account_id, a.name as company, coalesce(o.body->'context'->>'seller', '') as seller,
  coalesce(c.contact_id, o.contact_id) as contact_id, o.body->>'to_name' as name,
  o.body->>'to_email' as email, o.body->>'language' as language, o.body->>'time_zone' as time_zone, (o.body->>'at')::timestamptz as at,
  greatest($2::timestamptz, (select max(e.as_of) from effect e where e.account_id = a.account_id)) as now,
  coalesce(lower(c.email) = lower(o.body->>'to_email'), false) as current, c.role, c.unsubscribed_at is not null as unsubscribed,
  coalesce(said.declined, '{{}}') as declined, said.every_days
from outbox o {WHOM}
join account a on a.account_id = coalesce(own.merged_into, o.account_id)
left join mail_wish said on said.account_id = a.account_id and said.email = lower(c.email)
where o.channel = 'deliver_mail' and o.contact_id is not null and delivery_digest(o.delivery_id) = $1
""",
)
"""By the digest that a token names."""
