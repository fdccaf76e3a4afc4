"""What is found at whatever hour is read when people work, and by then only if it still asks for something."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from domain.frame.flight import Channel
from domain.frame.service_facts import MorningMail, ServiceFacts
from domain.frame.situation import Situation
from domain.journey import mornings
from tests.domain.frame.test_pace import at, now


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        ("2026-12-04T14:00", None),
        ("2026-12-04T19:00", "2026-12-07T09:00"),
        ("2026-12-06T10:00", "2026-12-07T09:00"),
        ("2026-12-07T03:00", "2026-12-07T09:00"),
        ("2026-12-25T10:00", "2026-12-28T09:00"),
    ],
)
@pytest.mark.parametrize("kind", ["relationship_health", "adoption_usage_review"])
def test_what_is_found_on_a_free_day_is_told_on_the_next_day_of_work(
    kind: str, moment: str, leaves: str | None
) -> None:
    assert mornings.leaves_at(now(moment), kind) == (at(leaves) if leaves else None)


def test_what_people_ask_for_leaves_at_any_hour() -> None:
    assert mornings.leaves_at(now("2026-12-06T10:00"), "answer_renewal") is None


def _waiting(task: str | None) -> MorningMail:
    body = {"title": "Health fell to critical", "task": task}
    found_at: datetime = at("2026-12-06T10:00")
    return MorningMail(
        delivery_id=f"journey:acme/relationship/health-{task}#0",
        created_at=found_at,
        stage="relationship",
        body=body,
        channel=Channel.NOTICE,
    )


def monday(*open_tasks: str) -> Situation:
    """The morning after a Sunday on which the health of three customers fell, with these tasks open."""
    situation = now("2026-12-07T09:00")
    customer = situation.customer.having(staff_tasks=list(open_tasks))
    service = ServiceFacts(mornings=[_waiting("health/seats"), _waiting("health/grace"), _waiting(None)])
    return replace(situation, customer=customer, service=service)


def test_a_notice_whose_task_is_settled_by_the_morning_says_nothing_to_anybody() -> None:
    step = mornings.step_at(monday(), at("2026-12-07T09:00"))
    found = mornings.leave(monday("health/grace"), step)
    assert list(found.outcome.deliveries) == ["relationship/health-health/grace#0", "relationship/health-None#0"]
    assert [line.title for line in found.more_lines] == [
        "Dropped: notice “Health fell to critical”; what it asks for is settled"
    ]
