"""A task for one of our people has an owner and a day, or it cannot be made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.frame.decision import OpenStaffTask
from domain.frame.staff_tasks import task_id

DUE = datetime(2027, 3, 12, 0, 0, tzinfo=UTC)


def test_nothing_is_asked_without_an_owner_and_an_instant() -> None:
    assert OpenStaffTask("a/b", "Call them", "owner", DUE).due_at == DUE
    with pytest.raises(ValueError, match="an owner"):
        OpenStaffTask("a/b", "Call them", "", DUE)
    with pytest.raises(ValueError, match="no zone"):
        OpenStaffTask("a/b", "Call them", "owner", DUE.replace(tzinfo=None))


def test_its_id_is_the_same_in_every_zone_and_another_one_each_time() -> None:
    first = task_id("acme", "a/b", DUE)
    assert first == task_id("acme", "a/b", DUE.astimezone(timezone(timedelta(hours=9))))
    assert len({first, task_id("acme", "a/b", DUE + timedelta(days=1)), task_id("acme", "a/c", DUE)}) == 3
