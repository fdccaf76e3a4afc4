"""What the engine's histories remember of a customer, as far back as they are kept: what was done, and what was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle

from domain.frame.flight import TOGETHER, Channel
from domain.frame.keys import EffectKey, StepKey, case_key, effect_key, message_key, settled_key
from domain.journey.taking_over import instant_of
from domain.kernel.ids import case_workflow_id, journey_id
from gateway.entity import MayBeGone
from gateway.payloads.enclosing import is_gone

ORDERS = frozenset({"activate_order", "take_over_order"})
"""The activities that accept an order."""
TAKEN_TOGETHER = "take_over_orders"
"""The one that accepts several orders of the past."""
_NOT_KEPT = frozenset({"reconcile", "case_unheard"})
"""What leaves nothing under a key of its own."""
_MESSAGES = frozenset({Channel.MAIL.value, Channel.NOTICE.value, Channel.WEBHOOK.value})
_PROVISIONED = "onboarding_provisioned"
"""The step that a provisioning service's answer makes: once that was done, nothing is asked again."""


@dataclass(frozen=True)
class Act:
    """Something that was done: its activity with what it was given, and the business key under which it was."""

    activity: str
    given: dict[str, Any]
    key: str
    as_of: datetime

    @property
    def is_order(self) -> bool:
        """True for an order, new or taken over."""
        return self.activity in ORDERS

    @property
    def is_request(self) -> bool:
        """True for what somebody has asked for, false for what was done by itself."""
        return "body" in self.given


@dataclass(frozen=True)
class Waited:
    """At which attempt an activity was done, and how long after it was asked for."""

    tries: int = 1
    time: timedelta = timedelta(0)


@dataclass
class Remembered:
    """All that the histories of one customer say. `done` in the order of the customer's own time; by the ids of messages what was `sent`,
    with the `sending` of mails, notices and events, and what was only `begun` to be; `held`: attempts at which a message was held back."""

    done: list[Act] = field(default_factory=list)
    sent: dict[str, datetime] = field(default_factory=dict)
    sending: dict[str, Act] = field(default_factory=dict)
    begun: dict[str, datetime] = field(default_factory=dict)
    held: list[tuple[str, Act]] = field(default_factory=list)


async def remember(temporal: Client, account_id: str) -> Remembered:
    """What all runs of an account's journey and of its cases remember."""
    cases = f"WorkflowType = 'ServiceCase' AND AccountId = '{account_id}'"
    ids = {run.id async for run in temporal.list_workflows(cases)}
    return await remember_runs(temporal, [journey_id(account_id), *sorted(ids)])


async def remember_cases(temporal: Client, case_ids: Sequence[str]) -> Remembered:
    """What all runs of these cases remember."""
    return await remember_runs(temporal, [case_workflow_id(case_id) for case_id in case_ids])


async def remember_runs(temporal: Client, workflow_ids: list[str]) -> Remembered:
    """What all runs of these workflows remember."""
    acts: dict[str, Act] = {}
    sent: dict[str, datetime] = {}
    sending: dict[str, Act] = {}
    held: list[tuple[str, Act]] = []
    begun: dict[str, datetime] = {}
    provisioned: dict[str, datetime] = {}
    for workflow_id in workflow_ids:
        runs = [run async for run in temporal.list_workflows(f"WorkflowId = '{workflow_id}'")]
        for run in sorted(runs, key=lambda run: run.start_time):
            async for name, given, outcome, waited in _completed(
                temporal, temporal.get_workflow_handle(run.id, run_id=run.run_id)
            ):
                asked = datetime.fromisoformat(given["as_of"])
                # Of what was tried again, an earlier attempt may have left before whoever sent it could say so.
                if outcome is None or (name in _MESSAGES and waited.tries > 1):
                    begun.setdefault(_delivery(given), asked)
                if outcome is None:
                    continue
                if name == Channel.PROVISIONING.value:
                    _note_delivery(given, outcome, provisioned)
                elif name in _MESSAGES:
                    id = _delivery(given)
                    # With a plan it was held back, with attention refused: both are found out again.
                    if outcome.get("sent") or not (outcome.get("plan") or outcome.get("attention")):
                        _note_delivery(given, outcome, sent)
                        if left := sent.get(id):
                            sending[id] = Act(name, given, settled_key(id), left)
                    elif outcome.get("plan"):
                        held.append((id, Act(name, given, settled_key(id), asked + waited.time)))
                elif name not in _NOT_KEPT and not _done_before(outcome) and not outcome.get("put_off"):
                    act = Act(name, given, _key(name, given), asked)
                    acts.setdefault(act.key, act)
    stages = {act.given["step"]["stage"] for act in acts.values() if act.activity == _PROVISIONED}
    sent |= {id: at for id, at in provisioned.items() if StepKey.parse(EffectKey.parse(id).what).stage in stages}
    begun = {id: at for id, at in begun.items() if id not in sent}
    return Remembered(sorted(acts.values(), key=lambda act: act.as_of), sent, sending, begun, held)


