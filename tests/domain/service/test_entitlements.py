from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.frame.case_words import Priority
from domain.kernel.business_errors import ServiceRuleError
from domain.service.definitions import Milestone, MilestoneKind
from domain.service.entitlements import (
    CaseSubject,
    ChosenBy,
    Entitlement,
    EntitlementStatus,
    PolicyBook,
    PolicyChoice,
    ServicePolicy,
    check_targets,
    choose_policy,
)
from tests.domain.service.samples import hours

TODAY = date(2026, 1, 5)


def policy(name: str, response: float = 8, resolution: float = 40, **more: Any) -> ServicePolicy:
    def milestone(kind: MilestoneKind, span: timedelta) -> Milestone:
        return Milestone(name=kind.value, kind=kind, targets=dict.fromkeys(Priority, span))

    milestones = (
        milestone(MilestoneKind.FIRST_RESPONSE, hours(response)),
        milestone(MilestoneKind.RESOLUTION, hours(resolution)),
    )
    return ServicePolicy(id=name, calendar_id="office", milestones=milestones, **more)


BOOK = PolicyBook(
    policies=(
        policy("basic", is_default=True),
        policy("gold", 1),
        policy("silver", 4),
        policy("startup", 6, segment="startup"),
    )
)
ABOUT = CaseSubject(account="A", product="P", contract="K", segment="startup")


def owed(name: str, policy_id: str = "gold", **more: Any) -> Entitlement:
    return Entitlement.model_validate(
        {"id": name, "account": "A", "policy_id": policy_id, "starts_on": date(2025, 1, 1), **more}
    )


def choose(*entitlements: Entitlement, about: CaseSubject = ABOUT) -> PolicyChoice:
    return choose_policy(about, entitlements, BOOK, TODAY)


def test_the_status_follows_from_the_dates_and_both_ends_count() -> None:
    term = owed("E", starts_on=date(2026, 1, 5), ends_on=date(2026, 1, 6))
    found = [term.status(date(2026, 1, day)) for day in (4, 5, 6, 7)]
    active = EntitlementStatus.ACTIVE
    assert found == [EntitlementStatus.INACTIVE, active, active, EntitlementStatus.EXPIRED]
    assert owed("E").status(date(2099, 1, 1)) is active


def test_the_most_specific_entitlement_comes_first() -> None:
    product, contract, customer = owed("1", "silver", product="P"), owed("2", contract="K"), owed("3")
    for rest, by, name in (
        ([customer, contract, product], ChosenBy.PRODUCT, "1"),
        ([customer, contract], ChosenBy.CONTRACT, "2"),
        ([customer], ChosenBy.CUSTOMER, "3"),
    ):
        found = choose(*rest)
        assert found.entitlement is not None
        assert (found.chosen_by, found.entitlement.id, found.entitled) == (by, name, True)


def test_of_equals_the_shortest_first_response_wins() -> None:
    found = choose(owed("1", "silver"), owed("2", "gold"))
    assert found.policy is not None
    assert found.policy.id == "gold"


def test_an_entitlement_for_something_else_is_no_catch_all() -> None:
    others = [owed("1", product="Q"), owed("2", contract="Z"), owed("3", account="B"), owed("4", "no_such_policy")]
    found = choose(*others)
    assert found.policy is not None
    assert (found.chosen_by, found.policy.id, found.entitled) == (ChosenBy.SEGMENT, "startup", False)
    elsewhere = choose(*others, about=ABOUT.having(segment=None))
    assert elsewhere.policy is not None
    assert (elsewhere.chosen_by, elsewhere.policy.id) == (ChosenBy.DEFAULT, "basic")


def test_an_expired_entitlement_is_named_for_the_renewal_talk() -> None:
    older = owed("1", ends_on=date(2025, 6, 1))
    latest = owed("2", ends_on=date(2025, 12, 31))
    found = choose(older, latest, owed("3", starts_on=date(2026, 2, 1)))
    assert (found.entitled, found.expired) == (False, latest)


def test_an_entitlement_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValidationError, match="give a later end date"):
        owed("1", ends_on=date(2024, 12, 31))


@pytest.mark.parametrize(
    ("policies", "advice"),
    [
        ([policy("a")], "mark exactly one"),
        ([policy("a", is_default=True), policy("b", is_default=True)], "mark exactly one"),
        ([policy("a", is_default=True), policy("b", segment="s"), policy("c", segment="s")], "keep one"),
        ([], "at least 1 item"),
    ],
)
def test_a_book_has_one_default_and_one_policy_a_segment(policies: list[ServicePolicy], advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        PolicyBook(policies=tuple(policies))


def test_targets_are_checked_before_a_policy_is_kept() -> None:
    check_targets(policy("fine"))
    with pytest.raises(ServiceRuleError, match="no later than the resolution"):
        check_targets(policy("late", response=50))
    with pytest.raises(ServiceRuleError, match="zero or more"):
        check_targets(policy("negative", response=-1))
    with pytest.raises(ServiceRuleError, match="promises nothing at priority urgent"):
        check_targets(ServicePolicy(id="empty", calendar_id="office"))
    with pytest.raises(ValidationError, match="same name"):
        ServicePolicy(id="twice", calendar_id="office", milestones=policy("x").milestones * 2)
