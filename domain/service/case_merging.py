"""Two cases of one customer become one: what goes over with the one that ends, and what that does to the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.frame.case_words import RUNNING, CaseState
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.service import case_care, case_handling
from domain.service.case import CaseFile, Happened, clock_events
from domain.service.case_changes import facts_of, reopen_at, turn
from domain.service.case_progress import CaseChanged
from domain.service.case_requests import (
    Merge,
)
from domain.service.casework import SYSTEM, Work
from domain.service.history import unanswered_since
from domain.service.lifecycle import (
    AfterMessage,
    after_message,
    check_merge,
)


def merge(
    work: Work,
    request: Merge,
    others: Mapping[str, CaseFile],
    merged_into: Mapping[str, str],
    heard_at: datetime | None = None,
) -> None:
    """The case goes up in another one of the same customer, and with it the answer that the customer waits for.

    Args:
        others: the cases named.
        merged_into: all merges of their customer.
        heard_at: when the case that it goes up in last answered the customer.
    """
    case = work.case
    known = {case.case_id: case, **others}
    accounts = {one.case_id: one.account_id or f"unknown, {_unknown(one)}" for one in known.values()}
    end = check_merge(case.case_id, request.into, accounts=accounts, merged_into=merged_into)
    target = known[end]
    if target.status in (CaseState.CLOSED, CaseState.CANCELLED):
        raise Refusal(NOT_ALLOWED, f"case {end!r} is {target.status.value}; reopen it before merging into it")
    turn(work, CaseState.MERGED, None)
    work.happened(
        Happened.MERGED, work.as_of, request.by, {"status": CaseState.MERGED, "into": end, "reason": request.reason}
    )
    work.change(
        status=CaseState.MERGED,
        status_at=work.as_of,
        status_reason=request.reason,
        merged_into=end,
        resume_at=None,
        escalated=False,
        escalated_at=None,
        closed_at=work.as_of,
    )
    work.absorbed_into = end
    work.owed_since = _owed_since(work, target, heard_at)
    work.goes_on = case.status in RUNNING
    told = f"{case.case_id}:{len(work.before.events) + len(work.events)}:absorbed"
    work.tell.append(CaseChanged(id=told, at=work.as_of, case_id=case.case_id, what="absorbed", into=end))
    work.line("merged", f"Case {case.case_id} was merged into {end}", work.as_of, request.by)
    work.report("closed", work.as_of)
    work.answer["into"] = end


def _owed_since(work: Work, target: CaseFile, heard_at: datetime | None) -> datetime | None:
    """From when on the target's next answer is counted: a merge wins no time. What is late already stays on this case's record,
    and a resolved target is reopened by the merge; there it counts from the merge."""
    since = unanswered_since(clock_events(work.before.events, work.before.desk.rules))
    resolved = target.status is CaseState.RESOLVED  # whoever was told that all is done was not answered by that
    if since is None or (heard_at is not None and heard_at >= since and not resolved):
        return None
    late = any(
        row.violation() and row.completed_at is None and row.kind != "resolution" for row in work.before.milestones
    )
    if late or resolved:
        return work.as_of
    return max(since, target.opened_at)


def absorbed(work: Work, told: CaseChanged) -> None:
    """Another case went up in this one, which is on record by now. What its customer waits for does what a message does, work
    that was not done reopens what was resolved, what burnt in the one burns in the other, and the more urgent clock counts."""
    found = [event for event in work.before.events if event.kind is Happened.ABSORBED]
    merges = [event for event in found if event.detail.get("case_id") == told.case_id]
    if not merges:
        return
    at, detail = merges[-1].at, merges[-1].detail
    resolved_before = work.case.status is CaseState.RESOLVED and work.case.status_at <= at
    if resolved_before and detail.get("goes_on"):
        reopen_at(work, at, SYSTEM, f"case {told.case_id} was merged into it")
    for reason in detail.get("burning_for", ()):
        case_care.take_over_flag(work, at, told.case_id, str(reason))
    case_handling.take_over_urgency(work, told.case_id, detail)
    if "unanswered_since" not in detail:
        return
    effect = after_message(facts_of(work), at, work.before.desk.rules)
    if effect is AfterMessage.REOPENS:
        reopen_at(work, at, SYSTEM, f"case {told.case_id} was merged into it")
    elif effect is AfterMessage.RESUMES:
        work.happened(Happened.RESUMED, max(at, work.case.status_at), SYSTEM, {"status": CaseState.OPEN})
        status_at = max(at, work.case.status_at)
        work.change(status=CaseState.OPEN, status_at=status_at, status_reason="", resume_at=None)
    title = f"Case {told.case_id} was merged into {work.case_id}: its customer waits for an answer"
    work.notify(f"{work.key}/absorbed", ("owner",), title, [work.case.subject, "What they wrote is in the thread."])
    work.change(planned_at=work.as_of)  # warnings whose time has passed by then are not given in a burst


def _unknown(case: CaseFile) -> str:
    """Who somebody unknown is: the same address or number is the same person."""
    return (case.contact.email or "").lower() or case.contact.phone or case.case_id
