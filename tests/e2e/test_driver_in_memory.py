"""Random customers on PostgreSQL alone; `python -m tests.driver --in-memory` lives more of them."""

from __future__ import annotations

import pytest

from domain.frame.state import Step
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Facts
from domain.journey.planning import agenda
from tests.driver.in_memory import lives
from tests.driver.in_memory.driving import drive


async def test_every_agenda_follows_from_the_facts_on_the_way() -> None:
    """No step fails, nothing is set aside, every rule of the tables holds, and no agenda is ever otherwise."""
    table, wrong = await drive(5, seed=2, lives=3)
    assert wrong == [], table


async def test_an_agenda_that_is_otherwise_is_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step that the facts call for and nobody planned ends the life, and it is said how to live it again."""

    def with_one_more(facts: Facts) -> Agenda:
        wanted = agenda(facts)
        at = facts.situation.as_of
        wanted.add(Step(kind="quote_expiry", stage="quote:Q-0", name="forgotten", at=at, on=at.date()))
        return wanted

    monkeypatch.setattr(lives, "agenda", with_one_more)
    _, wrong = await drive(5, seed=1, lives=1, first=7)
    assert any("quote:Q-0/forgotten" in line and "is missing" in line for line in wrong)
    assert "python -m tests.driver --in-memory --seed 1 --life 7" in capsys.readouterr().out
