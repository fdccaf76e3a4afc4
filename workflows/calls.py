"""How workflows call activities: by name, with time-outs, retries and a summary for the Temporal UI, in one place.

Workflows never import activities; a test compares the names here with what the workers register.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

from domain.frame.batches import Batch, BatchCall, BatchReport
from domain.frame.calls import RequestCall, StepCall, Together
from domain.frame.flight import TOGETHER, Delivery, DeliveryCall, TogetherCall
from domain.frame.state import Outcome, Step
from domain.frame.step_words import in_words
from domain.frame.turns import Turn
from domain.frame.work_kinds import kind_of, queue_of
from domain.journey.request_words import deliveries_in_words, delivery_in_words, request_in_words
from domain.service.case_progress import CaseCall, CaseOutcome

QUEUES_APART = "perennial_queues_apart"
"""The function by which a worker tells its workflows which kinds of work have queues of their own. A queue is no part of what is replayed:
it may change between releases and settings."""

_Outcome = TypeVar("_Outcome", Outcome, CaseOutcome)

STEP_TIMEOUT = timedelta(seconds=10)
"""A step is one transaction of some milliseconds; a worker that died with it is noticed after this long."""
DELIVERY_TIMEOUT = timedelta(seconds=60)
DELIVERY_HEARTBEAT = timedelta(seconds=10)
"""A delivery may take long while the other side is slow; a worker that died with it is noticed after this long."""
BATCH_TIMEOUT = timedelta(hours=6)
BATCH_HEARTBEAT = timedelta(seconds=30)

_OWN_DATABASE = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=1)
)
_OUTSIDE = RetryPolicy(
    initial_interval=timedelta(seconds=5), backoff_coefficient=3.0, maximum_interval=timedelta(hours=6)
)
_ASKED = Priority(priority_key=Turn.REQUEST)


def _queue(activity: str) -> str | None:
    """Where an activity is done, if not where its workflow is."""
    apart = workflow.extern_functions().get(QUEUES_APART)
    kind = kind_of(activity)
    return queue_of(workflow.info().task_queue, kind) if apart is not None and kind in apart() else None


async def perform(
    account_id: str,
    step: Step,
    as_of: datetime,
    ends: date | None = None,
    kept: Sequence[date] = (),
    near: Sequence[Step] = (),
) -> Outcome:
    """One step: its activity has the name of its kind. `ends`: the first day after the term that it is about, if any; `kept`: the
    days of check-ins to come; `near`: steps that its mail may put off."""
    call = StepCall(account_id=account_id, step=step, as_of=as_of, kept=list(kept))
    outcome: Outcome = await workflow.execute_activity(
        step.kind,
        call.having(near=list(near)) if near else call,
        task_queue=_queue(step.kind),
        result_type=Outcome,
        start_to_close_timeout=STEP_TIMEOUT,
        retry_policy=_OWN_DATABASE,
        summary=in_words(step, ends),
    )
    return outcome


async def answer(activity: str, call: RequestCall | CaseCall, outcome_type: type[_Outcome], why: str = "") -> _Outcome:
    """One request to a journey or a case, or one instant of a case: `why` says what was due."""
    outcome: _Outcome = await workflow.execute_activity(
        activity,
        call,
        task_queue=_queue(activity),
        result_type=outcome_type,
        start_to_close_timeout=STEP_TIMEOUT,
        retry_policy=_OWN_DATABASE,
        summary=request_in_words(activity, call.body, why),
        priority=_ASKED if isinstance(call, RequestCall) else Priority.default,  # a case's own is the first already
    )
    return outcome


async def deliver(account_id: str, delivery: Delivery) -> Outcome:
    """One message out of the company; tried again for as long as it takes."""
    outcome: Outcome = await workflow.execute_activity(
        delivery.channel.value,
        DeliveryCall(account_id=account_id, delivery_id=delivery.id, as_of=workflow.now(), late=delivery.late),
        task_queue=_queue(delivery.channel.value),
        result_type=Outcome,
        start_to_close_timeout=DELIVERY_TIMEOUT,
        heartbeat_timeout=DELIVERY_HEARTBEAT,
        retry_policy=_OUTSIDE,
        summary=delivery_in_words(delivery),
    )
    return outcome


async def deliver_together(account_id: str, deliveries: Sequence[Delivery]) -> Together:
    """Several messages, each tried once: whoever takes them answers for those that have left."""
    together: Together = await workflow.execute_activity(
        TOGETHER,
        TogetherCall(
            account_id=account_id, deliveries={one.id: one.channel for one in deliveries}, as_of=workflow.now()
        ),
        task_queue=_queue(TOGETHER),
        result_type=Together,
        start_to_close_timeout=DELIVERY_TIMEOUT,
        heartbeat_timeout=DELIVERY_HEARTBEAT,
        retry_policy=_OWN_DATABASE,
        summary=deliveries_in_words(deliveries),
    )
    return together


async def do_batch(batch: Batch, as_of: datetime) -> BatchReport:
    """One batch over tables; tried again for as long as it takes."""
    report: BatchReport = await workflow.execute_activity(
        batch.value,
        BatchCall(as_of=as_of),
        task_queue=_queue(batch.value),
        result_type=BatchReport,
        start_to_close_timeout=BATCH_TIMEOUT,
        heartbeat_timeout=BATCH_HEARTBEAT,
        retry_policy=_OWN_DATABASE,
        summary=batch.says,
    )
    return report
