"""How the company serves: its policies and calendars, who takes which case, who is told what, and the rules of its desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from domain.claims.policy import ClaimPolicy
from domain.frame.customer import StaffFacts
from domain.kernel.base import Carried, Received
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.ids import AccountRef, ContractRef
from domain.orders.order import Code, Staff, Text
from domain.service.assignment import Agent, AssignmentRule, EscalationBook
from domain.service.definitions import ActionKind
from domain.service.entitlements import PolicyBook, ServicePolicy, check_targets
from domain.service.lifecycle import CaseRules

LOCAL = "local"
"""A policy with this calendar counts in the office hours of the customer's country."""

RECIPIENTS = frozenset({"owner", "lead", "manager", "director", "sales", "customer"})
CARRIED_OUT = frozenset({ActionKind.MAIL, ActionKind.TASK, ActionKind.FIELD_CHANGE})


class Desk(Carried):
    """The rules that all cases share. `local_calendars` names the office hours by country; `default` is everybody else's."""

    rules: CaseRules = CaseRules()
    favoured_segments: frozenset[str] = frozenset()
    local_calendars: dict[str, str] = {}
    assignment: tuple[AssignmentRule, ...] = ()
    escalation: EscalationBook = EscalationBook()
    apology: str = "case_apology"

    def calendar_for(self, policy: ServicePolicy, country: str | None) -> str:
        """The calendar that a policy counts in for a customer of `country`."""
        if policy.calendar_id != LOCAL:
            return policy.calendar_id
        return self.local_calendars.get(country or "default") or self.local_calendars["default"]


class ServiceBook(Carried):
    """Everything that is kept in files: the current version of each policy and calendar, and the desk."""

    policies: PolicyBook
    calendars: dict[str, BusinessCalendar]
    desk: Desk = Desk()
    claims: ClaimPolicy = ClaimPolicy(version=1)

    @model_validator(mode="after")
    def _fits_together(self) -> ServiceBook:
        named = {*self.desk.local_calendars.values()}
        for policy in self.policies.policies:
            check_targets(policy)
            named |= {policy.calendar_id} - {LOCAL}
            named |= {one.calendar_id for one in policy.milestones if one.calendar_id}
            if policy.calendar_id == LOCAL and "default" not in self.desk.local_calendars:
                raise ServiceRuleError(f"policy {policy.id!r} counts in local hours; name a default local calendar")
            for milestone in policy.milestones:
                for action in milestone.actions:
                    if action.does not in CARRIED_OUT:
                        raise ServiceRuleError(f"the action {action.name!r} is a {action.does}; use a mail or a task")
                    if strange := set(action.recipients) - RECIPIENTS:
                        raise ServiceRuleError(
                            f"{action.name!r} is for {sorted(strange)}; use one of {sorted(RECIPIENTS)}"
                        )
        if unknown := sorted(named - set(self.calendars)):
            raise ServiceRuleError(f"no calendar {unknown[0]!r}; there are {', '.join(sorted(self.calendars))}")
        return self


class TeamFacts(Carried):
    """A team and who answers for it."""

    team: str
    name: str
    lead: StaffFacts | None = None
    manager: StaffFacts | None = None
    director: StaffFacts | None = None


class AgentFacts(Carried):
    """Somebody who takes cases, with how many they have. `shift` names the calendar of their hours; none is always."""

    staff: StaffFacts
    team: str
    skills: list[str] = []
    shift: str | None = None
    case_limit: int | None = None
    open_cases: int = 0
    assigned_at: AwareDatetime | None = None


class TeamDocument(Received):
    """A team as it is told to us."""

    team: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")]
    name: Text
    lead: Staff | None = None
    manager: Staff | None = None
    director: Staff | None = None


class AgentDocument(Received):
    """An agent as it is told to us. `shift` is the id of the calendar of their hours."""

    staff: Staff
    team: str
    skills: tuple[str, ...] = ()
    shift: str | None = None
    case_limit: Annotated[int, Field(ge=1, le=100_000)] | None = None
    active: bool = True


class EntitlementDocument(Received):
    """What a customer is owed, as it is told to us; the last day is included."""

    entitlement_id: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    account_id: AccountRef
    policy_id: str
    product: Code | None = None
    contract_id: ContractRef | None = None
    starts_on: date
    ends_on: date | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError("ends_on lies before starts_on")
        return self


def on_shift(agent: AgentFacts, clocks: Mapping[str, BusinessClock], at: datetime) -> Agent:
    """The agent as assignment sees them at `at`; a shift that nobody knows of never begins."""
    return Agent.model_validate(
        {
            "id": agent.staff.staff_id,
            "team": agent.team,
            "skills": agent.skills,
            "open_cases": agent.open_cases,
            "limit": agent.case_limit,
            "assigned_at": agent.assigned_at,
            "shift_ends_at": _shift_end(agent.shift, clocks, at),
        }
    )


def next_shift(agents: list[AgentFacts], clocks: Mapping[str, BusinessClock], after: datetime) -> datetime | None:
    """When the next of these agents' shifts begins, later than `after`."""
    shifts = {agent.shift for agent in agents if agent.shift is not None}
    begins = [_shift_start(clocks[shift], after) for shift in sorted(shifts) if shift in clocks]
    return min((at for at in begins if at is not None), default=None)


def _shift_end(shift: str | None, clocks: Mapping[str, BusinessClock], at: datetime) -> datetime | None:
    if shift is None:
        return at + timedelta(days=1)
    clock = clocks.get(shift)
    if clock is None:
        return None
    day = at.date()
    spans = clock.periods(day - timedelta(days=1), day + timedelta(days=1))
    return next((end for start, end in spans if start <= at < end), None)


def _shift_start(clock: BusinessClock, after: datetime) -> datetime | None:
    day = after.date()
    spans = clock.periods(day - timedelta(days=1), day + timedelta(days=14))
    return next((start for start, _ in spans if start > after), None)