@dataclass(frozen=True)
class Scheduled:
    """An activity that a run asked for: its run, the number of the event, and the activity with what it was given."""

    run_id: str
    event_id: int
    activity: str
    given: dict[str, Any]

    def is_of(self, key: str) -> bool:
        """True for what did what stands under a key: a step or a request with all its lines, or the sending of a message (`sent:…`)."""
        message = key.removeprefix("sent:")
        if message != key:
            ids = [self.given["delivery_id"]] if "delivery_id" in self.given else list(self.given.get("deliveries", ()))
            return message in {message_key(self.given["account_id"], one) for one in ids}
        if "delivery_id" in self.given or not {"step", "request_id", "case_id"} & self.given.keys():
            return False
        own = _key(self.activity, self.given)
        return key == own or key.startswith(f"{own}/")

    def is_at(self, at: datetime) -> bool:
        """True for what was done as of an instant."""
        return "as_of" in self.given and datetime.fromisoformat(self.given["as_of"]) == at


async def find_scheduled(temporal: Client, workflow_id: str, key: str, at: datetime | None) -> Scheduled | None:
    """The activity that did what stands under a key, else the one that did something at that instant; as far as histories are kept."""
    runs = [run async for run in temporal.list_workflows(f"WorkflowId = '{workflow_id}'", limit=_MOST_RUNS)]
    near = None
    for run in sorted(runs, key=lambda run: run.start_time, reverse=True):
        handle = temporal.get_workflow_handle(run.id, run_id=run.run_id)
        found = None
        async for one in _scheduled(temporal, handle):
            found = one if key and one.is_of(key) else found
            near = one if near is None and at is not None and one.is_at(at) else near
        if found is not None:
            return found
    return near


_MOST_RUNS = 50


async def _scheduled(temporal: Client, handle: WorkflowHandle[Any, Any]) -> AsyncIterator[Scheduled]:
    """The activities that a run has asked for, in their order."""
    with MayBeGone():
        async for event in handle.fetch_history_events():
            if event.HasField("activity_task_scheduled_event_attributes"):
                asked = event.activity_task_scheduled_event_attributes
                (given,) = await temporal.data_converter.decode(asked.input.payloads, [dict[str, Any]])
                if is_gone(given):
                    continue
                for name, each in _asked(asked.activity_type.name, given):
                    yield Scheduled(handle.run_id or "", event.event_id, name, each)


