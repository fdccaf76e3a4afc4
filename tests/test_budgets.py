"""Budgets: a group of tests that takes half as much again as is written down fails the run; a slow machine does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.budgets import OVERRUN, budgets, group_of, overruns

pytest_plugins = ["pytester"]

GROUPS = {"domain": 100.0, "e2e": 10.0}

CONFTEST = """
from tests import budgets

budgets.budgets = lambda: (1000.0, {"busy": 0.05})


def pytest_configure(config):
    config.pluginmanager.register(budgets.InProcess())
    config.pluginmanager.register(budgets.Sum(binding=True))
"""


@pytest.mark.parametrize(
    ("spent", "slowness", "too_much"),
    [
        ({"domain": 100 * OVERRUN}, 1.0, []),
        ({"domain": 151.0, "e2e": 9.0}, 1.0, ["domain: 151 s, 151 of the budget's 100"]),
        ({"domain": 299.0}, 2.0, []),
        ({"domain": 301.0}, 2.0, ["domain: 301 s, 150 of the budget's 100"]),
        ({"domain": 151.0}, 0.5, ["domain: 151 s, 151 of the budget's 100"]),
        ({"other": 1.0}, 1.0, ["other: has no budget; write one down, it took 1 s"]),
    ],
)
def test_a_group_may_take_half_as_much_again(spent: dict[str, float], slowness: float, too_much: list[str]) -> None:
    assert overruns(spent, slowness, GROUPS) == too_much


def test_every_group_has_a_budget_and_no_other() -> None:
    root = Path(__file__).parent
    groups = {group_of(f"tests/{path.relative_to(root).as_posix()}::test") for path in root.rglob("test_*.py")}
    assert groups == set(budgets()[1])


def test_a_run_fails_over_its_budget(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(**{"busy/test_busy": "def test_busy():\n    assert sum(n % 7 for n in range(4_000_000))\n"})
    found = pytester.runpytest_subprocess("busy")
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.assert_outcomes(passed=1)
    found.stdout.fnmatch_lines(["over its budget (tests/budgets.toml): busy:*"])
