"""What a step that is left out or moved by hand brings with it: what belongs to it ends, and it keeps to the last day on which it
is of use. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.contracts.renewal_quote import last_day, notice_by
from domain.frame.decision import CloseStaffTasks
from domain.frame.mail_kinds import template_of
from domain.frame.situation import Situation
from domain.frame.staff_tasks import TaskState
from domain.frame.state import Outcome, Stage, Step
from domain.frame.success_facts import OnboardingTaskStatus
from domain.frame.task_steps import keys_of, task_of
from domain.holds.deciding import RENEWAL_TASK
from domain.holds.writes import ForgetHeldSteps
from domain.kernel.base import Write
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months, business_day_until
from domain.success import onboarding_dates, onboarding_tasks, thanks
from domain.success.writes import DropTask


@dataclass(frozen=True)
class Belongings:
    """What ends with a step that is left out."""

    outcome: Outcome = field(default_factory=Outcome)
    writes: list[Write] = field(default_factory=list)


def belongings(situation: Situation, step: Step, by: str, reason: str) -> Belongings:
    """What nothing else would bring to an end: the task that a mail completes, the quote that a hold keeps back.

    A task that somebody has to do stays open: an invitation is followed by its reminder, and that by whoever asks about it.
    """
    match step.kind:
        case "onboarding_mail":
            return _task_of_mail(situation, step, by, reason)
        case "renewal_quote":
            contract_id = step.about
            return Belongings(
                Outcome(drop=[f"{step.stage}/quote-*"], attention={f"renewal_held:{contract_id}": None}),
                [
                    ForgetHeldSteps(f"{step.stage}/quote-*"),
                    CloseStaffTasks(f"{RENEWAL_TASK}/{contract_id}", situation.as_of, TaskState.TAKEN_BACK, by, reason),
                ],
            )
        case _:
            return Belongings()


def _task_of_mail(situation: Situation, step: Step, by: str, reason: str) -> Belongings:
    waiting = [task.name for task in situation.customer.tasks if task.stage == step.stage and task.is_open]
    name = task_of(step.name)
    if name not in waiting:
        return Belongings()
    left = [other for other in waiting if other != name]
    stages: dict[str, Stage | None] = {step.stage: onboarding_tasks.waits_for(left)}
    key = f"{step.stage}/{name}"
    facts = next(task for task in situation.customer.tasks if task.stage == step.stage and task.name == name)
    freed = onboarding_dates.following(
        situation, [facts.having(status=OnboardingTaskStatus.PAST, completed_at=situation.as_of)], set()
    )
    released = onboarding_dates.moving(situation, freed, f"{facts.title['en']} is left out", by)
    return Belongings(
        released.outcome
        + Outcome(
            drop=keys_of(step.stage, name),
            stages=stages,
            attention={f"late:{key}": None},
            answer={"closed_task": name},
        ),
        [
            DropTask(step.stage, name, by, reason),
            CloseStaffTasks(key, situation.as_of, TaskState.TAKEN_BACK, by, reason),
            *released.writes,
        ],
    )


@dataclass(frozen=True)
class Limit:
    """The last day for which a step can be planned, and why."""

    day: date
    why: str


def limit_of(situation: Situation, step: Step, others: Sequence[Step]) -> Limit | None:
    """Up to which day on which people work a step is of use; null if it always is. `others`: the steps of its stage."""
    found = _use_of(situation, step, others)
    return found and Limit(business_day_until(found.day, situation.customer.account.country), found.why)


def _use_of(situation: Situation, step: Step, others: Sequence[Step]) -> Limit | None:
    customer = situation.customer
    match step.kind:
        case "renewal_notice" | "renewal_quote":
            contract = customer.contract(step.about)
            if contract is None or contract.stage != step.stage:
                return None
            by, end = notice_by(contract), last_day(contract.term)
            if contract.auto_renew and situation.today < by:
                return Limit(by, f"contract {contract.contract_id} renews by itself unless it is declined by {by}")
            return Limit(end, f"the term of contract {contract.contract_id} ends on {end}")
        case "quote_reminder":
            given_up = next((other for other in others if other.kind == "quote_give_up"), None)
            if given_up is None:
                return None
            return Limit(customer.day_of(given_up.at) - timedelta(days=1), f"on {given_up.on} the approval is given up")
        case "onboarding_touch":
            days = template_of(step.name.replace("-", "_")).moment
            came = customer.day_of(customer.account.since)
            return (
                None
                if days is None
                else Limit(came + timedelta(days=days), f"it is about their first days, from {came}")
            )
        case "relationship_anniversary":
            following = add_months(thanks.day_of_anniversary(situation, step), MONTHS_IN_YEAR)
            return Limit(following - timedelta(days=1), f"the next one is on {following}")
        case _:
            return None
