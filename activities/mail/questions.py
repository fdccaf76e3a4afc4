"""What the question of a mail has come to, for the page that its links lead to."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from domain.kernel.base import Carried

_QUESTION = """
select o.account_id, o.body->>'template' as template, o.body->>'language' as language, o.body->>'time_zone' as time_zone,
  o.body->'context' as context, (o.body->>'at')::timestamptz as at, s.sent_at, s.score, s.answer, s.answered_at,
  coalesce(s.withdrawn, true) as withdrawn,
  greatest($2::timestamptz, (select max(e.as_of) from effect e where e.account_id = o.account_id)) as now
from outbox o left join lateral (
  select sent_at, score, null::text as answer, answered_at, withdrawn_at is not null as withdrawn
  from survey where survey_id = o.body->'context'->>'survey_id'
  union all
  select sent_at, null, answer, answered_at, withdrawn_at is not null
  from reference_ask where reference_id = o.body->'context'->>'reference_id'
  union all
  select c.sent_at, c.score, null, coalesce((
      select min(e.at) from case_event e
      where e.case_id = c.case_id and e.kind = 'rated' and e.detail->>'survey_id' = c.survey_id), c.answered_at),
    c.withdrawn_at is not null
  from case_survey c where c.survey_id = o.body->'context'->>'survey_id') s on true
where o.channel = 'deliver_mail' and delivery_digest(o.delivery_id) = $1 limit 1
"""
# Versions of a renewal's quote are said by mails alone: the latest one about this term is what can be answered.
_RENEWAL = """
select c.status as state, max(t.until) - 1 as until, (
  select o.body->'context' from outbox o
  where o.account_id = c.account_id and o.channel = 'deliver_mail' and o.body->>'template' in ('renewal_notice', 'renewal_grace')
    and o.body->'context'->>'contract_id' = c.contract_id and o.body->'context'->>'term_end' = $3
    and jsonb_typeof(o.body->'context'->'quote') = 'object'
  order by o.created_at desc, o.delivery_id desc limit 1) as context, (
  select jsonb_agg(jsonb_build_object('asset_id', a.asset_id, 'product', p.name, 'units', s.quantity) order by a.asset_id)
  from asset a join product p on p.code = a.product_code join lateral (
    select quantity from asset_state_period s where s.asset_id = a.asset_id order by s.starts_at desc limit 1) s on s.quantity > 0
  where a.contract_id = c.contract_id) as assets
from contract c join contract_term t using (contract_id)
where c.contract_id = $2 and c.account_id = $1 group by c.contract_id
"""
_QUOTE = """
select q.state, (q.valid_until at time zone a.time_zone)::date as until, (
  select o.body->'context' from outbox o
  where o.account_id = q.account_id and o.channel = 'deliver_mail' and o.body->>'template' = 'quote_presented'
    and o.body->'context'->>'quote_id' = q.quote_id and (o.body->'context'->>'version')::integer = q.version
  order by o.created_at desc, o.delivery_id desc limit 1) as context
from quote q join account a using (account_id) where q.quote_id = $2 and q.account_id = $1
"""
_OFFER = """
select f.status as state, (f.expires_at at time zone a.time_zone)::date as until, null::jsonb as context
from offer f join account a using (account_id) where f.offer_id = $2 and f.account_id = $1
"""


class MailQuestion(Carried):
    """The question of a mail, and what was answered, first at `answered_at`. `now`: what time it is for the customer, whose clock may
    have been moved; `withdrawn`: it is not asked any more."""

    account_id: str | None = None
    template: str
    language: str
    time_zone: str = "UTC"
    context: dict[str, object] = {}
    at: AwareDatetime
    sent_at: AwareDatetime | None = None
    score: int | None = None
    answer: str | None = None
    """yes or no"""
    answered_at: AwareDatetime | None = None
    withdrawn: bool = False
    now: AwareDatetime


class RenewableAsset(Carried):
    """What of a contract can be renewed, by its latest units."""

    asset_id: str
    product: str
    units: int


class Decidable(Carried):
    """Where what a mail asks a decision about stands: its `state` as its table has it, the last day of its term or of its validity,
    and what the latest mail about it said, if there is a later one."""

    state: str
    until: date
    context: dict[str, object] | None = None
    assets: tuple[RenewableAsset, ...] = ()


async def question_of(connection: Connection, digest: bytes, at: datetime) -> MailQuestion | None:
    """The question of the mail that a token names; null for one that never was written."""
    row = await connection.fetchrow(_QUESTION, digest, at)
    return MailQuestion.model_validate({name: one for name, one in row.items() if one is not None}) if row else None


async def renewal_asked(connection: Connection, account_id: str, contract_id: str, term_end: str) -> Decidable | None:
    """The renewal after the term that ends on a day; `until` is the last day of the latest term that there is."""
    return _as_decidable(await connection.fetchrow(_RENEWAL, account_id, contract_id, term_end))


async def quote_asked(connection: Connection, account_id: str, quote_id: str) -> Decidable | None:
    """A quote in its latest version."""
    return _as_decidable(await connection.fetchrow(_QUOTE, account_id, quote_id))


async def offer_asked(connection: Connection, account_id: str, offer_id: str) -> Decidable | None:
    """An offer of more seats."""
    return _as_decidable(await connection.fetchrow(_OFFER, account_id, offer_id))


def _as_decidable(row: object) -> Decidable | None:
    found = {} if row is None else {name: value for name, value in dict(row).items() if value is not None}  # type: ignore[call-overload]
    return Decidable.model_validate(found) if found else None
