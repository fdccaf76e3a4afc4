"""The journey's own words: steps and stages, what an activity is asked and answers, and the state that a workflow carries for years."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import AwareDatetime

from domain.frame.flight import Channel, Delivery, Flying
from domain.frame.keys import StageKind, about, stage_kind
from domain.kernel.base import Carried, lean
from domain.kernel.calendar import MORNING, local_instant
from domain.kernel.zones import wall_clock


class Step(Carried):
    """One thing to do at an instant. `kind` names the activity, `stage` and `name` the occurrence; `on` is the local day behind `at`."""

    kind: str
    stage: str
    name: str
    at: AwareDatetime
    on: date
    along: bool = False
    """it was brought forward so that its mail leaves in one message with another one of this instant"""

    @property
    def key(self) -> str:
        """Unique within the journey: what is done under this key is done once."""
        return f"{self.stage}/{self.name}"  # as `StepKey` writes it: it is asked for all the time

    @property
    def about(self) -> str:
        """What its stage is about: an order, a contract, an asset, a quote, or the request that it belongs to."""
        return about(self.stage)


AT_AN_INSTANT = frozenset(
    {
        "renewal_term_end",
        "renewal_grace_end",
        "amendment_effective",
        "amendment_settled",
        "quote_expiry",
        "expansion_expiry",
        "service_review",
        "service_hold_lift",
        "service_lead_reminder",
        "service_lead_overdue",
    }
)
"""Kinds of steps that happen at an instant, wherever the customer is."""


PLAYS = frozenset({"play", "play_escalation"})
"""Kinds of steps that a playbook lists by itself: whatever happens, all of them are planned anew from the facts."""


class Stage(Carried):
    """An open stage: its `status` (a word of the stage's module), open `tasks`, and `until`, the instant that ends it if one does."""

    status: str
    tasks: list[str] = []
    until: AwareDatetime | None = None


class HealthView(Carried):
    """What the briefing says of health."""

    score: int | None
    band: str
    why: str


class OpenCaseView(Carried):
    """An open case as the briefing shows it to sales: `said` begins what the customer wrote last."""

    case_id: str
    priority: str
    state: str
    owner: str | None = None
    opened_at: AwareDatetime
    said: str | None = None
    next_milestone: str | None = None
    next_due: AwareDatetime | None = None
    promised_at: AwareDatetime | None = None


class AccountView(Carried):
    """What the workflow has to know of its account to name itself. `owner` is the rep's opaque staff id, `playbook` its segment
    and version."""

    name: str
    time_zone: str
    owner: str
    playbook: str = ""


class Sent(Carried):
    """The last mail that the customer's mail server took: its template, and the role of the contact it went to."""

    template: str
    role: str | None = None
    at: AwareDatetime


class Pause(Carried):
    """Why nothing is done for now, by whose wish, and until when (null: until it is resumed); `lets`: kinds of steps that are
    done all the same."""

    reason: str
    since: AwareDatetime
    until: AwareDatetime | None = None
    lets: list[str] = []
    by: str | None = None


class Outcome(Carried):
    """What an activity decided: all that the workflow learns of it.

    `drop` names steps by key (or its beginning and a *), or a whole stage by its id. In `stages` and `attention` a null removes the entry.
    `deliveries` are the outbox rows that were written, by their ids within the account.
    `answer` is what the sender of a request is told; `repeated`: it is the answer of long ago, and nothing else follows.
    `forgotten`: it was given to this very run, which does not know, being from a copy of before.
    """

    plan: list[Step] = []
    drop: list[str] = []
    stages: dict[str, Stage | None] = {}
    deliveries: dict[str, Channel] = {}
    attention: dict[str, str | None] = {}
    health: HealthView | None = None
    account: AccountView | None = None
    cases: list[OpenCaseView] | None = None
    said: list[str] = []
    answer: dict[str, Any] | None = None
    repeated: bool = False
    forgotten: bool = False
    late: str | None = None
    """why a message could not leave within the hour; it is still on its way"""
    caught_up: bool = False
    """true if every overdue step is among `plan` and `drop`"""
    lets: list[str] = []
    """of a pause: the kinds of steps that it does not hold back"""
    sent: Sent | None = None
    """a mail that has left"""
    holds: list[str] | None = None
    """the holds that were placed by hand and stand, by their ids"""
    finished: dict[str, str] = {}
    """the task that is done, by its stage: beside the loop nobody knows which others are"""
    pause: Pause | None = None
    """a pause that is on record, for a journey that has lost it"""
    closes: str | None = None
    """why the journey has nothing more to do"""
    unpaused: bool = False
    """true if the record knows of no pause any more"""
    plays: list[Step] | None = None
    """all steps of plays that are to come, in place of those that were; null if they stay"""
    put_off: bool = False
    """true for a step that is not done yet: `plan` says when it is"""
    erased: str | None = None
    """the contact who was erased: what the journey was told in words goes, and this run with it"""
    done_as: str = ""
    """the key, within the account, under which a request is on record, if that is not its own"""

    def __add__(self, other: Outcome) -> Outcome:
        """Both outcomes of one decision as one: lists one after the other, the later word on each key and field."""
        changes: dict[str, Any] = {}
        for name in other.model_fields_set:
            new, old = getattr(other, name), getattr(self, name)
            if isinstance(new, list) and old:
                new = [*old, *new]
            elif isinstance(new, dict) and old:
                new = {**old, **new}
            changes[name] = new
        return self.having(**changes)

    def then(self, later: Outcome) -> Outcome:
        """What both come to, one after the other: what the later one drops, the earlier one has not planned."""
        keys = {drop for drop in later.drop if not drop.endswith("*")}
        prefixes = tuple(drop[:-1] for drop in later.drop if drop.endswith("*"))
        kept = [
            step
            for step in self.plan
            if not keys & {step.key, step.stage}
            and not (prefixes and step.key.startswith(prefixes))
            and not (later.plays is not None and step.kind in PLAYS)
        ]
        return (self if len(kept) == len(self.plan) else self.having(plan=kept)) + later

    def again(self) -> Outcome:
        """The same answer with no effect on the journey: for a request that was carried out long ago."""
        return Outcome(answer=self.answer, repeated=True)


ROLL_OVER_AFTER_EVENTS = 380

_Value = TypeVar("_Value")

SAID_LINES = 5
ERASED = "erased"
"""What stands where words were that may have named somebody who was erased."""


class JourneyState(Flying):
    """All that outlives a run: ids, instants and what waits. Facts live in the database."""

    account_id: str
    account: AccountView | None = None
    opened_at: AwareDatetime | None = None
    stages: dict[str, Stage] = {}
    agenda: list[Step] = []
    parked: list[Step] = []
    health: HealthView | None = None
    cases: list[OpenCaseView] = []
    sent: Sent | None = None
    holds: list[str] = []
    paused: Pause | None = None
    closed: bool = False
    last: str = ""
    """the key, within the account, of the step or request that was done last"""
    erased: list[str] = []
    """the contacts who were erased, by their ids: no request brings them back"""

    def next_instant(self) -> datetime | None:
        """When the journey has to act next by itself: the agenda's first instant, or a pause's end. None: nothing is planned."""
        first = self._first()
        instants = [first.at if first else None, self.paused.until if self.paused else None]
        return min((at for at in instants if at is not None), default=None)

    def due(self, now: datetime) -> Step | None:
        """The step to do now, the earliest first."""
        first = self._first()
        return first if first is not None and first.at <= now else None

    def _first(self) -> Step | None:
        """The earliest step that no pause holds back."""
        pause = self.paused
        return next((step for step in self.agenda if pause is None or step.kind in pause.lets), None)

    def next_renewal(self) -> datetime | None:
        """The earliest end of a term that is still to be renewed."""
        ends = [s.until for key, s in self.stages.items() if stage_kind(key) is StageKind.RENEWAL and s.until]
        return min(ends, default=None)

    def open_kinds(self) -> list[str]:
        """The kinds of the open stages, each once, in order."""
        kinds = {stage_kind(key) for key in self.stages}
        return [kind.value for kind in StageKind if kind in kinds]

    def stages_of(self, kind: StageKind) -> list[tuple[str, Stage]]:
        """The open stages of a kind, with what each is about: `K-1` for `renewal:K-1:2`."""
        return [(about(key), stage) for key, stage in self.stages.items() if stage_kind(key) is kind]

    def after(self, outcome: Outcome, now: datetime, done: Step | None = None) -> JourneyState:
        """The state once `outcome` is applied, and `done` is off the agenda; what is done is done once, so it never comes back."""
        return self.having(
            agenda=self._agenda_after(outcome, done),
            stages=_without_finished(_merged(self.stages, outcome.stages), outcome.finished),
            attention=_merged(self.attention, outcome.attention),
            in_flight=[
                *self.in_flight,
                *(Delivery(id=id, channel=channel, since=now) for id, channel in outcome.deliveries.items()),
            ],
            health=outcome.health or self.health,
            account=lean(outcome.account) if outcome.account else self.account,
            said=[*self.said, *outcome.said][-SAID_LINES:],
            last=done.key if done is not None else self.last,
            **{"cases": outcome.cases} if outcome.cases is not None else {},
            **{"sent": outcome.sent} if outcome.sent is not None else {},
            **{"holds": outcome.holds} if outcome.holds is not None else {},
            **{"paused": outcome.pause} if outcome.pause is not None or outcome.unpaused else {},
        )

    def _agenda_after(self, outcome: Outcome, done: Step | None) -> list[Step]:
        """What is to be done once `outcome` is applied: of many steps hardly any are touched, so the others keep their places."""
        gone = {drop for drop in outcome.drop if not drop.endswith("*")}
        prefixes = tuple(drop[:-1] for drop in outcome.drop if drop.endswith("*"))
        planned = {step.key: lean(step) for step in outcome.plan if done is None or step.key != done.key}
        replaced = {*planned, *gone, *([done.key] if done is not None else ())}
        aside = {step.key for step in self.parked} | ({done.key} if done is not None else set())
        planned |= {step.key: lean(step) for step in outcome.plays or () if step.key not in aside}
        if not replaced and not prefixes and outcome.plays is None:
            return self.agenda
        kept = [
            step
            for step in self.agenda
            if (key := step.key) not in replaced
            and step.stage not in gone
            and not (prefixes and key.startswith(prefixes))
            and not (outcome.plays is not None and step.kind in PLAYS)
        ]
        return sorted([*kept, *planned.values()], key=_by_instant) if planned else kept

    def moved(self, before: AccountView | None, *, keeping: Collection[str] = AT_AN_INSTANT) -> JourneyState:
        """The state of a customer in another zone than `before`: what was to happen at nine happens at nine where they are now.

        Terms, invoices and what begins at midnight keep the instants that they were sold by, and so do all steps of the kinds
        `keeping`, whatever hour their instant was in the zone before.
        """
        if before is None or self.account is None or before.time_zone == self.account.time_zone:
            return self
        old, new = before.time_zone, self.account.time_zone
        agenda = [
            step.having(at=local_instant(step.on, new))
            if step.kind not in keeping and wall_clock(step.at, old) == datetime.combine(step.on, MORNING)
            else step
            for step in self.agenda
        ]
        return self.having(agenda=sorted(agenda, key=_by_instant))

    def forgetting(self, contact_id: str) -> JourneyState:
        """The state without the words that it was told, which may name a contact who was erased; what waits, waits on."""
        return self.having(
            said=[],
            attention=dict.fromkeys(self.attention, ERASED),
            cases=[case.having(said=None) for case in self.cases],
            paused=self.paused.having(reason=ERASED) if self.paused else None,
            erased=[*(id for id in self.erased if id != contact_id), contact_id],
        )

    def parking(self, step: Step, why: str) -> JourneyState:
        """The state with `step` set aside because it cannot be done, and the reason where people look for it."""
        return self.having(
            agenda=[other for other in self.agenda if other.key != step.key],
            parked=[*self.parked, step],
            attention={**self.attention, f"parked:{step.key}": why},
        )

    def overdue(self, now: datetime) -> list[Step]:
        """What is set aside, and what came due and was not done."""
        return [*self.parked, *(step for step in self.agenda if step.at <= now)]

    def step(self, key: str) -> Step | None:
        """The step of that key, planned or set aside."""
        return next((step for step in [*self.agenda, *self.parked] if step.key == key), None)

    def without_parked(self, key: str) -> JourneyState:
        """The state in which the step of that key is not set aside any more."""
        attention = {name: why for name, why in self.attention.items() if name != f"parked:{key}"}
        return self.having(parked=[step for step in self.parked if step.key != key], attention=attention)

    def unparked(self, now: datetime, *, planned: bool = False) -> JourneyState:
        """The state with every parked step due again, unless they are `planned` anew, and every stuck delivery on its way again."""
        again = [] if planned else [step.having(at=now) for step in self.parked]
        agenda = sorted([*self.agenda, *again], key=_by_instant)
        freed = self.freed("parked:", "unreadable:")
        return freed.having(agenda=agenda, parked=[], paused=None)


class JourneyStart(Carried):
    """A journey's input: nothing for a new one, the state after a rollover. `roll_over_after_events` is for rehearsals."""

    state: JourneyState | None = None
    roll_over_after_events: int = ROLL_OVER_AFTER_EVENTS


def _by_instant(step: Step) -> tuple[datetime, str]:
    return step.at, step.key


def _without_finished(stages: dict[str, Stage], finished: Mapping[str, str]) -> dict[str, Stage]:
    """`stages` without the tasks that are done; the last one closes its stage."""
    if not finished:
        return stages
    found: dict[str, Stage | None] = {}
    for stage, done in finished.items():
        if (known := stages.get(stage)) is not None and done in known.tasks:
            left = [task for task in known.tasks if task != done]
            found[stage] = known.having(tasks=left) if left else None
    return _merged(stages, found)


def _merged(old: Mapping[str, _Value], changes: Mapping[str, _Value | None]) -> dict[str, _Value]:
    """`old` with `changes`; a null takes its key out."""
    if not changes:
        return {**old}
    new = {key: lean(value) if isinstance(value, Carried) else value for key, value in changes.items()}
    return {key: value for key, value in {**old, **new}.items() if value is not None}
