from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.frame.case_words import Level, Priority
from domain.service.assignment import (
    AgeFrom,
    Agent,
    AssignmentRule,
    CaseTraits,
    EscalationAction,
    EscalationBook,
    EscalationRule,
    Match,
    assign,
    escalations,
    priority_of,
)
from tests.domain.service.samples import at, hours, office_clock

NOW = at("2026-01-05 09:00")
CASE = CaseTraits(priority=Priority.HIGH, product="grinder", language="ja")


def test_priority_by_impact_and_urgency() -> None:
    table = [[priority_of(impact, urgency).rank for urgency in Level] for impact in Level]
    assert table == [[1, 2, 3], [2, 3, 4], [3, 4, 4]]
    favoured = [[priority_of(impact, urgency, favoured=True).rank for urgency in Level] for impact in Level]
    assert favoured == [[1, 1, 2], [1, 2, 3], [2, 3, 3]]


RULES = (
    AssignmentRule(name="japanese", match=Match(languages={"ja"}), team="tokyo", skills={"hardware"}),
    AssignmentRule(name="rest", team="general"),
)


def agent(name: str, **more: Any) -> Agent:
    return Agent.model_validate(
        {"id": name, "team": "tokyo", "skills": {"hardware"}, "shift_ends_at": at("2026-01-05 17:00"), **more}
    )


def chosen(*agents: Agent, answer_owed: bool = False) -> str | None:
    found = assign(CASE, RULES, agents, at=NOW, answer_owed=answer_owed)
    assert found is not None
    assert (found.rule, found.team) == ("japanese", "tokyo")
    return found.agent


def test_skill_then_load_then_whoever_waits_longest() -> None:
    busy, free = agent("busy", open_cases=3), agent("free", open_cases=1)
    unskilled, elsewhere = agent("a", skills=set()), agent("b", team="general")
    assert chosen(busy, free, unskilled, elsewhere) == "free"
    earlier = agent("z", assigned_at=at("2026-01-05 07:00"))
    later = agent("y", assigned_at=at("2026-01-05 08:00"))
    assert chosen(later, earlier) == "z"
    assert chosen(later, earlier, agent("never")) == "never"
    assert chosen(agent("full", open_cases=5, limit=5)) is None


def test_nobody_off_shift_gets_a_case_that_owes_an_answer() -> None:
    off = agent("off", shift_ends_at=None)
    over = agent("over", shift_ends_at=NOW)
    assert chosen(off, over, answer_owed=True) is None
    assert chosen(off, over) == "off"
    assert chosen(off, agent("on", open_cases=9)) == "on"


def test_the_first_rule_that_matches_counts() -> None:
    other = assign(CASE.having(language="en"), RULES, [], at=NOW, answer_owed=True)
    assert other is not None
    assert (other.team, other.agent) == ("general", None)
    assert assign(CASE, [], [], at=NOW, answer_owed=True) is None


def rule(name: str = "old", **more: Any) -> EscalationRule:
    actions = (EscalationAction(after=hours(8)), EscalationAction(after=hours(2), notify=("lead",)))
    return EscalationRule(name=name, **{"actions": actions, **more})


def test_escalations_are_instants_in_business_time() -> None:
    book = EscalationBook(rules=(rule("other", match=Match(priorities={Priority.LOW})), rule()))
    steps = escalations("C1", CASE, book, office_clock(), created_at=at("2026-01-05 15:00"))
    assert [(step.at, step.key) for step in steps] == [
        (at("2026-01-05 17:00"), "case:C1/escalation/old/7200"),
        (at("2026-01-06 15:00"), "case:C1/escalation/old/28800"),
    ]
    wall = EscalationBook(rules=(rule(on_calendar=False),))
    assert escalations("C1", CASE, wall, office_clock(), created_at=at("2026-01-05 15:00"))[1].at == at(
        "2026-01-05 23:00"
    )


def test_the_age_counts_from_where_the_rule_says() -> None:
    moments = {"created_at": NOW, "first_edit_at": at("2026-01-05 10:00"), "last_edit_at": at("2026-01-05 12:00")}
    for age_from, first in (
        (AgeFrom.CREATION, at("2026-01-05 11:00")),
        (AgeFrom.LAST_EDIT, at("2026-01-05 14:00")),
        (AgeFrom.CREATION_UNTIL_FIRST_EDIT, None),
    ):
        steps = escalations("C1", CASE, EscalationBook(rules=(rule(age_from=age_from),)), office_clock(), **moments)
        assert (steps[0].at if steps else None) == first


def test_ages_differ_and_a_catch_all_comes_last() -> None:
    with pytest.raises(ValidationError, match="the same age"):
        rule(actions=(EscalationAction(after=hours(1)), EscalationAction(after=hours(1))))
    with pytest.raises(ValidationError, match="move it to the end"):
        EscalationBook(rules=(rule("all"), rule("never", match=Match(tiers={"gold"}))))
