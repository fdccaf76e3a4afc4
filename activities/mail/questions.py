"""What the question of a mail has come to, for the page that its links lead to."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from domain.kernel.base import Carried

_QUESTION = """
select o.body->>'template' as template, o.body->>'language' as language, o.body->'context' as context,
  s.sent_at, s.score, s.answer, s.answered_at, coalesce(s.withdrawn, true) as withdrawn,
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


class MailQuestion(Carried):
    """The question of a mail, and what was answered, first at `answered_at`. `now`: what time it is for the customer, whose clock may
    have been moved; `withdrawn`: it is not asked any more."""

    template: str
    language: str
    context: dict[str, object] = {}
    sent_at: AwareDatetime | None = None
    score: int | None = None
    answer: str | None = None
    """yes or no"""
    answered_at: AwareDatetime | None = None
    withdrawn: bool = False
    now: AwareDatetime


async def question_of(connection: Connection, digest: bytes, at: datetime) -> MailQuestion | None:
    """The question of the mail that a token names; null for one that never was written."""
    row = await connection.fetchrow(_QUESTION, digest, at)
    return MailQuestion.model_validate(dict(row)) if row else None
