"""What a journey must have against what it has: every difference in words, and what mends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.frame.keys import StageKind
from domain.frame.state import Outcome, Pause, Stage, Step
from domain.frame.unreadable import Unreadable
from domain.journey.agenda import Agenda, Running, RunningCase, by_key
from domain.journey.standing import CustomerStanding, differences
from domain.kernel.shown import to_the_minute

LOOKS = frozenset({"service_review", "service_hold_lift"})
INVOICE = "billing_invoice"
A_MOMENT = timedelta(minutes=1)
SERVICE = StageKind.SERVICE.value


class DifferenceKind(StrEnum):
    """What is amiss."""

    NOT_RUNNING = "not_running"
    CLOSED = "closed"
    STEP_MISSING = "step_missing"
    STEP_UNWANTED = "step_unwanted"
    STEP_MOVED = "step_moved"
    STAGE_MISSING = "stage_missing"
    STAGE_UNWANTED = "stage_unwanted"
    STAGE_OTHER = "stage_other"
    DELIVERY_MISSING = "delivery_missing"
    CASE_NOT_RUNNING = "case_not_running"
    CASE_OTHER = "case_other"
    UNREADABLE = "unreadable"
    PAUSE_OTHER = "pause_other"
    STANDING_OTHER = "standing_other"
    NO_FACTS = "no_facts"
    ORDER_LOST = "order_lost"
    REQUEST_LOST = "request_lost"
    STEP_LOST = "step_lost"


@dataclass(frozen=True)
class Difference:
    """One difference; `about` is a step's key, a stage's or a delivery's id, `says` puts it in words."""

    kind: DifferenceKind
    about: str
    says: str


def compare(
    agenda: Agenda, running: Running, as_of: datetime, zone: str, standing: CustomerStanding | None = None
) -> list[Difference]:
    """Every difference between an agenda and what runs, in the order of a reader: stages, steps, deliveries.

    What is overdue in both is the same whenever it was due. standing: with what is shown of the customer otherwise.
    """
    shown = differences(standing, running) if standing is not None else ()
    return [
        *(Difference(DifferenceKind.STANDING_OTHER, running.account_id, said) for said in shown),
        *(Difference(DifferenceKind.UNREADABLE, one.id, _unread(one)) for one in agenda.unreadable),
        *_pause(agenda, running, zone),
        *_stages(agenda, running, as_of),
        *_steps(agenda, running, max(as_of, running.now), zone),  # what a pause holds back is overdue as well
        *_deliveries(agenda, running),
    ]


def compare_case(
    case_id: str,
    next_at: datetime | None,
    waiting: Iterable[str],
    running: RunningCase | None,
    zone: str,
    *,
    over: bool = False,
) -> list[Difference]:
    """What a case has otherwise than the facts say: the instant that it waits for, and its messages; of one that is over these alone."""
    if running is None and not over:
        return [Difference(DifferenceKind.CASE_NOT_RUNNING, case_id, f"case {case_id} is open, and does not run")]
    found = []
    if running is not None and running.next_at != next_at and running.parked_at is None:
        had, wanted = (_when(at, zone) if at else "for nothing" for at in (running.next_at, next_at))
        said = f"case {case_id} waits {had}, and ought to wait {wanted}"
        found.append(Difference(DifferenceKind.CASE_OTHER, case_id, said))
    carried = {delivery.id for delivery in running.deliveries} if running is not None else set()
    for id in waiting:
        if id not in carried:
            said = f"message {id} of case {case_id} waits, and nobody carries it"
            found.append(Difference(DifferenceKind.DELIVERY_MISSING, id, said))
    return found


def mending(agenda: Agenda, running: Running, as_of: datetime) -> Outcome:
    """What brings a journey to its agenda."""
    as_of = max(as_of, running.now)
    have = by_key(running.steps)
    parked = by_key(running.parked)
    plan = [
        step
        for step in agenda.plan()
        if step.key not in parked
        and (step.key not in have or _moved(step, have[step.key], as_of))
        and not _looks(running, step)
    ]
    changed = {key: stage for key, stage in agenda.stages.items() if _other(key, running.stages.get(key), stage)}
    gone = {key: None for key in running.stages if key not in agenda.stages and not agenda.unreadable}
    return Outcome(
        plan=plan,
        drop=[step.key for step in _unwanted(agenda, running)],
        stages={**changed, **gone},
        deliveries={id: agenda.deliveries[id] for id in _uncarried(agenda, running)},
        pause=agenda.paused if _pause_is_other(agenda, running) else None,
        unpaused=agenda.paused is None and running.paused is not None,
    )


def _unread(fact: Unreadable) -> str:
    return f"{fact.kind} {fact.id} cannot be read, and nothing is planned for it: {fact.why}"


