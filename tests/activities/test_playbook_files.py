"""A playbook's file that cannot be used is refused, with the line of each fault and what would be right."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from activities.playbooks import PlaybookError, read_playbook
from activities.playbooks.conditions import ConditionError, check
from domain.frame.plays import PlayAnchor
from domain.success.play_facts import PLAY_FACTS

BEGINS = """\
segment: small
version: 1
title: Small
onboarding:
  tasks: [{name: go_live, title: {en: Go-live}, owner: customer, due_after: 30}]
  last_task: go_live
adoption: {every_days: 30}
renewal: {notice_days: [60], quote_days: 60}
plays:
"""


def fault_of(tmp_path: Path, play: str, begins: str = BEGINS) -> str:
    """What is said of a playbook with this play, whose first line is the tenth."""
    file = tmp_path / "small.yaml"
    file.write_text(begins + dedent(play), encoding="utf-8")
    with pytest.raises(PlaybookError) as refused:
        read_playbook(file)
    return str(refused.value)


TASK = "task: {title: Call}"


@pytest.mark.parametrize(
    ("play", "line", "says"),
    [
        (f"- {{name: a, title: A, {TASK},\n   anchor: full_moon}}", 11, "'order_activated', 'first_value'"),
        ("- name: a\n  title: A\n  anchor: go_live\n  mail: {template: hello}", 13, "'play_note', 'reorder_check_in'"),
        ("- name: a\n  title: A\n  anchor: go_live\n  mail: {template: introduction}", 10, "counts from manager_changed or owner_changed"),
        ("- name: a\n  title: A\n  anchor: go_live\n  mail: {template: play_note}", 13, "needs words in English"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  repeat: {{every: 7}}\n  {TASK}", 13, "would repeat for ever"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  days: -3\n  {TASK}", 10, "3 days before go_live, which nobody knows"),
        ("- name: a\n  title: A\n  anchor: go_live", 10, "needs either a mail or a task"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  when: arr >\n  {TASK}", 13, "it cannot be read"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  when: mrr > 3\n  {TASK}", 13, "nobody knows 'mrr' of a customer; the facts"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  when: arr > 'much'\n  {TASK}", 13, "it fails"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  when: score > 100\n  {TASK}", 13, "it never holds"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  colour: red\n  {TASK}", 13, "Extra inputs are not permitted"),
        (f"- name: a\n  title: A\n  anchor: go_live\n  quiet: [{{first: 01-01, last: 12-31}}]\n  {TASK}", 10, "not quiet"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(tmp_path: Path, play: str, line: int, says: str) -> None:
    said = fault_of(tmp_path, play)
    assert said.startswith(f"small.yaml:{line}: plays"), said
    assert says in said


def test_faults_of_several_plays_are_all_named(tmp_path: Path) -> None:
    play = "- {name: a, title: A, anchor: go_live, when: mrr > 3, task: {title: Call}}\n"
    said = fault_of(tmp_path, play + play.replace("name: a", "name: b"))
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["small.yaml:10:", "small.yaml:11:"]


def test_an_anchor_that_never_comes_is_refused(tmp_path: Path) -> None:
    begins = BEGINS.replace("  last_task: go_live\n", "")
    said = fault_of(tmp_path, "- {name: a, title: A, anchor: go_live, task: {title: Call}}", begins)
    assert "go_live, which never comes: onboarding.last_task is missing" in said


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("(" * 9 + "arr > 1.0" + ")" * 9, "9 brackets within each other, and 8 are read"),
        ("||".join(["arr > 1.0"] * 30), "operators, and 40 are read"),
        ("products.exists(p, p == 'CRM')", "exists() goes through lists"),
        ("segment.matches('^(a+)+$')", "matches is not there"),
        ("timestamp('2027-01-01T00:00:00Z') > timestamp('2026-01-01T00:00:00Z')", "timestamp is not there"),
        ("arr", "has to say true or false"),
        ("arr > 5.0 && arr < 3.0", "it never holds"),
        ("days_to_end / 0 > 1", "it divides by nought"),
        ("segment == 'big' && arr > 'x'", "it fails"),
        ("arr / 12 > 500", "it fails"),
    ],
)
def test_conditions_are_bounded_and_typed(condition: str, says: str) -> None:
    with pytest.raises(ConditionError) as refused:
        check(condition)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "condition",
    [
        "band in ['watch', 'critical'] && days_to_end <= 90",
        "arr / 12.0 >= 50000.0 && !blocked && size(products) > 1",
        "days_to_end < -5",
        "'CRM' in products && !('HELP' in products) && seats_share < 0.5",
        "segment.startsWith('e') || (country == 'JP' && nps >= 9)",
    ],
)
def test_conditions_of_customers_can_be_used(condition: str) -> None:
    check(condition)


def test_the_example_of_the_docs_can_be_used_and_its_tables_are_whole(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
    example = next(block for block in page.split("```yaml\n") if block.startswith("segment: growth"))
    file = tmp_path / "growth.yaml"
    file.write_text(example.partition("```")[0], encoding="utf-8")
    assert [one.name for one in read_playbook(file).plays] == ["value_review", "tip", "last_call", "after_a_case"]
    for name, fact in PLAY_FACTS.items():
        assert f"| `{name}` | " in page
        assert f" | {fact.says} |" in page
    for anchor in PlayAnchor:
        assert f"`{anchor.value}`" in page
