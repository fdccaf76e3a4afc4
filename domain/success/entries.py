"""What can be asked about onboarding, offers of more seats and surveys."""

from __future__ import annotations

from datetime import datetime

from domain.frame.calls import RequestCall
from domain.frame.keys import StageKind
from domain.frame.request_kinds import CUSTOMERS, PROGRAMS, SELLERS, RequestKind
from domain.frame.situation import LEDGER, NO_HOLDINGS, SERVICE
from domain.frame.state import JourneyState
from domain.kernel.ids import opaque_id
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.success import asking, expansion, health_said, onboarding_tasks, onboarding_waiting, readiness, references
from domain.success.requests import (
    AnswerOffer,
    AnswerReference,
    AnswerSurvey,
    BlockTask,
    CompleteTask,
    ConsiderExpansion,
    OverrideHealth,
    ReopenMilestone,
    UnblockTask,
)


def _check_task(state: JourneyState, request: CompleteTask, now: datetime) -> None:
    """Refuses a task that is not open; what one that is done has brought can still be told."""
    if request.evidence:
        return
    _check_open(state, request)


def _check_open(state: JourneyState, request: CompleteTask | BlockTask | UnblockTask) -> None:
    stages = state.stages_of(StageKind.ONBOARDING)
    if request.order_id is not None:
        stages = [(order, stage) for order, stage in stages if order == request.order_id]
    if any(request.task in stage.tasks for _, stage in stages):
        return
    tasks = ", ".join(f"{task} (onboarding:{order})" for order, stage in stages for task in stage.tasks) or "none"
    raise Refusal(NOT_ALLOWED, f"task {request.task!r} is not open; open tasks: {tasks}")


def _check_waiting(state: JourneyState, request: BlockTask | UnblockTask, now: datetime) -> None:
    """Refuses a task that is not open."""
    _check_open(state, request)


def _check_offer(state: JourneyState, request: AnswerOffer, now: datetime) -> None:
    """Refuses an answer to an offer that is not open."""
    offers = [offer for _, stage in state.stages_of(StageKind.EXPANSION) for offer in stage.tasks]
    if request.offer_id not in offers:
        waiting = ", ".join(offers) or "none"
        raise Refusal(NOT_ALLOWED, f"offer {request.offer_id!r} is not open; open offers: {waiting}")


def _own_id(call: RequestCall, key: str) -> str:
    return opaque_id(key)


ENTRIES = (
    RequestKind(
        "complete_task",
        CompleteTask,
        onboarding_tasks.complete,
        "Task done",
        asked_by=CUSTOMERS,
        example='{"task": "kickoff", "order_id": "SO-1", "evidence": "all were there", "by": "s-2"}',
        stage="onboarding",
        allowed=_check_task,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "block_task",
        BlockTask,
        onboarding_waiting.block,
        "Task waits",
        asked_by=CUSTOMERS,
        example='{"task": "training", "order_id": "SO-1", "waits_for": "customer", "reason": "no list of users yet", "by": "s-2"}',
        stage="onboarding",
        allowed=_check_waiting,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "unblock_task",
        UnblockTask,
        onboarding_waiting.unblock,
        "Task goes on",
        asked_by=CUSTOMERS,
        example='{"task": "training", "order_id": "SO-1", "note": "the list of users has come", "by": "s-2"}',
        stage="onboarding",
        allowed=_check_waiting,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "reopen_task",
        ReopenMilestone,
        onboarding_waiting.reopen,
        "Task open again",
        asked_by=CUSTOMERS,
        example='{"task": "training", "order_id": "SO-1", "reason": "half of them were ill", "by": "s-2"}',
        stage="onboarding",
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "answer_offer",
        AnswerOffer,
        expansion.answer,
        "Answer to an offer of more seats",
        asked_by=CUSTOMERS,
        example='{"offer_id": "expansion-SO-1.1-2027-03-12", "decision": "accept", "by": "customer"}',
        stage="expansion",
        needs=LEDGER,
        allowed=_check_offer,
        binding=True,
    ),
    RequestKind(
        "consider_expansion",
        ConsiderExpansion,
        readiness.consider,
        "Ready for more?",
        asked_by=SELLERS | PROGRAMS,
        example='{"suggested": [{"product": "Backup", "because": "CRM", "together": 31, "buyers": 80}], "by": "s-1"}',
        stage="expansion",
        needs=SERVICE,
    ),
    RequestKind(
        "answer_survey",
        AnswerSurvey,
        asking.answer_survey,
        "Answer to a survey",
        asked_by=CUSTOMERS,
        example='{"survey_id": "survey-2027-03-12", "score": 9, "comment": "it works", "by": "customer"}',
        stage="adoption",
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "answer_reference",
        AnswerReference,
        references.answer,
        "Answer whether they would be a reference",
        asked_by=CUSTOMERS,
        example='{"reference_id": "ref-C-17-2027-03-12", "decision": "yes", "comment": "gladly", "by": "customer"}',
        stage="adoption",
        needs=SERVICE,
    ),
    RequestKind(
        "override_health",
        OverrideHealth,
        health_said.override,
        "Health as a person sees it",
        asked_by=SELLERS,
        example='{"band": "critical", "reason": "their budget is cut", "days": 14, "by": "s-2"}',
        beside=_own_id,
        needs=NO_HOLDINGS,
    ),
)
