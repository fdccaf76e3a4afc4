"""A go-live moves check-ins and brings a survey if something sold for a term was known to go on when it was reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.assets.model import AssetRecord
from domain.frame.success_facts import TaskFacts
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Announced, Facts
from domain.journey.success_steps import at_instant, check_ins
from domain.orders.order import BillingFrequency
from domain.success import adoption, asking
from tests.domain.contracts.world import World
from tests.domain.journey.test_horizons import facts_of

DAY = timedelta(days=1)


def gone_live(known: timedelta, until: timedelta | None = None) -> tuple[Facts, datetime]:
    """A customer who has gone live a week ago, and when; what they own became `known` so long after that, and was then agreed to
    end so long `until` after it, if it was."""
    world = World(auto_renew=True)
    world.pass_by(40)
    facts, live = facts_of(world, BillingFrequency.WHOLE_TERM), world.now - 7 * DAY
    task = TaskFacts(
        stage="onboarding:SO-1",
        name=facts.situation.playbook.onboarding.last_task,
        title={"en": "Go-live"},
        owner="customer",
        due_on=facts.situation.today,
        due_at=live,
        status="done",
        completed_at=live,
    )
    end = live + until if until is not None else None
    records = {id: _recorded(record, live + known, end, world.now) for id, record in facts.situation.records.items()}
    customer = facts.situation.customer.having(tasks=[task])
    return replace(facts, situation=replace(facts.situation, customer=customer, records=records)), live


def _recorded(record: AssetRecord, at: datetime, end: datetime | None, now: datetime) -> AssetRecord:
    actions = [action.having(recorded_at=at) for action in record.actions]
    if end is not None:
        last = actions[-1]
        actions.append(last.having(sequence=last.sequence + 1, recorded_at=now, lifecycle_end=end))
    return record.having(actions=tuple(actions))


@pytest.mark.parametrize(
    ("known", "until", "counts"),
    [(-DAY, None, True), (-DAY, -DAY, True), (DAY, None, False)],
    ids=["goes on", "was given up later", "was sold later"],
)
def test_a_go_live_counts_by_what_was_known_then(known: timedelta, until: timedelta | None, counts: bool) -> None:
    facts, live = gone_live(known, until)
    then = at_instant(facts, live)
    check_in = adoption.check_in_after(then, then.playbook.adoption.every_days)
    found = Agenda()
    check_ins(facts, found)
    assert (check_in.key in found.steps) == counts


@pytest.mark.parametrize("asked", [True, False])
def test_a_survey_follows_on_a_go_live_that_brought_one(asked: bool) -> None:
    """Who had been asked by then may be long forgotten."""
    facts, live = gone_live(-DAY)
    survey, *_ = asking.after_go_live(at_instant(facts, live))
    announced = [Announced(step=survey, by=live)] if asked else []
    found = Agenda()
    check_ins(replace(facts, record=facts.record.having(announced=announced)), found)
    assert (survey.key in found.steps) == asked
