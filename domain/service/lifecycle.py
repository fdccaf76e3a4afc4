"""The life of a case: its states, what each change needs, what a late message means, and merging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.case_words import WAITING, CaseState
from domain.kernel.base import Carried
from domain.kernel.business_clock import BusinessClock
from domain.service.errors import MergeRefusedError, StaleCaseError, TransitionNotAllowedError

_AFTER: dict[CaseState, frozenset[CaseState]] = {
    CaseState.NEW: frozenset({CaseState.OPEN, CaseState.RESOLVED, CaseState.MERGED, CaseState.CANCELLED}),
    CaseState.OPEN: WAITING | {CaseState.RESOLVED, CaseState.MERGED, CaseState.CANCELLED},
    **{
        state: (WAITING - {state}) | {CaseState.OPEN, CaseState.RESOLVED, CaseState.MERGED, CaseState.CANCELLED}
        for state in WAITING
    },
    CaseState.RESOLVED: frozenset({CaseState.OPEN, CaseState.CLOSED, CaseState.MERGED}),
    CaseState.CLOSED: frozenset({CaseState.OPEN}),
    CaseState.MERGED: frozenset(),
    CaseState.CANCELLED: frozenset({CaseState.CLOSED}),
}


class CaseRules(Carried):
    """The spans that the life of a case keeps. A reopening later than `reopen_within` opens a new, linked case."""

    pausing: frozenset[CaseState] = frozenset({CaseState.WAITING_CUSTOMER, CaseState.WAITING_THIRD_PARTY})
    reopen_within: timedelta = timedelta(days=14)
    close_after_business_days: int = 5
    nudge_after_business_days: tuple[int, ...] = (2, 5)
    survey_after: timedelta = timedelta(hours=2)
    automatic_mails_a_day: int = 3


class CaseFacts(Carried):
    """What a change of state is judged by. `ended_at` is the last resolution or closing."""

    state: CaseState
    version: int = 0
    owner: str | None = None
    open_children: int = 0
    ended_at: AwareDatetime | None = None


class ChangeRequest(Carried):
    """A wanted change of state. `seen_version` is the version that whoever asks had before them."""

    to: CaseState
    at: AwareDatetime
    seen_version: int | None = None
    reason: str = ""
    resolution_code: str = ""
    resolution_text: str = ""
    by_customer: bool = False


def allowed_after(state: CaseState) -> tuple[CaseState, ...]:
    """What a case in `state` may become, in the order of the states."""
    return tuple(to for to in CaseState if to in _AFTER[state])


def check_change(facts: CaseFacts, change: ChangeRequest, rules: CaseRules | None = None) -> None:
    """Whether a case may change as asked.

    Raises:
        StaleCaseError: somebody changed the case since the caller saw it.
        TransitionNotAllowedError: no such change from this state (`allowed` lists those there are), or something lacks.
    """
    if change.seen_version is not None and change.seen_version != facts.version:
        raise StaleCaseError(
            f"the case is at version {facts.version}, not {change.seen_version}; read it again and repeat the change"
        )
    allowed = allowed_after(facts.state)
    if change.to not in allowed:
        names = ", ".join(allowed) or "nothing else"
        raise TransitionNotAllowedError(
            f"a case that is {facts.state} cannot become {change.to}; it can become {names}",
            tuple(state.value for state in allowed),
        )
    missing = _missing(facts, change, rules or CaseRules())
    if missing:
        raise TransitionNotAllowedError(
            f"the case cannot become {change.to} yet: {missing}", tuple(state.value for state in allowed)
        )


def _missing(facts: CaseFacts, change: ChangeRequest, rules: CaseRules) -> str | None:
    if change.to is CaseState.OPEN and facts.state is CaseState.NEW and not facts.owner:
        return "assign an owner first"
    if change.to in WAITING and not change.reason:
        return "say what it waits for"
    if change.to is CaseState.RESOLVED and not (change.resolution_code and change.resolution_text):
        return "give a resolution code and what was done"
    if change.to is CaseState.RESOLVED and facts.open_children:
        return f"resolve its {facts.open_children} open child cases first"
    if change.to is CaseState.CANCELLED and not (change.by_customer or change.reason):
        return "give the reason, or the customer's word that it is not needed any more"
    reopens = change.to is CaseState.OPEN and facts.state in {CaseState.RESOLVED, CaseState.CLOSED}
    if reopens and facts.ended_at is not None and change.at - facts.ended_at > rules.reopen_within:
        return f"it ended more than {rules.reopen_within.days} days ago; open a new case linked to it"
    return None


class AfterMessage(StrEnum):
    """What a customer's message does to its case."""

    CONTINUES = "continues"
    RESUMES = "resumes"
    REOPENS = "reopens"
    NEW_LINKED_CASE = "new_linked_case"
    GOES_TO_MERGE_TARGET = "goes_to_merge_target"


