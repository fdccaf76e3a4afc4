"""Who works on a case and how pressing it is: assignment, escalation and priority, as people ask for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.frame.case_words import RUNNING, CaseState, Priority
from domain.frame.messages import OwnWords
from domain.kernel.refusals import NOT_ALLOWED, Problem, Refusal
from domain.service import case_care
from domain.service.case import Happened
from domain.service.case_requests import Assign, DeEscalate, Escalate, Prioritise
from domain.service.casework import SYSTEM, Work

ESCALATION_ROLES = ("owner", "lead", "manager")


def assign(work: Work, request: Assign) -> None:
    """The case goes to somebody else."""
    case = work.case
    if case.status not in RUNNING | {CaseState.RESOLVED}:
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} is {case.status.value}; there is nothing left to do")
    if request.team is not None and request.team not in work.before.teams:
        known = ", ".join(sorted(work.before.teams)) or "none yet"
        problem = Problem(field="team", problem=f"there is no team {request.team!r}; there are {known}")
        raise Refusal(NOT_ALLOWED, "the case cannot be assigned", [problem])
    _check_staff(work, "owner", request.owner)
    if request.owner is None:
        work.change(owner_id=None, team=request.team or case.team)
        if not case_care.find_owner(work):
            case_care.give_to(work, None, work.case.team, request.by, request.reason)
    else:
        case_care.give_to(work, request.owner, request.team or case.team, request.by, request.reason)
        if request.by != request.owner:
            title = f"Case {case.case_id} is yours"
            work.notify(
                f"{work.key}/assigned", ("owner",), title, [case.subject, OwnWords(request.reason) or "Please take it."]
            )
    work.answer.update(owner=work.case.owner_id, team=work.case.team)


def escalate(work: Work, request: Escalate) -> None:
    """The case burns: lead and manager are told, and sales holds still."""
    case = work.case
    if case.status not in RUNNING | {CaseState.RESOLVED}:
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} is {case.status.value}; reopen it to escalate it")
    _check_staff(work, "to", request.to)
    if request.to is not None:
        case_care.give_to(work, request.to, case.team, request.by, request.reason)
    before = case_care.burning_for(work)
    raised = case_care.raise_flag(work, work.as_of, request.by, request.reason)
    another = not raised and request.reason not in before
    if another:
        work.happened(Happened.ESCALATED, work.as_of, request.by, {"reason": request.reason})
        title = f"Case {case.case_id} was escalated again: {request.reason}"
        work.line("escalated", title, work.as_of, request.by)
    if raised or another or request.to is not None:
        title = f"Case {case.case_id} was escalated{'' if raised else ' again'}"
        earlier = [f"It burns already: {reason}" for reason in before if not raised and reason != request.reason]
        work.notify(
            f"{work.key}/escalated", ESCALATION_ROLES, title, [case.subject, OwnWords(request.reason), *earlier]
        )
    work.answer["escalated_for"] = case_care.burning_for(work)


def _check_staff(work: Work, field: str, staff_id: str | None) -> None:
    if staff_id is not None and staff_id not in work.before.staff:
        problem = Problem(field=field, problem=f"{staff_id!r} is none of our people; check the id")
        raise Refusal(NOT_ALLOWED, "the case cannot be given to somebody unknown", [problem])


def de_escalate(work: Work, request: DeEscalate) -> None:
    """The flag is taken down, with the reason."""
    if not work.case.escalated:
        raise Refusal(NOT_ALLOWED, f"case {work.case_id!r} is not escalated")
    work.change(escalated=False, escalated_at=None)
    work.happened(Happened.DE_ESCALATED, work.as_of, request.by, {"reason": request.reason})
    work.line("de_escalated", f"Case {work.case_id} burns no longer: {request.reason}", work.as_of, request.by)
    work.report("de_escalated", work.as_of)


def prioritise(work: Work, request: Prioritise) -> None:
    """Another priority: promises are counted again from the start. The policy is chosen anew by whoever loads the book."""
    case = work.case
    if case.status not in RUNNING:
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} is {case.status.value}; its promises are settled")
    before = case.priority
    if request.impact is not None or request.urgency is not None:
        case_care.priority_for(work, request.impact or case.impact, request.urgency or case.urgency)
    if request.priority is not None:
        work.change(priority=request.priority)
    work.change(planned_at=work.as_of)
    changed = {"from": before.value, "to": work.case.priority.value, "reason": request.reason}
    work.happened(Happened.PRIORITISED, work.as_of, request.by, changed)
    if work.case.priority is not before:
        work.line(
            "prioritised", f"Case {case.case_id} is {work.case.priority.value} now", work.as_of, request.by, **changed
        )
        work.report("prioritised", work.as_of)
    work.answer["priority"] = work.case.priority.value


def urgency_of(work: Work) -> dict[str, str]:
    """How urgent a case was that goes up in another one, and since when its resolution was promised, if that is not late."""
    found: dict[str, str] = {"priority": work.before.case.priority.value}
    for row in work.before.milestones:
        if row.kind == "resolution" and row.completed_at is None and row.violation() is None:
            found["promised_since"] = (row.counted_from or row.started_at).isoformat()
    return found


def take_over_urgency(work: Work, other: str, detail: Mapping[str, Any]) -> None:
    """What was more urgent stays so: a merge wins no time. The resolution counts from when it was promised."""
    if "priority" not in detail or work.case.status not in RUNNING:
        return
    before, theirs = work.case.priority, Priority(detail["priority"])
    if theirs.rank >= before.rank:
        return
    if since := detail.get("promised_since"):
        work.resolution_from = datetime.fromisoformat(since)
    work.change(priority=theirs, planned_at=work.as_of)
    why = f"case {other} was merged into it"
    changed = {"from": before.value, "to": theirs.value, "reason": why}
    work.happened(Happened.PRIORITISED, work.as_of, SYSTEM, changed)
    work.line("prioritised", f"Case {work.case_id} is {theirs.value} now: {why}", work.as_of, SYSTEM, **changed)
    work.report("prioritised", work.as_of)