def _pause(agenda: Agenda, running: Running, zone: str) -> Iterable[Difference]:
    if _pause_is_other(agenda, running):
        had, wanted = (_paused(pause, zone) for pause in (running.paused, agenda.paused))
        said = f"the journey is {had}, and ought to be {wanted}"
        yield Difference(DifferenceKind.PAUSE_OTHER, running.account_id, said)


def _pause_is_other(agenda: Agenda, running: Running) -> bool:
    had, wanted = running.paused, agenda.paused
    if had is None or wanted is None:
        return had is not wanted
    return (had.reason, had.until) != (wanted.reason, wanted.until)


def _paused(pause: Pause | None, zone: str) -> str:
    if pause is None:
        return "going on"
    until = f" until {_when(pause.until, zone)}" if pause.until else ""
    return f"paused{until} by {pause.by or 'nobody named'} ({pause.reason})"


def _stages(agenda: Agenda, running: Running, as_of: datetime) -> Iterable[Difference]:
    now = max(as_of, running.now)  # a look that a pause holds back is due as well
    looks = any(step.kind in LOOKS and step.at <= now for step in running.steps)
    for key in sorted({*agenda.stages, *running.stages}):
        wanted, had = agenda.stages.get(key), running.stages.get(key)
        if key == SERVICE and looks:
            continue  # the look that is due will tell
        if wanted is None and agenda.unreadable:
            continue
        if wanted is None:
            yield Difference(DifferenceKind.STAGE_UNWANTED, key, f"stage {key} is open, and nothing calls for it")
        elif had is None:
            yield Difference(DifferenceKind.STAGE_MISSING, key, f"stage {key} ({wanted.status}) is missing")
        elif _other(key, had, wanted):
            said = f"stage {key} is {_stage(had)}, and ought to be {_stage(wanted)}"
            yield Difference(DifferenceKind.STAGE_OTHER, key, said)


def _other(key: str, had: Stage | None, wanted: Stage) -> bool:
    if had is None or had.status != wanted.status:
        return True
    # What waits for a hold to be lifted, and until when, is known when it is looked at, not when it begins to wait.
    return key != SERVICE and (sorted(had.tasks), had.until) != (sorted(wanted.tasks), wanted.until)


def _stage(stage: Stage) -> str:
    tasks = f" with {', '.join(stage.tasks)}" if stage.tasks else ""
    return f"{stage.status}{tasks}" + (f" until {stage.until:%Y-%m-%d %H:%M} UTC" if stage.until else "")


def _steps(agenda: Agenda, running: Running, as_of: datetime, zone: str) -> Iterable[Difference]:
    have = by_key([*running.steps, *running.parked])
    for step in agenda.plan():
        if step.key not in have:
            if _looks(running, step):
                continue
            late = " (overdue)" if step.at <= as_of else ""
            said = f"step {step.key} of {_when(step.at, zone)}{late} is missing"
            yield Difference(DifferenceKind.STEP_MISSING, step.key, said)
        elif step.key not in by_key(running.parked) and _moved(step, have[step.key], as_of):
            said = f"step {step.key} comes {_when(have[step.key].at, zone)}, and ought to come {_when(step.at, zone)}"
            yield Difference(DifferenceKind.STEP_MOVED, step.key, said)
    for step in _unwanted(agenda, running):
        said = f"step {step.key} of {_when(step.at, zone)} is planned, and nothing calls for it"
        yield Difference(DifferenceKind.STEP_UNWANTED, step.key, said)


def _moved(wanted: Step, had: Step, as_of: datetime) -> bool:
    if wanted.kind in LOOKS:  # an earlier look does no harm
        return had.at > wanted.at + A_MOMENT
    return max(wanted.at, as_of) != max(had.at, as_of)


def _unwanted(agenda: Agenda, running: Running) -> Sequence[Step]:
    if agenda.unreadable:
        return []
    return [step for step in running.steps if step.key not in agenda.steps and not agenda.tolerates(step.key)]


def _looks(running: Running, wanted: Step) -> bool:
    """True if a look of that kind is due, or comes no later than it is wanted: it plans the next one. Of invoices, one at the
    same contract or asset."""
    by = max(wanted.at + A_MOMENT, running.now)
    if wanted.kind == INVOICE:
        return any(step.kind == INVOICE and step.stage == wanted.stage and step.at <= by for step in running.steps)
    return wanted.kind in LOOKS and any(step.kind in LOOKS and step.at <= by for step in running.steps)


def _deliveries(agenda: Agenda, running: Running) -> Iterable[Difference]:
    for id in _uncarried(agenda, running):
        said = f"message {id} ({agenda.deliveries[id].value}) waits, and nobody carries it"
        yield Difference(DifferenceKind.DELIVERY_MISSING, id, said)


def _uncarried(agenda: Agenda, running: Running) -> list[str]:
    carried = {delivery.id for delivery in running.deliveries}
    return [id for id in agenda.deliveries if id not in carried]


def _when(at: datetime, zone: str) -> str:
    return to_the_minute(at, zone)
