"""What support a customer is owed: entitlements, the policies behind them, and which one applies to a case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from domain.frame.case_words import Priority
from domain.kernel.base import Carried
from domain.kernel.business_errors import ServiceRuleError
from domain.service.definitions import Milestone, MilestoneKind


class ServicePolicy(Carried):
    """The milestones and the calendar that a case is under. `segment` makes it the policy of a customer segment."""

    id: str
    version: int = 1
    name: str = ""
    calendar_id: str
    milestones: tuple[Milestone, ...] = ()
    segment: str | None = None
    is_default: bool = False

    @model_validator(mode="after")
    def _named_once(self) -> ServicePolicy:
        names = [milestone.name for milestone in self.milestones]
        if len(set(names)) < len(names):
            raise ServiceRuleError(f"two milestones of policy {self.id!r} have the same name; give each its own")
        return self

    def target(self, kind: MilestoneKind, priority: Priority) -> timedelta | None:
        """The shortest target of a kind of milestone for a priority; none or zero promise nothing."""
        targets = [one.targets.get(priority) for one in self.milestones if one.kind is kind]
        return min((target for target in targets if target), default=None)


class EntitlementStatus(StrEnum):
    """Computed from the dates, never kept."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    EXPIRED = "expired"


class Entitlement(Carried):
    """What a customer is owed from `starts_on` to `ends_on`, both included; none means without end.

    With a product it covers cases on that product, with a contract those under it, with neither all of the customer's.
    """

    id: str
    account: str
    policy_id: str
    product: str | None = None
    contract: str | None = None
    starts_on: date
    ends_on: date | None = None

    @model_validator(mode="after")
    def _forward(self) -> Entitlement:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ServiceRuleError(f"the entitlement {self.id!r} ends before it starts; give a later end date")
        return self

    def status(self, on: date) -> EntitlementStatus:
        """How it stands on a local date."""
        if on < self.starts_on:
            return EntitlementStatus.INACTIVE
        return EntitlementStatus.EXPIRED if self.ends_on and on > self.ends_on else EntitlementStatus.ACTIVE


class CaseSubject(Carried):
    """What a case is about, as far as choosing a policy needs it."""

    account: str
    product: str | None = None
    contract: str | None = None
    segment: str | None = None
    priority: Priority = Priority.MEDIUM


class ChosenBy(StrEnum):
    """Why a policy applies, most specific first."""

    PRODUCT = "product"
    CONTRACT = "contract"
    CUSTOMER = "customer"
    SEGMENT = "segment"
    DEFAULT = "default"
    NOTHING = "nothing"


class PolicyChoice(Carried):
    """The policy of a case. Without one no milestone is due.

    `entitled` is false when no entitlement is active: the agent is told. `expired` names the one that ended last, whose
    owner is asked to talk about renewal.
    """

    policy: ServicePolicy | None = None
    chosen_by: ChosenBy = ChosenBy.NOTHING
    entitlement: Entitlement | None = None
    entitled: bool = False
    expired: Entitlement | None = None


class PolicyBook(Carried):
    """All policies of the company: one default that is always there, at most one for each segment."""

    policies: tuple[ServicePolicy, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_default(self) -> PolicyBook:
        defaults = [policy.id for policy in self.policies if policy.is_default]
        if len(defaults) != 1:
            raise ServiceRuleError(f"{len(defaults)} default policies ({', '.join(defaults)}); mark exactly one")
        segments = [policy.segment for policy in self.policies if policy.segment is not None]
        for segment in segments:
            if segments.count(segment) > 1:
                raise ServiceRuleError(f"two policies are for the segment {segment!r}; keep one")
        return self

    def named(self, policy_id: str) -> ServicePolicy | None:
        """The policy with that id."""
        return next((policy for policy in self.policies if policy.id == policy_id), None)


def check_targets(policy: ServicePolicy, used: Collection[Priority] = tuple(Priority)) -> None:
    """What a person who edits a policy should hear of before it is kept.

    Raises:
        ServiceRuleError: a priority in use without targets, a negative target, or a response due after the resolution.
    """
    for milestone in policy.milestones:
        for priority, target in milestone.targets.items():
            if target < timedelta(0):
                raise ServiceRuleError(f"{milestone.name} at {priority} has a target below zero; give zero or more")
    for priority in sorted(used, key=lambda one: one.rank):
        response = policy.target(MilestoneKind.FIRST_RESPONSE, priority)
        resolution = policy.target(MilestoneKind.RESOLUTION, priority)
        if response is None and resolution is None:
            raise ServiceRuleError(f"policy {policy.id!r} promises nothing at priority {priority}; give it targets")
        if response is not None and resolution is not None and response > resolution:
            raise ServiceRuleError(
                f"policy {policy.id!r} at {priority}: the response may take {response}, the resolution {resolution}; "
                "promise the response no later than the resolution"
            )


def choose_policy(
    subject: CaseSubject, entitlements: Sequence[Entitlement], book: PolicyBook, on: date
) -> PolicyChoice:
    """The policy of a case: that of an active entitlement for its product, its contract or its customer, in this order;
    else the segment's, else the default. Of equals, the one with the shortest first response.

    Choose again when priority, product or customer change.

    Args:
        entitlements: those of the case's account; others are left aside.
        on: the local date on which the case counts.
    """
    own = [one for one in entitlements if one.account == subject.account]
    active = [one for one in own if one.status(on) is EntitlementStatus.ACTIVE and book.named(one.policy_id)]
    for chosen_by in (ChosenBy.PRODUCT, ChosenBy.CONTRACT, ChosenBy.CUSTOMER):
        fitting = [one for one in active if _covers(one, subject) is chosen_by]
        if fitting:
            best = min(fitting, key=lambda one: _first_response(book, one, subject.priority))
            policy = book.named(best.policy_id)
            return PolicyChoice(policy=policy, chosen_by=chosen_by, entitlement=best, entitled=True)
    ended = [one for one in own if one.status(on) is EntitlementStatus.EXPIRED and _covers(one, subject)]
    expired = max(ended, key=lambda one: (one.ends_on or on, one.id), default=None)
    for policy in book.policies:
        if policy.segment is not None and policy.segment == subject.segment:
            return PolicyChoice(policy=policy, chosen_by=ChosenBy.SEGMENT, expired=expired)
    default = next(policy for policy in book.policies if policy.is_default)
    return PolicyChoice(policy=default, chosen_by=ChosenBy.DEFAULT, expired=expired)


def _covers(entitlement: Entitlement, subject: CaseSubject) -> ChosenBy | None:
    """By what an entitlement covers a case; an entitlement for something covers nothing else."""
    if entitlement.product is not None:
        return ChosenBy.PRODUCT if entitlement.product == subject.product else None
    if entitlement.contract is not None:
        return ChosenBy.CONTRACT if entitlement.contract == subject.contract else None
    return ChosenBy.CUSTOMER


def _first_response(book: PolicyBook, entitlement: Entitlement, priority: Priority) -> tuple[timedelta, str]:
    policy = book.named(entitlement.policy_id)
    target = policy.target(MilestoneKind.FIRST_RESPONSE, priority) if policy else None
    return target or timedelta.max, entitlement.id
