"""Real cases of a log lived again through the workflow: the same figures as the library computes from the log's lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.kernel.clock import present
from domain.service.case import Happened
from tests.cases import case_client, person
from tests.conftest import Servers
from tests.replay_cases import drawn
from tests.replaying import RULES, WEEK, Replayer, shifted

SAMPLE = Path(__file__).parents[1] / "data" / "incident_log_sample.csv"


@pytest.mark.slow("log")
async def test_logged_cases_lived_again_give_the_figures_of_the_log(servers: Servers) -> None:
    client = case_client(servers)
    await client.put_agent({"staff": person("replay-agent"), "team": await _team(servers)})
    cases = drawn(SAMPLE, seed=7, count=12)
    tag = f"{present():%H%M%S%f}"
    found = await Replayer(client, servers.pool, tag=tag).replay(cases, at_once=6)
    assert len(found) == 12
    assert [(one.expected, one.found) for one in found if not one.agrees] == []
    # Nothing agrees by being empty: two promises of each case were decided.
    decided = [figures for one in found for figures in one.found if " met " in figures or " missed " in figures]
    assert len(decided) == 24
    assert {figures.split()[1] for figures in decided} == {"met", "missed"}


async def _team(servers: Servers) -> str:
    await case_client(servers).put_team({"team": "replay", "name": "Replay", "lead": person("replay-lead")})
    return "replay"


def test_a_shifted_case_keeps_its_weekdays_and_its_spans() -> None:
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for case in drawn(SAMPLE, seed=7, count=15):
        record, moved = case.record(now), shifted(case, now)
        offsets = {later.at - before.at for before, later in zip(record, moved, strict=False)}
        [offset] = offsets
        assert offset % WEEK == timedelta(0)
        assert now < moved[0].at < now + WEEK + timedelta(hours=1)


def test_work_that_goes_on_too_late_is_another_case() -> None:
    [case] = [one for one in drawn(SAMPLE, seed=7, count=15) if one.case_id == "INC0001894"]
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    record = case.record(now)
    reopened = [event for event in record if event.kind is Happened.REOPENED]
    assert reopened, "the sample's case that went on after it was closed"
    ended = next(event.at for event in record if event.kind is Happened.RESOLVED)
    late = reopened[0].at - ended > RULES.reopen_within
    assert (len(shifted(case, now)) < len(record)) == late
