"""Unhappy answers: a person calls within a business day, is reminded, and if nobody has called by the next one it goes further."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from domain.frame.customer import StaffFacts
from domain.frame.decision import Notice
from domain.frame.notice_acts import act
from domain.frame.sales_holds import HoldReason
from domain.frame.service_facts import Unhappy
from domain.frame.situation import Situation
from domain.holds.guard import guard_of
from domain.holds.holds import Hold
from domain.holds.reviewed import Reviewed
from domain.holds.writes import NoteChased

ATTENTION = "unhappy"
ANSWERS = frozenset({HoldReason.LOW_RATING, HoldReason.DETRACTOR})
"""The holds that an unhappy answer raises."""


def escalates_at(situation: Situation, one: Unhappy) -> datetime:
    """The business morning after the one on which the call was due."""
    return situation.customer.morning(situation.customer.day_of(one.due_at) + timedelta(days=1))[0]


def chase(situation: Situation, found: Reviewed) -> None:
    """Reminds whoever owes a call that is due, and tells the owner of one that is late, with what waits because of it."""
    late = []
    for one in situation.service.unhappy:
        at = escalates_at(situation, one)
        if situation.as_of >= at:
            late.append(one.title)
            if not one.escalated:
                _escalate(situation, one, found)
            continue
        found.looks.append(at)
        if situation.as_of < one.due_at:
            found.looks.append(one.due_at)
        elif not one.reminded:
            _remind(situation, one, at, found)
    found.attention[ATTENTION] = f"nobody has called yet: {'; '.join(late[:3])}" if late else None


def _remind(situation: Situation, one: Unhappy, further_at: datetime, found: Reviewed) -> None:
    on = situation.customer.day_of(further_at)
    lines = [_how(situation, one.source), otherwise(situation, one.person, on, one.manager)]
    acts = _acts(situation, one.source)
    found.notices.append(Notice(f"Due now: {one.title}", lines, due=one.due_at, person=one.person, acts=acts))
    found.writes.append(NoteChased(one.source, escalated=False))
    found.note(f"Reminded: {one.title}", f"reminded-{one.source}", "unhappy_reminded")


def _escalate(situation: Situation, one: Unhappy, found: Reviewed) -> None:
    due_at = situation.customer.morning(situation.in_days(1))[0]
    says = f"Nobody has called yet: {one.title}"
    lines = [
        f"It was due on {situation.customer.day_of(one.due_at)} and is up to {one.person.name}.",
        *([f"What waits meanwhile: {found.what_waits}."] if found.told else []),
        _how(situation, one.source),
    ]
    for person in further(situation, one.person, one.manager):
        found.notices.append(Notice(says, lines, due=due_at, person=person, acts=_acts(situation, one.source)))
    found.writes.append(NoteChased(one.source, escalated=True))
    found.note(f"Escalated: {one.title}", f"escalated-{one.source}", "unhappy_escalated")
    found.said.append(says)


def further(situation: Situation, person: StaffFacts, of_case: StaffFacts | None = None) -> list[StaffFacts]:
    """Who hears that `person` has not called: the owner, of what is the owner's own their manager; and the manager of the case that the
    answer is about."""
    customer = situation.customer
    above = customer.approver(customer.owner.staff_id) if person.staff_id == customer.owner.staff_id else customer.owner
    return [above, *([of_case] if of_case is not None and of_case.staff_id != above.staff_id else [])]


def otherwise(situation: Situation, person: StaffFacts, on: date, of_case: StaffFacts | None = None) -> str:
    """What follows if nobody calls, for whoever has to."""
    told = further(situation, person, of_case)
    if told[0].staff_id == person.staff_id:
        return f"If nobody has called by {on}, you hear of it again."
    return f"If nobody has called by {on}, {' and '.join(one.name for one in told)} will hear of it."


def _how(situation: Situation, source: str) -> str:
    """What a person does once they have talked to the customer."""
    if situation.customer.survey(source) is not None:
        return SETTLED_BY
    return "Once you have talked to them, note it in the case: that settles it."


def _acts(situation: Situation, source: str) -> tuple[str, ...]:
    return (talked(source),) if situation.customer.survey(source) is not None else ()


def talked(survey_id: str) -> str:
    """By what the call after an answer to the survey of that id is settled."""
    return act("acknowledge_hold", source=survey_id)


SETTLED_BY = "Once you have talked to them, please note it: that settles it."


def ended(situation: Situation, waited: Sequence[str], found: Reviewed) -> None:
    """Tells the owner of a wait that has ended by its time although nobody has called: what had waited, and that the call is owed."""
    live = {hold.source for hold in guard_of(situation).holds}
    over = {one.source for one in situation.service.recorded if one.reason in ANSWERS} - live
    for one in situation.service.unhappy:
        if one.source not in over:
            continue
        says = f"Nobody called, and automatic mails go again: {one.title}"
        lines = [
            f"It was due on {situation.customer.day_of(one.due_at)} and is up to {one.person.name}.",
            f"The wait for it ended by itself on {situation.today}.",
            *([f"What had waited: {'; '.join(dict.fromkeys(waited[:5]))}."] if waited else []),
            "Nothing waits for the call any more; please make it all the same, and note it.",
        ]
        found.notices.append(Notice(says, lines, to="owner", acts=_acts(situation, one.source)))
        found.note(says, f"ended-{one.source}", "unhappy_ended", said=True)


def told_of(situation: Situation, hold: Hold) -> Notice:
    """What the owner hears when an unhappy answer begins to hold automatic mails back: what waits, and what ends it."""
    lines, acts = [what_waits(), what_ends(situation, hold)], _acts(situation, hold.source)
    return Notice(f"Automatic mails wait: {hold.says}", lines, to="owner", acts=acts)


def what_waits() -> str:
    """What an unhappy answer holds back."""
    return "Check-ins, surveys, offers and greetings wait; what contracts, cases and the start with us need goes out."


def what_ends(situation: Situation, hold: Hold) -> str:
    """What lets the mails go again."""
    if hold.reason is HoldReason.LOW_RATING and hold.review_at is not None:
        return (
            f"That ends by itself on {situation.customer.day_of(hold.review_at)}; the customer is called because of it."
        )
    return until_called(situation, hold.review_at)


def until_called(situation: Situation, ends_at: datetime | None) -> str:
    """What ends the wait after an answer to a survey."""
    by_itself = f", or by itself on {situation.customer.day_of(ends_at)}" if ends_at is not None else ""
    return f"That ends once somebody has talked to them{by_itself}."
