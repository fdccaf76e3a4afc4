"""Surveys over all customers, as the report on them has it."""

from __future__ import annotations

from datetime import date

from activities.kernel.pool import Connection
from activities.kernel.queries import Query
from domain.success.survey_report import AskedSurvey

# An answer counts for the day on which the question left, so that a rate says of whom.
_ASKED = """
select s.kind, s.account_id, a.name as account, a.segment, null as case_id, s.sent_at, s.answered_at, s.score
from survey s join account a using (account_id) where s.withdrawn_at is null and (s.sent_at at time zone a.time_zone)::date between $1 and $2
union all
select 'csat', c.account_id, a.name, a.segment, c.case_id, s.sent_at, s.answered_at, s.score
from case_survey s join service_case c using (case_id) join account a using (account_id)
where s.withdrawn_at is null and (s.sent_at at time zone a.time_zone)::date between $1 and $2
order by 6, 2, 1, 5
"""
_asked = Query(_ASKED)


async def asked_between(connection: Connection, first: date, last: date) -> list[AskedSurvey]:
    """Whoever was asked from a first to a last day, in their own zone."""
    return [AskedSurvey.model_validate(row) for row in await _asked(connection, first, last)]
