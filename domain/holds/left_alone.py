"""Cases that go on holding sales back because we do not answer them: the owner is reminded, with what waits and what ends it."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.frame.case_words import RUNNING, CaseState
from domain.frame.decision import Notice
from domain.frame.notice_acts import act
from domain.frame.sales_holds import HoldLevel
from domain.frame.service_facts import KnownCase
from domain.frame.situation import Situation
from domain.holds.guard import guard_of
from domain.holds.reviewed import Reviewed
from domain.holds.writes import NoteReminded
from domain.kernel.shown import counted

FIRST_AFTER, AGAIN_AFTER = 5, 10
"""business days"""


def remind(situation: Situation, found: Reviewed) -> None:
    """Tells the owner of every case that has held sales back for long and is up to us. One that waits for the customer ends its
    hold by itself, and is looked at on the same days: whoever answers has it up to us again, and tells nobody else."""
    blocking = {hold.source for hold in guard_of(situation).holds if hold.level is HoldLevel.BLOCK}
    for case in situation.service.cases:
        if case.case_id not in blocking or case.state not in RUNNING:
            continue
        since, reminded_at = _since(situation, case)
        at = _due(situation, reminded_at or since, AGAIN_AFTER if reminded_at else FIRST_AFTER)
        ours_since = situation.as_of if case.state is CaseState.WAITING_CUSTOMER else case.turned_at or since
        while at <= ours_since:  # it was up to the customer then
            at = _due(situation, at, AGAIN_AFTER)
        if situation.as_of >= at:
            _tell(situation, case, since, found)
            at = _due(situation, situation.as_of, AGAIN_AFTER)
        found.looks.append(at)


def _since(situation: Situation, case: KnownCase) -> tuple[datetime, datetime | None]:
    """Since when a case holds sales back on record, and when the owner was reminded of it last."""
    own = [one for one in situation.service.recorded if one.source == case.case_id and one.level is HoldLevel.BLOCK]
    began = min((one.recorded_at for one in own if one.recorded_at is not None), default=situation.as_of)
    return began, max((one.reminded_at for one in own if one.reminded_at is not None), default=None)


def _due(situation: Situation, start: datetime, days: int) -> datetime:
    """The business morning so many business days later."""
    day = situation.customer.day_of(start)
    for _ in range(days):
        day = situation.customer.morning(day + timedelta(days=1))[1]
    return situation.customer.morning(day)[0]


def _tell(situation: Situation, case: KnownCase, since: datetime, found: Reviewed) -> None:
    day_of, rules = situation.customer.day_of, guard_of(situation).rules
    says = f"Sales is still held back by case {case.case_id}"
    lines = [
        f"It has been so since {day_of(since)}; nothing has happened in the case since {day_of(case.last_activity_at)}.",
        f"It is up to {case.person.name}." if case.person else "The case has no owner yet.",
        *([f"What waits meanwhile: {found.what_waits}."] if found.told else []),
        f"That ends {counted(rules.cool_down_business_days, 'business day')} after the case is resolved, or at once with a"
        f" rating of {rules.released_by_rating} or better.",
        "Until then you can have a renewal talked about, or let all else go for some hours.",
    ]
    found.notices.append(
        Notice(says, lines, to="owner", acts=(act("release_for_renewal", case_id=case.case_id), act("override_hold")))
    )
    found.writes.append(NoteReminded(case.case_id))
    found.note(says, f"left-alone-{case.case_id}", "hold_reminded")
