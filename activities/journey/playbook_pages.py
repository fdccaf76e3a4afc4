"""Playbooks as the console shows them: versions on record with their customers, rehearsals, and drafts."""

from __future__ import annotations

from datetime import datetime

from activities.kernel.queries import Models, Query, Value
from domain.kernel.base import Carried

segments = Query("""
select s.segment, p.version, p.title, coalesce(c.customers, 0) as customers, coalesce(c.latest, 0) as on_latest, d.saved_at as draft_at
from (select segment from playbook union select segment from playbook_draft union select segment from account) s
left join lateral (
    select version, body->>'title' as title from playbook p where p.segment = s.segment order by version desc limit 1) p on true
left join lateral (
    select count(*) as customers, count(*) filter (where playbook_version = p.version) as latest
    from account a where a.segment = s.segment and a.closed_at is null) c on true
left join playbook_draft d on d.segment = s.segment
order by s.segment
""")
"""Each segment with its latest version, its customers, how many of them have that version, and when it was last written at."""

versions = Query("""
select p.version, p.body, (select count(*) from account a
    where a.segment = p.segment and a.playbook_version = p.version and a.closed_at is null) as customers
from playbook p where p.segment = $1 order by p.version desc limit 20
""")
"""The versions of a segment, the latest first, with the customers who have them."""

trials = Query("""
select t.account_id, a.name, t.changes from playbook_trial t join account a using (account_id)
where t.segment = $1 and t.version = $2 and t.changes > 0 order by t.changes desc, t.account_id limit $3
""")
"""What a rehearsal on record found, those first of whom most changes."""

trial_sums = Query("""
select r.rehearsed_at, r.until, count(t.account_id) as customers, count(t.account_id) filter (where t.changes > 0) as changed,
       coalesce(sum(t.changes), 0) as changes
from playbook_rehearsal r left join playbook_trial t using (segment, version)
where r.segment = $1 and r.version = $2 group by 1, 2
""")
"""The rehearsal on record of a version, in sum."""


class PlaybookDraft(Carried):
    """What was typed of a segment's playbook."""

    text: str
    saved_at: datetime
    saved_by: str


draft_of = Models(PlaybookDraft, "select text, saved_at, saved_by from playbook_draft where segment = $1")
"""The draft of a segment, if anybody wrote one."""

save_draft = Value[datetime | None]("""
insert into playbook_draft (segment, text, saved_at, saved_by) values ($1, $2, $3, $4)
on conflict (segment) do update set text = excluded.text, saved_at = excluded.saved_at, saved_by = excluded.saved_by
where playbook_draft.saved_at = $5
returning saved_at
""")
"""Keeps a draft in place of the one that was saved at an instant; null if somebody else wrote at it since."""
