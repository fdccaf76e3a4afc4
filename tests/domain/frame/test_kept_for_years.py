"""What thousands of journeys in a worker's memory keep alike is held once."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

from domain.frame.state import JourneyState, Outcome

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
MOST_BYTES_A_STEP = 700
STEPS = 16


def _outcome(journey: int) -> str:
    """What an activity answers, as it comes over the wire."""
    steps = ",".join(
        f'{{"kind":"onboarding_reminder","stage":"onboarding:SO-{journey}","name":"task-{n}-remind",'
        f'"at":"2027-02-{n + 1:02}T00:00:00Z","on":"2027-02-{n + 1:02}"}}'
        for n in range(STEPS)
    )
    stages = f'{{"onboarding:SO-{journey}":{{"status":"active","tasks":["a","b"]}}}}'
    return f'{{"plan":[{steps}],"stages":{stages},"account":{{"name":"Acme","time_zone":"Asia/Tokyo","owner":"S-1"}}}}'


def _state(journey: int) -> JourneyState:
    return JourneyState(account_id=f"A-{journey}").after(Outcome.model_validate_json(_outcome(journey)), NOW)


def test_steps_hold_words_that_all_journeys_share_once_and_say_the_same() -> None:
    one, other = _state(1).agenda[3], _state(2).agenda[3]
    said = Outcome.model_validate_json(_outcome(1)).plan[3]
    assert one.kind is other.kind
    assert one.name is other.name
    assert one.__pydantic_fields_set__ is other.__pydantic_fields_set__
    assert one == said
    assert one.model_dump_json(exclude_unset=True) == said.model_dump_json(exclude_unset=True)


def test_a_step_that_waits_takes_little_memory() -> None:
    _state(0)
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        kept = [_state(journey) for journey in range(1, 51)]
        after = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    grown = sum(line.size_diff for line in after.compare_to(before, "filename"))
    assert grown / len(kept) / STEPS < MOST_BYTES_A_STEP
