"""How people's requests about holds are decided: placed and lifted by hand, overridden for a day, acknowledged, released for a renewal."""

from __future__ import annotations

from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Notice
from domain.frame.sales_holds import HoldLevel, Override
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.frame.step_words import plain
from domain.holds.guard import guard_of
from domain.holds.holding import after_request
from domain.holds.holds import Hold, OverrideRefusedError, check_override
from domain.holds.requests import AcknowledgeHold, LiftHold, OverrideHold, PlaceHold, ReleaseForRenewal
from domain.holds.writes import (
    LiftManualHold,
    NoteOnCase,
    PlaceManualHold,
    RecordAcknowledgement,
    RecordOverride,
    RecordRelease,
)
from domain.kernel.base import Write
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.shown import to_the_minute

NOTHING_HOLDS = "nothing holds sales back from this customer"
RENEWAL_TASK = "renewal-hold"
"""Begins the key of the task that asks a manager to decide on a renewal."""


def place(situation: Situation, request: PlaceHold, hold_id: str) -> Decision:
    """Sales is held back by hand."""
    if request.until is not None and request.until <= situation.as_of:
        problem = Problem(field="until", problem=f"{request.until.isoformat()} is not after now")
        raise Refusal(INVALID_REQUEST, "the hold cannot be placed", [problem])
    level = HoldLevel(request.level)
    write = PlaceManualHold(hold_id, level, request.reason, request.product, request.until, request.by)
    until = f" until {situation.customer.day_of(request.until)}" if request.until else ""
    says = f"Hold placed by {situation.named(request.by)}{until}: {request.reason}"
    answer = {"hold_id": hold_id, "level": level.value, "until": request.until.isoformat() if request.until else None}
    return Decision(JournalLine(says), Outcome(plan=after_request(situation), said=[says], answer=answer), [write])


def lift(situation: Situation, request: LiftHold, request_id: str) -> Decision:
    """A hold that was placed by hand ends."""
    manual = [hold.id for hold in situation.service.manual]
    if request.hold_id not in manual:
        raise Refusal(
            NOT_ALLOWED,
            f"hold {request.hold_id!r} was not placed by hand or is over; placed by hand: {', '.join(manual) or 'none'}."
            " The others end with what raised them",
        )
    says = f"Hold lifted by {situation.named(request.by)}" + (f": {request.reason}" if request.reason else "")
    outcome = Outcome(plan=after_request(situation), said=[says], answer={"hold_id": request.hold_id, "lifted": True})
    return Decision(JournalLine(says), outcome, [LiftManualHold(request.hold_id, request.by)])


def override(situation: Situation, request: OverrideHold, override_id: str) -> Decision:
    """The customer may be reached in spite of the holds for a short time; the owners of the cases hear who said so, and why."""
    holds = _live(situation)
    wanted = Override(
        id=override_id,
        by=request.by,
        role=request.role,
        reason=request.reason,
        since=situation.as_of,
        until=request.end(situation.as_of),
    )
    try:
        check_override(wanted, guard_of(situation).rules)
    except OverrideRefusedError as refused:
        raise Refusal(NOT_ALLOWED, str(refused)) from None
    cases = [case for case in situation.service.cases if case.case_id in {hold.source for hold in holds}]
    until = wanted.until.isoformat()
    local = to_the_minute(wanted.until, situation.customer.account.time_zone)
    by = f"{situation.named(request.by)} ({plain(request.role)})"
    says = f"Holds overridden by {by} until {local}: {request.reason}"
    writes: list[Write] = [RecordOverride(wanted, tuple(case.case_id for case in cases))]
    detail = {"override_id": override_id, "role": request.role, "reason": request.reason, "until": until}
    writes += [NoteOnCase(case.case_id, "hold_overridden", request.by, detail) for case in cases]
    notices = [
        Notice(f"Case {case.case_id}: sales may reach the customer", [says], person=case.person)
        for case in cases
        if case.person is not None
    ]
    answer = {"override_id": override_id, "until": until, "cases": [case.case_id for case in cases]}
    outcome = Outcome(plan=after_request(situation), said=[says], answer=answer)
    return Decision(JournalLine(says, detail=detail), outcome, writes, notices=notices)


def _live(situation: Situation) -> tuple[Hold, ...]:
    holds = guard_of(situation).holds
    if not holds:
        raise Refusal(NOT_ALLOWED, NOTHING_HOLDS)
    return holds


def acknowledge(situation: Situation, request: AcknowledgeHold, request_id: str) -> Decision:
    """Somebody has read why the customer is held. An unhappy answer to a survey is settled by it."""
    holds = guard_of(situation).holds
    calls = {one.source for one in situation.service.unhappy} & {
        one.survey_id for one in (*situation.customer.surveys, *situation.customer.efforts)
    }
    sources = list(dict.fromkeys([*(hold.source for hold in holds), *sorted(calls)]))
    if not sources:
        raise Refusal(NOT_ALLOWED, NOTHING_HOLDS)
    if request.source is not None and request.source not in sources:
        raise Refusal(NOT_ALLOWED, f"{request.source!r} does not hold this customer; these do: {', '.join(sources)}")
    read = [request.source] if request.source is not None else sources
    writes: list[Write] = [RecordAcknowledgement(source, request.by) for source in read]
    unhappy = [source for source in read if source in calls]
    writes += [CloseStaffTasks(f"survey/{source}", situation.as_of, by=request.by) for source in unhappy]
    says = f"{situation.named(request.by)} has read what service knows: {', '.join(read)}"
    answer = {"acknowledged": read, "says": [hold.says for hold in holds if hold.source in read]}
    plan = after_request(situation) if unhappy else []
    return Decision(JournalLine(says), Outcome(plan=plan, answer=answer), writes)


def release(situation: Situation, request: ReleaseForRenewal, release_id: str) -> Decision:
    """A case's owner, or a manager, decides whether the renewal may be talked about while the case is open."""
    case = situation.service.case(request.case_id)
    if case is None:
        known = ", ".join(case.case_id for case in situation.service.cases) or "none"
        raise Refusal(NOT_ALLOWED, f"case {request.case_id!r} holds nothing back here; this customer's cases: {known}")
    managers = guard_of(situation).rules.override_roles
    if request.by != case.owner and request.role not in managers:
        raise Refusal(
            NOT_ALLOWED,
            f"only the owner of case {case.case_id} ({case.owner or 'nobody yet'}) or a manager"
            f" (role {', '.join(sorted(managers))}) decides on this",
        )
    released = request.decision == "release"
    says = f"Renewal {'may be talked about' if released else 'waits'} while case {case.case_id} is open, says {situation.named(request.by)}"
    if request.reason:
        says = f"{says}: {request.reason}"
    held = [one.step.about for one in situation.service.steps if one.step.kind == "renewal_quote"]
    writes: list[Write] = [
        RecordRelease(release_id, case.case_id, request.by, request.role, released, request.reason),
        CloseStaffTasks(f"{RENEWAL_TASK}/", situation.as_of, by=request.by, outcome=request.reason),
        NoteOnCase(
            case.case_id, "renewal_released" if released else "renewal_kept", request.by, {"reason": request.reason}
        ),
    ]
    outcome = Outcome(
        plan=after_request(situation),
        attention={f"renewal_held:{contract}": None for contract in held},
        said=[says],
        answer={"case_id": case.case_id, "released": released},
    )
    return Decision(JournalLine(says), outcome, writes)
