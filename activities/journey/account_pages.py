"""Accounts and their people, as they are listed."""

from __future__ import annotations

from activities.frame.account_filters import in_sight
from activities.kernel.pages import Paged
from activities.kernel.queries import Column, Query

contacts_of = Paged(
    """
select lpad(c.position::text, 6, '0') || '/' || c.contact_id as id, 'epoch'::timestamptz as at, c.contact_id, c.name, c.email, c.phone,
  c.role, c.language, c.time_zone, c.rejected_at is not null as rejected, c.rejected_reason, c.unsubscribed_at is not null as unsubscribed
from contact c where c.account_id = $4
""",
    earliest_first=True,
)
"""Contacts of an account, in their order."""

looked_after_by = Column[str](f"select account_id from account a where account_id = any($1) and {in_sight('$2')}")
"""Those of these accounts that one of our people owns or looks after, or their team."""

names_of = Query("select account_id, name from account where account_id = any($1)")
"""What these accounts are called."""
