"""Surveys of a customer as people read them, those after a case as well."""

from __future__ import annotations

from activities.kernel.pages import Paged

surveys_of = Paged("""
select s.survey_id as id, s.sent_at as at, s.survey_id, s.kind, null as case_id, s.sent_at, s.sent_to, s.score, s.comment, s.answered_at,
  s.withdrawn_at
from survey s where s.account_id = $4
union all
select s.survey_id, s.sent_at, s.survey_id, 'csat', s.case_id, s.sent_at, s.sent_to, s.score, s.comment, s.answered_at, s.withdrawn_at
from case_survey s join service_case c using (case_id) where c.account_id = $4
""")
"""Surveys of an account, the latest first."""
