"""What a customer's journey and a case share: updates that wait for their answer, messages on their way out, and runs that end."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ContinueAsNewVersioningBehavior

from domain.frame.flight import Delivery, Flying
from domain.frame.state import Outcome
from domain.journey.registry import BY_ACTIVITY, Kind
from domain.kernel.legible import Answer, InTheClear
from domain.kernel.refusals import Refusal
from workflows.carried import carried, carrying
from workflows.tasks import Alarm, DeliveryTasks
from workflows.visibility import Shown

ROLL_OVER_AFTER = timedelta(days=300)
LONG_IN_FLIGHT = timedelta(days=1)
"""What has been on its way for so long keeps no run from ending: some provider is dead."""

NOT_SEALED = "NotSealed"
_HOW_SEALED = "call the API or Nexus, or connect with PerennialPlugin and the key for payloads"
_State = TypeVar("_State", bound=Flying)
_Entity = TypeVar("_Entity", bound="Entity[Any]")


class refusals:  # noqa: N801 - reads as a phrase: with refusals()
    """Turns a refusal into the failure that the sender of an update is told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refusal):
            problems = [problem.model_dump() for problem in error.problems]
            raise ApplicationError(str(error), problems, type=error.type, non_retryable=True) from None


def cause_of(error: ActivityError) -> ApplicationError:
    """What an activity said when it failed for good."""
    cause = error.cause
    return cause if isinstance(cause, ApplicationError) else ApplicationError(str(cause or error), type="StepFailed")


class PendingUpdate:
    """An update that waits for its answer from the loop."""

    def __init__(self, activity: str, request_id: str, body: dict[str, Any], update_id: str = "") -> None:
        self.activity = activity
        self.request_id = request_id
        self.body = body
        self.kind = BY_ACTIVITY.get(activity)
        """null for what no update asks for: news from another case"""
        self.update_id = update_id if self.kind is not None and self.kind.is_in_a_role else ""
        """by which its activity knows whether the role that it claims counts"""
        self.carried = carried()
        self.answer: dict[str, Any] | None = None
        self.refusal: ApplicationError | None = None

    @property
    def key(self) -> str:
        """What makes two requests the same; an order is the same however it comes in."""
        return f"{self.kind.known_as if self.kind else self.activity}:{self.request_id}"

    @property
    def opens(self) -> bool:
        """True for what can begin a journey, or begin it anew."""
        return self.kind is not None and self.kind.opens

    @property
    def settled(self) -> bool:
        """True once there is an answer or a refusal."""
        return self.answer is not None or self.refusal is not None


