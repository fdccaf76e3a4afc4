"""What workflows call by name is what the workers register: no name is missing, none is left over."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

import workflows
from activities.kernel.pool import open_pool
from domain.frame.batches import Batch
from domain.frame.flight import TOGETHER, Channel
from domain.frame.keys import StageKind
from domain.frame.step_words import STEPS
from domain.journey.registry import BY_ACTIVITY
from workers.settings import Settings
from workers.wiring import build_activities

FOLDER = Path(workflows.__file__).parent


@pytest.fixture
async def registered() -> list[str]:
    """The names of the activities of a worker. Its pool connects to nothing."""
    pool = await open_pool("postgresql://nobody@127.0.0.1:1/none")
    names = []
    nowhere = await Client.connect("127.0.0.1:1", lazy=True)
    for method in build_activities(pool, Settings(), nowhere):
        definition = activity._Definition.from_callable(method)
        assert definition is not None
        assert definition.name
        names.append(definition.name)
    await pool.close()
    return names


OF_THEMSELVES = {"case_wake", "case_unheard", "case_absorbed"}
"""What a case has done without an update."""


async def test_the_names_match(registered: list[str]) -> None:
    steps = set(STEPS)
    channels = {channel.value for channel in Channel}
    requests = {*BY_ACTIVITY, *OF_THEMSELVES}
    assert len(registered) == len(set(registered))
    assert set(registered) == steps | channels | requests | set(Batch) | {TOGETHER}
    assert not (steps & channels | steps & requests | channels & requests)


def test_each_step_has_its_stage() -> None:
    assert {step.split("_")[0] for step in STEPS} == {stage.value for stage in StageKind}


async def test_every_step_that_a_rule_plans_is_known(registered: list[str]) -> None:
    """The kinds are plain strings in the rules: each is one that somebody carries out."""
    planned: set[str] = set()
    for path in (FOLDER.parent / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "kind" and isinstance(node.value, ast.Constant):
                planned.add(str(node.value.value))
            called = node.func if isinstance(node, ast.Call) else None
            named = isinstance(called, ast.Attribute) and called.attr in ("step", "step_now")
            if isinstance(node, ast.Call) and named and node.args and isinstance(node.args[0], ast.Constant):
                planned.add(str(node.args[0].value))
    steps = set(STEPS)
    kinds = {kind for kind in planned if kind.split("_")[0] in {stage.value for stage in StageKind}}
    journal_only = {
        "adoption_outreach",
        "adoption_still_low",
        "adoption_recovered",
        "expansion_held",
        "expansion_offer",
        "onboarding_goes_on",
        "onboarding_held",
        "onboarding_moved",
        "onboarding_reopened",
        "onboarding_waits",
        "quote_held",
        "renewal_discount",
        "renewal_withheld",
        "service_hold",
    }
    assert len(kinds & steps) >= 12
    assert kinds - journal_only <= steps
    assert steps <= set(registered)
