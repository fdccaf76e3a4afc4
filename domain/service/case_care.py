"""What a case does by itself: its promises' warnings, violations and their reversal, reminders, closing, survey, escalation by
age, and finding somebody who takes it. Everything is computed from what happened; nothing depends on when a timer fired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.frame.case_words import RUNNING, CaseState, Level, Priority, state_in_words
from domain.frame.keys import case_key
from domain.frame.messages import OwnWords
from domain.frame.step_words import plain
from domain.kernel.shown import at_work
from domain.service import case_mails, case_surveys, claim_decisions
from domain.service.assignment import (
    AssignmentRule,
    PlannedEscalation,
    assign,
    escalation_rule,
    escalations,
    priority_of,
)
from domain.service.case import Happened, MilestoneFacts
from domain.service.casework import SYSTEM, Work
from domain.service.definitions import ActionClass, ActionKind, MilestoneKind
from domain.service.desk import next_shift, on_shift
from domain.service.lifecycle import closes_at, nudges_at
from domain.service.milestone_actions import DueActions, PlannedAction, agenda
from domain.service.milestones import MilestoneState, Occurrence

Wake = tuple[datetime, str]


def look_after(work: Work) -> None:
    """Does everything that is due at `as_of`, and says when to look again."""
    by_time(work)
    history = work.history()
    followed = work.followed(history)
    recorded = {row.key: found for row in work.before.milestones if (found := row.violation())}
    todo = agenda(
        work.case_id,
        followed,
        history,
        as_of=work.as_of,
        planned_at=work.case.planned_at,
        fired=work.before.fired,
        recorded=recorded,
    )
    _judge(work, todo, [(one.milestone.kind, found) for one in followed for found in one.occurrences])
    if work.case.status not in (CaseState.MERGED, CaseState.CANCELLED):
        for planned in todo.fire:
            _fire(work, planned)
    if work.case.status in RUNNING and work.case.owner_id is None:
        find_owner(work)
    wakes: list[Wake] = []
    if todo.next_at is not None and work.case.status in RUNNING:
        wakes.append((todo.next_at, _label(work, todo.next_at)))
    wakes += _reminders(work)
    wakes += _by_age(work)
    wakes += _later(work)
    wakes += claim_decisions.look_after(work)
    at, what = min(wakes, default=(None, ""))
    work.next_at, work.next_what = at, what
    work.change(next_action_at=at)
    work.report_standing()


def by_time(work: Work) -> None:
    """A wait that is over ends, and a resolution that nobody objected to becomes final, at the instants meant for it."""
    case = work.case
    if case.resume_at is not None and case.resume_at <= work.as_of:
        work.happened(Happened.RESUMED, case.resume_at, SYSTEM, {"status": CaseState.OPEN})
        work.change(status=CaseState.OPEN, status_at=case.resume_at, status_reason="", resume_at=None)
    closing = _closes(work)
    if closing is not None and closing <= work.as_of:
        work.happened(Happened.CLOSED, closing, SYSTEM, {"status": CaseState.CLOSED})
        work.change(status=CaseState.CLOSED, status_at=closing, status_reason="", closed_at=closing)
        work.change(escalated=False, escalated_at=None)
        work.line("closed", f"Case {work.case_id} closed: it was not reopened", closing, SYSTEM)


def _closes(work: Work) -> datetime | None:
    case = work.case
    if case.status is not CaseState.RESOLVED or case.resolved_at is None or work.clock is None:
        return None
    return closes_at(case.resolved_at, work.clock, work.before.desk.rules)


# Promises


def _judge(work: Work, todo: DueActions, found: list[tuple[MilestoneKind, Occurrence]]) -> None:
    """Keeps what became of each promise, and what was found late or not late after all."""
    rows = {row.key: row for row in work.before.milestones}
    violated = {one.occurrence: one for one in todo.violations}
    for kind, occurrence in found:
        row = _row(work, kind, occurrence, rows.get(occurrence.key))
        if one := violated.get(occurrence.key):
            row = row.having(violated_at=one.violated_at, violation_target=one.target, reversed_at=None)
        if row != rows.get(occurrence.key):
            work.milestones[occurrence.key] = row
        if kind is MilestoneKind.FIRST_RESPONSE and work.case.first_response_at != occurrence.completed_at:
            work.change(first_response_at=occurrence.completed_at)
    for one in todo.violations:
        work.happened(Happened.VIOLATED, one.violated_at, SYSTEM, {"occurrence": one.occurrence})
        work.line(
            "violated",
            f"Case {work.case_id}: {plain(one.milestone)} was due and late",
            one.violated_at,
            SYSTEM,
        )
        work.report("violated", one.violated_at)
    for back in todo.reversals:
        before = work.milestones.get(back.occurrence) or rows[back.occurrence]
        work.milestones[back.occurrence] = before.having(reversed_at=work.as_of)
        work.happened(Happened.REVERSED, work.as_of, SYSTEM, {"occurrence": back.occurrence, "says": back.says})
        work.withdrawn += back.withdraw
        work.line("reversed", f"Case {work.case_id}: {back.says}", work.as_of, SYSTEM)
        work.report("reversed", work.as_of)


def _row(work: Work, kind: MilestoneKind, occurrence: Occurrence, before: MilestoneFacts | None) -> MilestoneFacts:
    state, completed = occurrence.state, occurrence.completed_at
    if kind is MilestoneKind.RESOLUTION and work.case.status in (CaseState.MERGED, CaseState.CANCELLED):
        state, completed = MilestoneState.STOPPED, None  # it ended without being resolved
    return MilestoneFacts(
        milestone=occurrence.milestone,
        number=occurrence.number,
        kind=kind.value,
        started_at=occurrence.started_at,
        target=occurrence.target,
        counted_from=occurrence.counted_from,
        due_at=occurrence.due,
        warned_at=before.warned_at if before else None,
        completed_at=completed,
        violated_at=before.violated_at if before else None,
        violation_target=before.violation_target if before else None,
        reversed_at=before.reversed_at if before else None,
        # How much an open promise has used up changes all the time: it is told once it is done.
        elapsed=occurrence.elapsed if completed is not None else None,
        state=state.value,
    )


def _fire(work: Work, planned: PlannedAction) -> None:
    """One action of a promise, once."""
    action = planned.action
    work.fire(planned.key, planned.at)
    if work.case.imported and planned.at < work.case.planned_at:
        return  # what lies before the take-over is on record and never acted on
    work.happened(
        Happened.FIRED, planned.at, SYSTEM, {"occurrence": planned.occurrence, "action": action.name}, internal=True
    )
    if action.when is ActionClass.WARNING:
        row = work.milestones.get(planned.occurrence) or next(
            row for row in work.before.milestones if row.key == planned.occurrence
        )
        if row.warned_at is None:
            work.milestones[planned.occurrence] = row.having(warned_at=planned.at)
    if action.does is ActionKind.FIELD_CHANGE and work.case.status not in RUNNING:
        return
    if action.does is ActionKind.FIELD_CHANGE:
        raise_flag(work, planned.at, SYSTEM, f"{plain(planned.milestone)} was late")
        return
    if "customer" in action.recipients:
        case_mails.about_milestone(work, planned)
    if people := [role for role in action.recipients if role != "customer"]:
        case_mails.tell_staff(work, planned, people)


def burning_for(work: Work) -> list[str]:
    """The reasons for which the case burns, since the flag was last taken down by somebody. A resolution takes none of them away:
    a case that is reopened burns for them again."""
    reasons: list[str] = []
    for event in work.all_events():
        if event.kind is Happened.DE_ESCALATED:
            reasons = []
        elif event.kind is Happened.ESCALATED and (reason := str(event.detail.get("reason") or "it was pressing")):
            reasons = [*(one for one in reasons if one != reason), reason]
    return reasons


def burn_again(work: Work, at: datetime) -> None:
    """A case that comes back from its resolution is as pressing as it was before; whoever was told then is told again."""
    reasons = burning_for(work)
    if not reasons or work.case.escalated:
        return
    work.change(escalated=True, escalated_at=at)
    why = [f"It was escalated before it was resolved: {reason}" for reason in reasons]
    title = f"Case {work.case_id} was reopened and is escalated"
    work.notify(f"{work.key}/escalated", ("owner", "lead", "manager"), title, [work.case.subject, *why])


def take_over_flag(work: Work, at: datetime, case_id: str, reason: str) -> None:
    """A case that burns went up in this one, which burns for the same reason from then on."""
    if reason in burning_for(work) or work.case.status not in RUNNING:
        return
    if not raise_flag(work, at, SYSTEM, reason):
        work.happened(Happened.ESCALATED, at, SYSTEM, {"reason": reason})
        work.line("escalated", f"Case {work.case_id} was escalated again: {reason}", at, SYSTEM)
    title = f"Case {case_id}, which is escalated, was merged into {work.case_id}"
    work.notify(f"{work.key}/burns", ("owner", "lead", "manager"), title, [work.case.subject, OwnWords(reason)])


def raise_flag(work: Work, at: datetime, by: str, reason: str) -> bool:
    """The escalated flag, unless it is up or nothing is left to burn. True if it was raised."""
    if work.case.escalated or work.case.status not in RUNNING | {CaseState.RESOLVED}:
        return False
    work.change(escalated=True, escalated_at=at)
    work.happened(Happened.ESCALATED, at, by, {"reason": reason})
    work.line("escalated", f"Case {work.case_id} was escalated: {reason}", at, by)
    work.report("escalated", at)
    return True


def _label(work: Work, at: datetime) -> str:
    rows = {**{row.key: row for row in work.before.milestones}, **work.milestones}
    due = next((row.milestone for row in rows.values() if row.due_at == at), None)
    return f"{due.replace('_', ' ')} due" if due else "before a promise is due"


# Reminders, surveys


def _reminders(work: Work) -> Iterator[Wake]:
    """The customer whose answer is awaited is reminded; of several reminders that are due only the last is sent."""
    case, clock = work.case, work.clock
    if case.status is not CaseState.WAITING_CUSTOMER or clock is None:
        return
    due: list[tuple[str, datetime]] = []
    before = 0
    for number, at in enumerate(nudges_at(case.status_at, clock, work.before.desk.rules), start=1):
        key = case_key(work.case_id, f"nudge/{case.status_at.isoformat()}/{number}")
        if work.has_fired(key):
            before += 1
        elif at > work.as_of:
            yield at, "reminding the customer"
        else:
            due.append((key, at))
    for key, at in due:
        work.fire(key, at)
    if due and not case.imported:
        key, at = due[-1]
        work.happened(Happened.FIRED, at, SYSTEM, {"action": "nudge"})
        case_mails.nudge(work, key, again=before > 0)


def _later(work: Work) -> Iterator[Wake]:
    case = work.case
    if case.resume_at is not None:
        yield case.resume_at, "waiting is over"
    if (closing := _closes(work)) is not None:
        yield closing, "closing by itself"
    yield from _survey(work)
    if case.status in RUNNING and case.owner_id is None:
        shift = next_shift([agent for agent in work.before.agents if agent.team == case.team], work.clocks, work.as_of)
        if shift is not None:
            yield shift, "finding an owner"


def _survey(work: Work) -> Iterator[Wake]:
    """Some time after a resolution the customer is asked, once, unless the case goes on meanwhile."""
    case = work.case
    if case.resolved_at is None or case.status not in (CaseState.RESOLVED, CaseState.CLOSED) or case.imported:
        return
    key = case_key(work.case_id, f"survey/{case.resolved_at.isoformat()}")
    at = case.resolved_at + work.before.desk.rules.survey_after
    if work.has_fired(key):
        return
    if at <= work.as_of and case_surveys.would_be_asked(work):
        at = max(at, work.may_send_at())
    if at > work.as_of and not case_surveys.is_too_soon(work, at):  # otherwise nobody needs to wait for it
        yield at, "asking how it was"
        return
    work.fire(key, min(at, work.as_of))
    case_surveys.ask(work, key)


# Escalation by age


def _by_age(work: Work) -> Iterator[Wake]:
    case = work.case
    if case.status not in RUNNING or case.status in work.before.desk.rules.pausing or work.clock is None:
        return
    touched = [event.at for event in work.all_events() if event.kind in _TOUCHES]
    steps = escalations(
        work.case_id,
        case.traits(work.before.account),
        work.before.desk.escalation,
        work.clock,
        created_at=_ruled_since(work),
        first_edit_at=min(touched, default=None),
        last_edit_at=max(touched, default=None),
    )
    for step in steps:
        if work.has_fired(step.key):
            continue
        if step.at > work.as_of:
            yield step.at, "escalation by age"
        else:
            _escalate(work, step)


def _ruled_since(work: Work) -> datetime:
    """Since when the case is under the escalation rule that fits it now: one that became pressing late is not old at once."""
    book, traits = work.before.desk.escalation, work.case.traits(work.before.account)
    rule = escalation_rule(traits, book)
    for event in reversed(work.all_events()):
        if event.kind is Happened.PRIORITISED:
            before = traits.having(priority=Priority(event.detail["from"]))
            if escalation_rule(before, book) != rule:
                return event.at
    return work.case.opened_at


_TOUCHES = frozenset({Happened.AGENT_MESSAGE, Happened.NOTE, Happened.WAITING, Happened.PRIORITISED})


def _escalate(work: Work, step: PlannedEscalation) -> None:
    work.fire(step.key, step.at)
    if work.case.imported and step.at < work.case.planned_at:
        return
    reason = f"open for {at_work(step.action.after)}"
    if step.action.assign_to is not None:
        work.change(owner_id=step.action.assign_to)
        work.happened(Happened.ASSIGNED, step.at, SYSTEM, {"owner": step.action.assign_to, "reason": reason})
        if work.case.status is CaseState.NEW:
            work.change(status=CaseState.OPEN, status_at=step.at)
    raise_flag(work, step.at, SYSTEM, reason)
    work.notify(
        step.key,
        step.action.notify or ("lead",),
        f"Case {work.case_id} is {reason}",
        [
            f"Rule {step.rule}: {work.case.subject}",
            f"It is {state_in_words(work.case.status)}, priority {work.case.priority.value}.",
        ],
    )


# Owners


def find_owner(work: Work) -> bool:
    """Somebody by the rules: skills, shift, load, then turn. The team is set even when nobody is free."""
    case, before = work.case, work.before
    rules = [rule for rule in before.desk.assignment if case.team in (None, rule.team)]
    if case.team is not None:
        rules.append(AssignmentRule(name="team", team=case.team))
    chosen = assign(
        case.traits(before.account),
        rules,
        [on_shift(agent, work.clocks, work.as_of) for agent in before.agents],
        at=work.as_of,
        answer_owed=case.first_response_at is None,
    )
    if chosen is None or (chosen.agent is None and case.team is not None):
        return False
    team = chosen.team if chosen.team in before.teams else case.team
    if chosen.agent is None and team == case.team:
        return False
    give_to(work, chosen.agent, team, SYSTEM, f"rule {chosen.rule}")
    return chosen.agent is not None


def give_to(work: Work, owner: str | None, team: str | None, by: str, reason: str = "") -> None:
    """The case goes to somebody, or to a team; a new case with an owner is open."""
    detail = {"owner": owner, "team": team, "reason": reason}
    work.happened(Happened.ASSIGNED, work.as_of, by, {key: value for key, value in detail.items() if value})
    work.change(owner_id=owner, team=team)
    if owner is not None and work.case.status is CaseState.NEW:
        work.change(status=CaseState.OPEN, status_at=work.as_of)


def priority_for(work: Work, impact: Level, urgency: Level) -> None:
    """The priority by impact and urgency, with the favour that some segments have."""
    account = work.before.account
    favoured = account is not None and account.segment in work.before.desk.favoured_segments
    work.change(impact=impact, urgency=urgency, priority=priority_of(impact, urgency, favoured=favoured))