async def _completed(
    temporal: Client, handle: WorkflowHandle[Any, Any]
) -> AsyncIterator[tuple[str, dict[str, Any], dict[str, Any] | None, Waited]]:
    """The activities of a run that were done, in their order: name, what each was given, what came of it, and how long it took. Then the
    messages of which nothing has come yet, which may have left all the same."""
    scheduled: dict[int, tuple[str, dict[str, Any]]] = {}
    asked_at: dict[int, datetime] = {}
    waited: dict[int, Waited] = {}
    decode = temporal.data_converter.decode
    with MayBeGone():  # a run whose history is not kept any more has nothing to say
        async for event in handle.fetch_history_events():
            if event.HasField("activity_task_scheduled_event_attributes"):
                asked = event.activity_task_scheduled_event_attributes
                (given,) = await decode(asked.input.payloads, [dict[str, Any]])
                if not is_gone(given):  # what was erased is nothing to be done again
                    scheduled[event.event_id] = (asked.activity_type.name, given)
                    asked_at[event.event_id] = event.event_time.ToDatetime(UTC)
            elif event.HasField("activity_task_started_event_attributes"):
                started = event.activity_task_started_event_attributes
                if begins := asked_at.pop(started.scheduled_event_id, None):
                    waited[started.scheduled_event_id] = Waited(
                        started.attempt, event.event_time.ToDatetime(UTC) - begins
                    )
            elif event.HasField("activity_task_completed_event_attributes"):
                done = event.activity_task_completed_event_attributes
                if done.scheduled_event_id not in scheduled:
                    continue
                results = await decode(done.result.payloads, [dict[str, Any]])
                name, given = scheduled.pop(done.scheduled_event_id)
                took = waited.pop(done.scheduled_event_id, Waited())
                for each in _each(name, given, results[0] if results else {}):
                    yield *each, took
        for name, given in scheduled.values():
            if name in _MESSAGES:
                yield name, given, None, Waited()
            elif name == TOGETHER:
                for delivery_id, channel in given["deliveries"].items():
                    yield channel, {**given, "delivery_id": delivery_id}, None, Waited()


def _each(
    name: str, given: dict[str, Any], outcome: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """An activity as it is; of one that took out several messages each that has come to its end, and of one that took over several orders
    each that was accepted, as if it had been alone."""
    if name == TAKEN_TOGETHER:
        taken = (outcome.get("answer") or {}).get("orders", ())
        for (one, order), its in zip(_asked(name, given), taken, strict=False):
            if its.get("answer") and not its.get("before"):
                yield one, order, {"answer": its["answer"]}
        return
    if name != TOGETHER:
        yield name, given, outcome
        return
    for delivery_id, came in outcome.get("outcomes", {}).items():
        yield given["deliveries"][delivery_id], {**given, "delivery_id": delivery_id}, came


def _asked(name: str, given: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an activity was asked to do; of one that takes over several orders each, as if it came alone."""
    if name != TAKEN_TOGETHER:
        yield name, given
        return
    for place, order in enumerate(given["body"]["orders"]):
        at = instant_of(datetime.fromisoformat(given["as_of"]), place).isoformat()
        yield "take_over_order", {**given, "request_id": str(order.get("order_id")), "body": order, "as_of": at}


def _key(name: str, given: dict[str, Any]) -> str:
    """The business key under which an activity puts what it does."""
    if "case_id" in given:
        return case_key(given["case_id"], _of_case(name, given["request_id"]))
    if "delivery_id" in given:
        return settled_key(_delivery(given))
    if "step" in given:
        return effect_key(given["account_id"], str(StepKey(given["step"]["stage"], given["step"]["name"])))
    return effect_key(given["account_id"], f"{'order' if name in ORDERS else name}:{given['request_id']}")


def _of_case(name: str, request_id: str) -> str:
    return {"case_open": "opened", "case_wake": f"wake/{request_id}"}.get(name, f"{name}:{request_id}")


def _note_delivery(given: dict[str, Any], outcome: dict[str, Any], into: dict[str, datetime]) -> None:
    if not outcome.get("late"):  # otherwise it could not leave within the hour, and is tried again
        left = (outcome.get("sent") or {}).get("at", given["as_of"])
        into[_delivery(given)] = datetime.fromisoformat(left)


def _delivery(given: dict[str, Any]) -> str:
    """A message's id: that of a case is whole, that of a journey leaves out the account."""
    return message_key(given["account_id"], given["delivery_id"])


def _done_before(outcome: dict[str, Any]) -> bool:
    """True for the answer of long ago; what a run had forgotten is in no other history."""
    return bool(outcome.get("repeated")) and not outcome.get("forgotten")
