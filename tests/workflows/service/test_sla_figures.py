"""What the report on promises says of a case that was lived through, each figure counted by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.service.service_reports import sla_report
from domain.service.sla_report import SlaGroup, Waiting
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers

ENTERPRISE = {"segment": "enterprise"}
"""Urgent: an answer within an hour, solved within twelve, at every hour of the day."""
RESOLVE, REOPEN, RESPOND, WRITES = "resolve", "reopen", "respond", "customer_message"
REQUESTS = {
    RESOLVE: {"code": "fixed", "text": "You have a new cable.", "by": "AG"},
    REOPEN: {"reason": "it is down again", "by": "AG"},
    RESPOND: {"body": "A new cable is on its way.", "by": "AG"},
    WRITES: {"body": "It is down again."},
}
Figures = dict[str, tuple[int, int, int, int]]
"""Kept, late, running, and the minutes of open time until it was done."""


async def figures(servers: Servers, acts: list[tuple[int, str]]) -> tuple[SlaGroup, dict[str, Waiting]]:
    """The case's part of the report after acts at so many minutes after it was opened, and how long its customer waited."""
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG")
    client = case_client(servers)
    product = f"P-{document['order_id']}"
    await servers.pool.execute("insert into product values ($1, 'Till', 'subscription')", product)
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high", product=product))
    begun, passed = await client.now(opened.case_id), 0
    for minute, act in acts:
        await client.fast_forward(opened.case_id, timedelta(minutes=minute - passed))
        passed = minute
        await client.ask(opened.case_id, act, REQUESTS[act])
    as_of = await client.now(opened.case_id)
    async with servers.pool.acquire() as connection:
        report = await sla_report(
            connection, begun - timedelta(days=1), as_of + timedelta(days=1), as_of=as_of, longest=100_000
        )
    [group] = [group for group in report.by_product if group.label == product]
    return group, {wait.milestone: wait for wait in report.waited_longest if wait.case_id == opened.case_id}


@pytest.mark.parametrize(
    ("acts", "told", "waited"),
    [
        # Solved by the first answer, which is the first response; the hour until it is reopened is nobody's.
        (
            [(30, RESOLVE), (90, REOPEN), (120, RESPOND), (180, RESOLVE)],
            {"first_response": (1, 0, 0, 30), "resolution": (1, 0, 0, 120)},
            {"first_response": 30, "resolution": 120},
        ),
        # Still open again: the first response stays what it was, the resolution runs on.
        (
            [(30, RESOLVE), (90, REOPEN), (120, RESPOND)],
            {"first_response": (1, 0, 0, 30), "resolution": (0, 0, 1, 0)},
            {"first_response": 30, "resolution": 60},
        ),
        # The customer writes: an answer is owed to that, and kept within half an hour.
        (
            [(30, RESOLVE), (90, WRITES), (120, RESPOND), (180, RESOLVE)],
            {"first_response": (1, 0, 0, 30), "next_response": (1, 0, 0, 30), "resolution": (1, 0, 0, 120)},
            {"first_response": 30, "next_response": 30, "resolution": 120},
        ),
        # The first answer was late, and stays so.
        (
            [(75, RESOLVE), (90, REOPEN), (200, RESOLVE)],
            {"first_response": (0, 1, 0, 75), "resolution": (1, 0, 0, 185)},
            {"first_response": 75, "resolution": 185},
        ),
        # Twelve hours of open time are over 13 hours after it was opened; two reopenings leave two gaps.
        (
            [(30, RESOLVE), (90, REOPEN), (120, RESOLVE), (150, REOPEN), (840, RESOLVE)],
            {"first_response": (1, 0, 0, 30), "resolution": (0, 1, 0, 750)},
            {"first_response": 30, "resolution": 750},
        ),
    ],
    ids=["solved twice", "open again", "the customer writes", "late at first", "too long in all"],
)
async def test_a_case_that_is_solved_at_once_and_comes_back(
    servers: Servers, acts: list[tuple[int, str]], told: Figures, waited: dict[str, int]
) -> None:
    group, waits = await figures(servers, acts)
    found = {
        one.milestone: (one.met, one.late, one.running, round((one.mean or timedelta(0)) / timedelta(minutes=1)))
        for one in group.milestones
    }
    assert found == told
    assert {name: round(wait.waited / timedelta(minutes=1)) for name, wait in waits.items()} == waited