def after_message(facts: CaseFacts, at: datetime, rules: CaseRules | None = None) -> AfterMessage:
    """What a message of the customer at `at` does: never dropped, whatever the state."""
    limit = (rules or CaseRules()).reopen_within
    if facts.state is CaseState.MERGED:
        return AfterMessage.GOES_TO_MERGE_TARGET
    if facts.state is CaseState.CANCELLED:
        return AfterMessage.NEW_LINKED_CASE
    if facts.state in {CaseState.RESOLVED, CaseState.CLOSED}:
        late = facts.ended_at is not None and at - facts.ended_at > limit
        return AfterMessage.NEW_LINKED_CASE if late else AfterMessage.REOPENS
    return AfterMessage.RESUMES if facts.state in WAITING else AfterMessage.CONTINUES


def closes_at(resolved_at: datetime, clock: BusinessClock, rules: CaseRules | None = None) -> datetime:
    """When a resolved case without an answer closes by itself."""
    days = (rules or CaseRules()).close_after_business_days
    return clock.add_days(resolved_at, days)


def nudges_at(waiting_since: datetime, clock: BusinessClock, rules: CaseRules | None = None) -> tuple[datetime, ...]:
    """When a customer whose answer a case waits for is reminded."""
    days = (rules or CaseRules()).nudge_after_business_days
    return tuple(clock.add_days(waiting_since, day) for day in days)


def automatic_mail_allowed_at(sent_at: Sequence[datetime], at: datetime, rules: CaseRules | None = None) -> datetime:
    """When a thread may get one more automatic mail, `at` or later: at most so many in 24 hours, so that no two robots talk.

    Args:
        sent_at: when the thread's earlier automatic mails were sent.
    """
    recent = sorted(sent for sent in sent_at if at - timedelta(days=1) < sent <= at)
    too_many = len(recent) - (rules or CaseRules()).automatic_mails_a_day
    return at if too_many < 0 else recent[too_many] + timedelta(days=1)


def merge_target(case_id: str, merged_into: Mapping[str, str]) -> str:
    """The case that replies to `case_id` belong to, along its merges.

    Raises:
        MergeRefusedError: the merges go in a circle.
    """
    seen = {case_id}
    while (target := merged_into.get(case_id)) is not None:
        if target in seen:
            raise MergeRefusedError(f"the merges of case {target!r} go in a circle; undo one of them")
        seen.add(target)
        case_id = target
    return case_id


def check_merge(source: str, target: str, *, accounts: Mapping[str, str], merged_into: Mapping[str, str]) -> str:
    """The case that `source` would be merged into: `target`, or what that was merged into itself.

    Raises:
        MergeRefusedError: another customer, an unknown case, a case merged before, or a circle.
    """
    for case_id in (source, target):
        if case_id not in accounts:
            raise MergeRefusedError(f"there is no case {case_id!r}; check the id")
    if source in merged_into:
        raise MergeRefusedError(f"case {source!r} was merged into {merged_into[source]!r} before; merge that one")
    if accounts[source] != accounts[target]:
        raise MergeRefusedError(f"{source!r} and {target!r} belong to different customers; link them instead")
    end = merge_target(target, merged_into)
    if end == source:
        raise MergeRefusedError(f"case {target!r} already leads to {source!r}; merging back would be a circle")
    return end
