"""What held sales back, as it went on record."""

from __future__ import annotations

from activities.kernel.pages import Paged

holds_of = Paged("""
select h.hold_id as id, h.since as at, h.hold_id, h.scope, h.product_code as product, h.level, h.reason, h.source, h.case_id, h.says,
  h.since, h.review_at, h.placed_by, h.lifted_at, h.lifted_by
from sales_hold h where h.account_id = $4
""")
"""Holds of an account, those that were lifted as well, the latest first."""
