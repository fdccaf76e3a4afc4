"""Cases that hold sales back and are left alone: when their owner is reminded, and on which days that is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.frame.case_words import CaseState, Priority
from domain.frame.sales_holds import HoldLevel, HoldReason
from domain.frame.service_facts import KnownCase, RecordedHold, ServiceFacts
from domain.frame.situation import Situation
from domain.holds import left_alone
from domain.holds.reviewed import Reviewed
from tests.domain.contracts.world import World

MONDAY = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
"""nine o'clock in Tokyo, before weeks without holidays"""
DAY = timedelta(days=1)


class Left:
    """A pressing case since `since`, and the one look that a journey has ahead of it."""

    def __init__(self, since: datetime, situation: Situation) -> None:
        self.situation, self.since = situation, since
        self.case = KnownCase(
            case_id="C-1",
            state=CaseState.OPEN,
            priority=Priority.URGENT,
            opened_at=since,
            last_activity_at=since,
        )
        self.recorded = RecordedHold(
            source="C-1", reason=HoldReason.PRESSING_CASE, level=HoldLevel.BLOCK, recorded_at=since
        )
        self.told: list[datetime] = []
        self.planned = self.wanted(since)

    def look(self, at: datetime) -> Reviewed:
        service, found = ServiceFacts(cases=[self.case], recorded=[self.recorded]), Reviewed()
        left_alone.remind(replace(self.situation, as_of=at, service=service), found)
        return found

    def wanted(self, at: datetime) -> datetime:
        """The next look that the facts call for; nothing may be left to be told at once."""
        found = self.look(at)
        assert not found.notices
        assert found.next_look is not None
        return found.next_look

    def until(self, end: datetime) -> None:
        """Every look of the journey until then is done at its instant."""
        while self.planned <= end:
            found = self.look(self.planned)
            if found.notices:
                self.told.append(self.planned)
                self.recorded = self.recorded.having(reminded_at=self.planned)
            assert found.next_look is not None
            self.planned = found.next_look

    def turn(self, state: CaseState, at: datetime) -> None:
        self.until(at)
        self.case = self.case.having(state=state, turned_at=at)


@pytest.fixture
def left() -> Left:
    return Left(MONDAY, World(auto_renew=True).situation())


def test_who_leaves_a_case_alone_is_reminded_after_a_week_and_then_every_fortnight(left: Left) -> None:
    left.until(left.since + 38 * DAY)
    assert [(at - left.since).days for at in left.told] == [7, 21, 35]


@pytest.mark.parametrize("waited", range(1, 29))
def test_a_customer_who_answers_has_the_case_looked_at_on_the_day_that_is_planned(left: Left, waited: int) -> None:
    """Nobody tells the journey of the answer: what it has ahead of it has to be what the facts call for."""
    left.turn(CaseState.WAITING_CUSTOMER, left.since + DAY)
    answered = left.since + DAY + waited * DAY
    left.turn(CaseState.OPEN, answered)
    assert not left.told, "it was up to the customer"
    assert left.planned == left.wanted(answered)
    left.until(left.planned)
    assert len(left.told) == 1


def test_a_case_that_waits_for_others_is_up_to_us(left: Left) -> None:
    left.turn(CaseState.WAITING_CUSTOMER, left.since + DAY)
    left.turn(CaseState.WAITING_THIRD_PARTY, left.since + 10 * DAY)
    left.until(left.since + 21 * DAY)
    assert len(left.told) == 1
