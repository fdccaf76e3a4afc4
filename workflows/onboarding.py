"""Onboarding: from the order to go-live. A task is completed by update; what is late reminds, then escalates."""

from __future__ import annotations

from domain.frame.state import JourneyState, StageKind, stage_kind
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.success.requests import CompleteTask

STEPS = frozenset(
    {
        "onboarding_mail",  # a task of ours that a mail completes: the welcome
        "onboarding_provisioning",  # what was sold is asked of the provisioning service
        "onboarding_provisioned",  # and has been provided
        "onboarding_invite",  # the customer is invited to a task
        "onboarding_reminder",  # whoever has to do it is reminded
        "onboarding_escalation",  # it is late: the owner
        "onboarding_touch",  # day 1, month 1
    }
)


def check_complete_task(state: JourneyState, request: CompleteTask) -> None:
    """Refuses a task that is not open."""
    stages = {key: stage for key, stage in state.stages.items() if stage_kind(key) is StageKind.ONBOARDING}
    if request.order_id is not None:
        stages = {key: stage for key, stage in stages.items() if key == f"onboarding:{request.order_id}"}
    if any(request.task in stage.tasks for stage in stages.values()):
        return
    tasks = ", ".join(f"{task} ({key})" for key, stage in stages.items() for task in stage.tasks) or "none"
    raise Refusal(NOT_ALLOWED, f"task {request.task!r} is not open; open tasks: {tasks}")