class Entity(Generic[_State]):
    """Handlers only note; the one loop does everything, one thing after the other."""

    carried_as = "state"
    """the field of the next run's input that takes the state along"""
    latest_events = float("inf")
    """from here on a rollover no longer waits for messages that are on their way: the next run takes them along"""

    def __init__(self, start: Any, state: _State, account_id: str, attributes: Shown[_State]) -> None:
        self.start = start
        self.state = state
        self.began = workflow.now()
        self.pending: deque[PendingUpdate] = deque()
        self.answered: set[str] = set()
        self.forgets = False
        """true once somebody was erased whom this run's history names: the next one begins as soon as nothing is half-done"""
        self.alarm = Alarm()
        self.deliveries = DeliveryTasks(account_id)
        self.attributes = attributes
        if getattr(start, self.carried_as) is not None:
            self.attributes.restore(self.state)

    # Noting

    async def ask(self, kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
        """The loop's answer to an update; raises what it was refused with."""
        update = workflow.current_update_info()
        request_id = body.get(kind.id_field) or (update.id if update else "")
        pending = PendingUpdate(kind.answered_by, str(request_id), body, update.id if update else "")
        self.pending.append(pending)
        await workflow.wait_condition(lambda: pending.settled)
        if pending.refusal is not None:
            raise pending.refusal
        return pending.answer or {}

    def read(self, kind: Kind, document: Any) -> Any:
        """The request in a document. Raises `Refusal` for what cannot be read, and for what was sent to the wrong workflow."""
        request = kind.read(document)
        if kind.belongs is not None:
            kind.belongs(request, workflow.info().workflow_id)
        return request

    # What the loop does

    @abstractmethod
    async def carry_out(self, pending: PendingUpdate) -> Any:
        """The outcome of an update's activity."""

    @abstractmethod
    def apply_answer(self, pending: PendingUpdate, outcome: Any) -> None:
        """What an update's outcome means for the state."""

    @abstractmethod
    def hear(self, outcome: Outcome) -> None:
        """What a message that has reached its end means for the state."""

    async def answer(self, pending: PendingUpdate) -> None:
        """An update: one activity, one transaction, and its answer to whoever asked."""
        try:
            with carrying(pending.carried):
                outcome = await self.carry_out(pending)
        except ActivityError as error:
            cause = cause_of(error)
            pending.refusal = ApplicationError(cause.message, *cause.details, type=cause.type, non_retryable=True)
            return
        self.answered.add(pending.key)
        self.apply_answer(pending, outcome)
        pending.answer = outcome.answer or {}

    def settle(self, delivery: Delivery, outcome: Outcome | str) -> None:
        """A message has reached its end, or needs a person."""
        if isinstance(outcome, str):
            self.state = self.state.stuck(delivery.id, f"{delivery.channel.value}: {outcome}")
        elif outcome.late is not None:
            self.state = self.state.late(delivery.id, outcome.late)
        else:
            self.state = self.state.delivered(delivery.id)
            self.hear(outcome)

    def is_moving(self) -> bool:
        """True while a message is on its way out."""
        return any(not delivery.stuck for delivery in self.state.in_flight)

    # The end of a run

    @abstractmethod
    def is_idle(self) -> bool:
        """True while nothing is half-done."""

    def should_roll_over(self) -> bool:
        """True when this run is old or long enough, and nothing is half-done."""
        info = workflow.info()
        events = info.get_current_history_length()
        now = workflow.now()
        due = (
            events >= self.start.roll_over_after_events
            or now - self.began >= ROLL_OVER_AFTER
            or info.is_continue_as_new_suggested()
            or info.is_target_worker_deployment_version_changed()
            or self.forgets
        )
        moving = [delivery for delivery in self.state.in_flight if not delivery.stuck]
        long = self.forgets or events >= self.latest_events or all(now - one.since > LONG_IN_FLIGHT for one in moving)
        return due and long and self.is_idle()

    async def roll_over(self) -> None:
        """The next run goes on from the state; whoever still waits for an answer gets it first."""
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or not self.should_roll_over())
        if not self.should_roll_over():
            return  # something came in meanwhile, and only the loop can answer it
        state = self.state.having(runs=self.state.runs + 1)
        start = self.start.having(**{self.carried_as: state})
        moves = workflow.info().is_target_worker_deployment_version_changed()
        workflow.continue_as_new(
            start,
            search_attributes=self.attributes.for_next_run(state),
            initial_versioning_behavior=ContinueAsNewVersioningBehavior.AUTO_UPGRADE if moves else None,
        )


def handling(kinds: Mapping[str, Kind]) -> Callable[[type[_Entity]], type[_Entity]]:
    """Gives a class the handlers of updates, each with its validator and its description."""

    def with_handlers(entity: type[_Entity]) -> type[_Entity]:
        for kind in kinds.values():
            setattr(entity, f"handle_{kind.update}", _handler(kind))
        return entity

    return with_handlers


def _handler(kind: Kind) -> Callable[..., Any]:
    """The handler of an update with its validator. `self` has no type, by which Temporal tells it from what is sent."""

    async def handle(self, request: Any) -> dict[str, Any]:  # type: ignore[no-untyped-def]
        return Answer(await self.ask(kind, request))

    def check(self, request: Any) -> None:  # type: ignore[no-untyped-def]
        if isinstance(
            request, InTheClear
        ):  # before any history has it; without details, which a caller without a key cannot read
            said = f"{kind.update} came unencrypted, and nothing may here; {_HOW_SEALED}"
            raise ApplicationError(said, type=NOT_SEALED, non_retryable=True)
        with refusals():
            self.read(kind, request)

    update = workflow.update(name=kind.update, description=kind.description)(handle)
    update.validator(check)
    return update
