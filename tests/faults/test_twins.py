"""A small run of the chaos, and proof that its judge can find fault."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from tests.e2e.tally import Tally
from tests.faults.twins import Report, rehearse

SEED = 20261121


@pytest.mark.slow("kill")
@pytest.mark.timeout(600)
async def test_kills_at_random_instants_neither_double_nor_lose_a_step(tmp_path: Path) -> None:
    report = await rehearse(tmp_path, kills=5, customers=2, seed=SEED)
    report.show(Console())
    assert report.kills == 5
    assert set(report.killed) == {"worker", "postgres", "temporal"}
    assert report.faults() == []
    assert report.disturbed.steps == report.calm.steps > 90
    assert report.disturbed.messages + len(report.disturbed.dropped) == report.calm.messages > 60
    assert not report.calm.dropped


def tallied(*journal: str, subjects: tuple[str, ...] = ("Welcome",)) -> Tally:
    return Tally({"journal": Counter(journal)}, Counter(("a@customer.example", subject) for subject in subjects))


@pytest.mark.parametrize(
    ("disturbed", "says"),
    [
        (tallied("welcome"), "journal: 1 x kickoff missing"),
        (tallied("welcome", "kickoff", "kickoff"), "journal: 1 x kickoff too many"),
        (tallied("welcome", "kickoff", subjects=("Welcome", "Welcome")), "too many"),
        (tallied("welcome", "kickoff", subjects=()), "missing"),
    ],
)
def test_the_judge_sees_what_is_missing_and_what_is_double(disturbed: Tally, says: str) -> None:
    report = Report(1, calm=tallied("welcome", "kickoff"), disturbed=disturbed)
    assert len(report.faults()) == 1
    assert says in report.faults()[0]
    assert Report(1, calm=tallied("welcome"), disturbed=tallied("welcome")).faults() == []


def test_the_judge_lets_go_of_a_mail_that_came_too_late_and_of_no_other() -> None:
    disturbed = tallied("welcome", subjects=())
    disturbed.dropped["journey:C-1/welcome#0"] = "a@customer.example"
    assert Report(1, calm=tallied("welcome"), disturbed=disturbed).faults() == []
    two = Report(1, calm=tallied("welcome", subjects=("Welcome", "Again")), disturbed=disturbed).faults()
    assert len(two) == 1
    assert "missing" in two[0]


def test_the_judge_sees_lost_unknown_and_waiting_messages() -> None:
    disturbed = tallied("welcome")
    disturbed.lost.append("journey:C-1/welcome#0")
    disturbed.unknown.append("<x@perennial.example>")
    disturbed.waiting = 2
    faults = Report(1, calm=tallied("welcome"), disturbed=disturbed, ended_by_themselves=1).faults()
    assert len(faults) == 4
