"""A customer's own rhythm of ordering goods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from statistics import median

from domain.frame.playbook import Reorder


def order_rhythm(days: Iterable[date], terms: Reorder) -> int:
    """The median number of days between the days on which orders came, within the playbook's bounds."""
    ordered = sorted(set(days))
    gaps = [(later - earlier).days for earlier, later in pairwise(ordered)]
    usual = round(median(gaps)) if gaps else terms.first_rhythm_days
    return max(terms.shortest_days, min(terms.longest_days, usual))


def lapse_days(rhythm: int, terms: Reorder) -> int:
    """The days without an order after which the alarm is raised."""
    return int(rhythm * terms.lapse_factor)
