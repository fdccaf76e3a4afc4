"""Steps that people leave out: what would have followed on them comes all the same, and the facts say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.frame.success_facts import TaskFacts
from domain.journey import control
from domain.journey.agenda import Running
from domain.journey.agenda_facts import Announced, Facts, Moved
from domain.journey.comparing import compare
from domain.journey.planning import agenda
from domain.journey.requests import ResumeJourney, SkipStep
from domain.orders.order import BillingFrequency
from tests.domain.contracts.world import World
from tests.domain.journey.test_horizons import facts_of

QUIET = "they asked for quiet"


class Lived:
    """A world's customer whose notices are left out or come, with what is on record of it."""

    def __init__(self) -> None:
        self.world = World(auto_renew=True)
        self.world.pass_by(40)
        self.moved: list[Moved] = []

    def notices(self) -> list[Step]:
        return [step for step in self.world.state.agenda if step.kind == "renewal_notice"]

    def skip(self, step: Step) -> None:
        request = SkipStep(step=step.key, reason=QUIET)
        decision = control.skip(self.world.situation(), request, self.world.state.agenda)
        self.world.apply(decision)
        asked = Moved(number=len(self.moved) + 1, drop=decision.outcome.drop, plan=decision.outcome.plan)
        self.moved.append(asked)

    def facts(self) -> Facts:
        found = facts_of(self.world, BillingFrequency.WHOLE_TERM)
        return replace(found, record=found.record.having(moved=self.moved))

    def wanted(self) -> list[Step]:
        return [step for step in agenda(self.facts()).plan() if step.kind == "renewal_notice"]


@pytest.mark.parametrize("left_out", [1, 2])
def test_the_notice_after_one_that_is_left_out_comes(left_out: int) -> None:
    life = Lived()
    (first,) = life.notices()
    for _ in range(left_out):
        life.skip(life.notices()[0])
        assert life.wanted() == life.notices()
    (following,) = life.notices()
    assert following.at > first.at
    life.world.pass_by((following.at - life.world.now).days + 2)
    assert following.key in life.world.done
    assert first.key not in life.world.done
    assert life.wanted() == life.notices()


def test_when_all_notices_are_left_out_the_term_still_ends() -> None:
    life = Lived()
    skipped = []
    while notices := life.notices():
        skipped.append(notices[0].key)
        life.skip(notices[0])
    assert len(skipped) == len(set(skipped)) == len(life.facts().situation.playbook.renewal.notice_days)
    life.world.pass_by((life.world.contract().term.ends_at - life.world.now).days - 1)
    assert life.wanted() == life.notices() == []
    life.world.pass_by(3)
    assert life.world.contract().term.number == 2
    assert life.wanted() == life.notices() != []


def test_a_notice_that_was_left_out_without_the_next_one_is_missed_at_once() -> None:
    """As journeys did that left out none but the step they were asked for."""
    life = Lived()
    (first,) = life.notices()
    life.skip(first)
    (following,) = life.notices()
    life.moved = [Moved(number=1, drop=[first.key])]
    assert life.wanted() == [following]


def test_a_notice_that_was_missed_comes_when_whatever_found_it_missed_has_planned_it() -> None:
    life = Lived()
    (first,) = life.notices()
    life.world.now = first.at + timedelta(hours=12)
    morning = first.having(at=first.at + timedelta(days=1))
    assert life.wanted() == [first]
    found = life.facts()
    record = found.record.having(announced=[Announced(step=morning, by=life.world.now)])
    notices = [s for s in agenda(replace(found, record=record)).plan() if s.kind == "renewal_notice"]
    assert notices == [morning]


def _with_task(situation: Situation) -> tuple[Situation, Step]:
    task = next(task for task in situation.playbook.onboarding.tasks if task.owner == "customer")
    at, on = situation.customer.morning(situation.in_days(9))
    facts = TaskFacts(
        stage="onboarding:SO-1",
        name=task.name,
        title=task.title,
        owner=task.owner.value,
        due_on=on,
        due_at=at,
        status="open",
    )
    customer = situation.customer.having(tasks=[facts])
    step = situation.step("onboarding_reminder", facts.stage, f"{task.name}-remind", on - timedelta(days=2))
    return replace(situation, customer=customer), step


def test_of_a_task_that_nobody_is_reminded_of_the_owner_hears_when_it_is_late() -> None:
    situation, step = _with_task(World(auto_renew=True).situation())
    decision = control.skip(situation, SkipStep(step=step.key, reason=QUIET), [step])
    (late,) = decision.outcome.plan
    (task,) = situation.customer.tasks
    assert (late.kind, late.stage, late.name) == ("onboarding_overdue", step.stage, f"{task.name}-again.0.2")
    assert late.on > task.due_on
    escalated = control.skip(situation, SkipStep(step=late.key, reason=QUIET), [late]).outcome.plan
    assert [step.name for step in escalated] == [f"{task.name}-escalate"], "reminders end, and a person takes over"


def test_what_is_overdue_in_a_pause_is_the_same_whenever_it_was_due() -> None:
    """A customer who is paused has an agenda as of the day on which the pause began, and a clock that goes on."""
    life = Lived()
    world = life.world
    since = world.now
    found = agenda(life.facts())
    (first,) = [step for step in found.plan() if step.kind == "renewal_notice"]
    due_later = first.having(at=first.at + timedelta(days=1))
    steps = [due_later if step.key == first.key else step for step in found.plan()]
    state = world.state.having(agenda=steps)
    said = [
        [one.about for one in compare(found, Running.of(state, first.at + wait), since, "Asia/Tokyo")]
        for wait in (timedelta(0), timedelta(days=2))
    ]
    assert [first.key in abouts for abouts in said] == [True, False]


def test_no_notice_follows_on_one_that_was_dropped_as_the_term_ends_before_the_morning() -> None:
    """A pause that ends on the last day: what would be read on the next morning is of no use, and neither is what came after it."""
    life = Lived()
    world = life.world
    (first,) = life.notices()
    world.now = world.contract().term.ends_at - timedelta(hours=8)
    decision = control.resume(world.situation(), ResumeJourney(), [first])
    assert decision.outcome.drop == [first.key]
    world.apply(decision)
    life.moved.append(Moved(number=1, at=world.now, drop=decision.outcome.drop, plan=decision.outcome.plan))
    assert life.wanted() == life.notices() == []


@pytest.mark.parametrize(("asked", "left"), [(-1, 0), (1, 1)])
def test_quotes_that_a_skipped_one_takes_along_are_not_wanted_and_later_ones_are(asked: int, left: int) -> None:
    life = Lived()
    facts, contract = life.facts(), life.world.contract()
    quote = Step(
        kind="renewal_quote",
        stage=contract.stage,
        name="quote-30",
        at=contract.term.ends_at - timedelta(days=30),
        on=contract.term.until - timedelta(days=30),
    )
    at = life.world.now - timedelta(days=2)
    skipped = Moved(number=1, at=at, drop=[f"{contract.stage}/quote-held", f"{contract.stage}/quote-*"])
    announced = [Announced(step=quote, by=at + timedelta(days=asked))]
    record = facts.record.having(moved=[skipped], announced=announced)
    found = agenda(replace(facts, record=record))
    assert len([step for step in found.plan() if step.kind == "renewal_quote"]) == left
