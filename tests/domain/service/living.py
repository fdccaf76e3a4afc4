"""A case that lives in memory by the functions that decide about real ones: no database, no server, a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from activities.service_policies import read_service_book
from domain.frame.case_words import CaseState, Level
from domain.frame.customer import StaffFacts
from domain.kernel.business_clock import clock_of
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.refusals import Refusal, refusal_of
from domain.service import case_care, case_changes
from domain.service.assignment import priority_of
from domain.service.case import CaseAccount, CaseContact, CaseFile, MessageFacts, MilestoneFacts
from domain.service.casework import CaseSituation, Work
from domain.service.desk import AgentFacts, ServiceBook, TeamFacts
from domain.service.opening import OpenCase

Decide = Callable[[Work], None]


@cache
def book() -> ServiceBook:
    """The policies, calendars and rules that come along."""
    return read_service_book()


def person(staff_id: str) -> StaffFacts:
    return StaffFacts(staff_id=staff_id, name=staff_id, email=f"{staff_id.lower()}@seller.example")


STAFF = {name: person(name) for name in ("AG-1", "AG-2", "LEAD", "MANAGER", "DIRECTOR", "REP")}
TEAM = TeamFacts(
    team="service", name="Service", lead=STAFF["LEAD"], manager=STAFF["MANAGER"], director=STAFF["DIRECTOR"]
)
AGENTS = [AgentFacts(staff=STAFF[name], team="service") for name in ("AG-1", "AG-2")]


class Life:
    """One case from its opening at `now`, under the standard policy in the office hours of `country`, or the enterprise one."""

    def __init__(
        self,
        now: datetime,
        *,
        country: str = "JP",
        zone: str = "Asia/Tokyo",
        enterprise: bool = False,
        impact: Level = Level.MEDIUM,
        urgency: Level = Level.MEDIUM,
        contact: CaseContact | None = None,
    ) -> None:
        policy = next(one for one in book().policies.policies if (one.id == "enterprise") is enterprise)
        calendar = book().desk.calendar_for(policy, country)
        self.now = now
        self.number = 0
        self.last = Work(
            CaseSituation(case=_file(now, impact, urgency, calendar, contact), as_of=now, desk=book().desk), "none"
        )
        account = CaseAccount(
            account_id="A-1",
            name="Tanuki Tea",
            country=country,
            time_zone=zone,
            language="en",
            segment="standard",
            owner=STAFF["REP"],
        )
        self.known = CaseSituation(
            case=self.last.case,
            as_of=now,
            desk=book().desk,
            account=account,
            policy=policy,
            clocks={one.id: clock_of(one) for one in book().calendars.values()},
            teams={"service": TEAM},
            staff=STAFF,
            agents=AGENTS,
        )
        document = OpenCase(case_id="C-1", account_id="A-1", subject="The till is down", body="Nothing prints.")
        self.mails: list[tuple[datetime, str, bool]] = []
        self.notices: list[tuple[datetime, str, str]] = []
        self.titles: list[str] = []
        self.told: list[str] = []
        self.lines: list[str] = []
        self.tasks: list[tuple[str, datetime]] = []
        self._do(lambda work: case_changes.open_case(work, document), fresh=True)

    # What tests look at

    @property
    def case(self) -> CaseFile:
        return self.known.case

    @property
    def next_at(self) -> datetime | None:
        return self.last.next_at

    def templates(self) -> list[str]:
        return [template for _, template, _ in self.mails]

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.known.events]

    def promise(self, name: str) -> MilestoneFacts:
        """The latest occurrence of a promise."""
        return max((row for row in self.known.milestones if row.milestone == name), key=lambda row: row.number)

    # What happens

    def do(self, decide: Decide) -> dict[str, Any]:
        """A request, or what else is decided at `now`. Its answer; a refusal leaves everything as it was."""
        return self._do(decide).answer

    def wait(self, span: timedelta) -> None:
        """Time passes; whatever the case waits for is done at its instant."""
        self.until(self.now + span)

    def until(self, end: datetime) -> None:
        """Time passes until `end`, with a wake at every instant that the case asked for."""
        while self.next_at is not None and self.next_at <= end:
            self.now = max(self.now, self.next_at)
            self.wake()
        self.now = end

    def wake(self) -> None:
        """The case looks after itself."""
        self._do(lambda work: None)

    def _do(self, decide: Decide, *, fresh: bool = False) -> Work:
        self.number += 1
        work = Work(replace(self.known, as_of=self.now), f"case:C-1/{self.number}", fresh=fresh)
        try:
            if not fresh:
                case_care.by_time(work)
            decide(work)
            if not fresh:
                case_care.look_after(work)
                if work.changed():
                    work.change(version=work.case.version + 1)
        except ServiceRuleError as error:
            raise refusal_of(error) from None
        self._keep(work)
        return work

    def _keep(self, work: Work) -> None:
        """What the database would know afterwards."""
        known, self.last = self.known, work
        rows = {**{row.key: row for row in known.milestones}, **work.milestones}
        surveys = {**{one.survey_id: one for one in known.surveys}, **{one.survey_id: one for one in work.surveys}}
        messages = [
            MessageFacts(
                number=n,
                direction=one.direction,
                message_id=one.message_id,
                at=one.at,
                automatic=one.automatic,
                digest=sha256(one.body.encode()).hexdigest(),
            )
            for n, one in enumerate(work.messages, start=len(known.messages) + 1)
        ]
        assert not set(work.fired) & known.fired, "an action is done once"
        self.known = replace(
            known,
            case=work.case,
            events=[*known.events, *work.events],
            messages=[*known.messages, *messages],
            milestones=list(rows.values()),
            fired=known.fired | set(work.fired),
            surveys=list(surveys.values()),
        )
        self.mails += [(work.as_of, one.template, one.automatic) for one in work.mails]
        self.notices += [(work.as_of, one.id, one.to.staff_id) for one in work.notices]
        self.titles += [one.title for one in work.notices]
        self.told += [one.what for one in work.tell]
        self.lines += [one.title for one in work.lines]
        self.tasks += [(one.title, one.due) for one in work.tasks]


def refused(life: Life, decide: Decide) -> Refusal:
    """The refusal of a request, which must leave the case as it was."""
    before = life.known
    try:
        life.do(decide)
    except Refusal as refusal:
        assert life.known is before
        return refusal
    raise AssertionError("it should have been refused")


def _file(now: datetime, impact: Level, urgency: Level, calendar: str, contact: CaseContact | None) -> CaseFile:
    return CaseFile(
        case_id="C-1",
        account_id="A-1",
        contact_id="P-1",
        contact=contact or CaseContact(contact_id="P-1", name="Aoi", email="aoi@customer.example"),
        subject="The till is down",
        channel="mail",
        impact=impact,
        urgency=urgency,
        priority=priority_of(impact, urgency),
        status=CaseState.NEW,
        status_at=now,
        team="service",
        opened_at=now,
        last_activity_at=now,
        policy_id="standard",
        policy_version=1,
        calendar_id=calendar,
        planned_at=now,
    )
