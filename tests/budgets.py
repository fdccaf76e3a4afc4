"""Budgets: what each group of tests takes of CPU, against what is written down in budgets.toml.

CPU, not time: a machine that others use takes longer, and does no more. How fast it is, and how much work beside ours slows
it down, is measured between the tests by a loop that always does the same.
"""

from __future__ import annotations

import os
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import pytest

OVERRUN = 1.5
"""Of its budget, what a group may take before the run fails."""
_EVERY = 25
"""Tests between two looks at the pace."""
_LOOP = 250_000
_CPU, _PACE = "cpu", "pace"


def budgets() -> tuple[float, dict[str, float]]:
    """The pace that they are written down for, and seconds by group."""
    written = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return written["pace"], written["groups"]


def overruns(spent: Mapping[str, float], slowness: float, groups: Mapping[str, float]) -> list[str]:
    """What took too much, in words. `slowness`: how many times longer the same work took than where the budgets were written."""
    found = []
    for group, seconds in sorted(spent.items()):
        if group not in groups:
            found.append(f"{group}: has no budget; write one down, it took {seconds:.0f} s")
        elif seconds > groups[group] * OVERRUN * max(slowness, 1):
            found.append(
                f"{group}: {seconds:.0f} s, {seconds / max(slowness, 1):.0f} of the budget's {groups[group]:.0f}"
            )
    return found


def group_of(nodeid: str) -> str:
    """The folder of a test under `tests`, or "tests" itself."""
    parts = nodeid.split("::", maxsplit=1)[0].split("/")
    return parts[1] if len(parts) > 2 else parts[0]


class InProcess:
    """In each process of tests: what every phase of a test takes stands in its report."""

    def __init__(self) -> None:
        self._tests = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        self._tests += 1
        if self._tests % _EVERY == 1:
            item.user_properties.append((_PACE, _pace()))
        yield from _measured(item, with_children=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        yield from _measured(item, with_children=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        yield from _measured(item, with_children=False)  # the servers of a whole run end here


class Sum:
    """In the process that shares out the work: sums up, and fails the run if a group takes too much."""

    def __init__(self, *, binding: bool) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._paces: list[float] = []
        self._binding = binding

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            said = [(name, float(str(value))) for name, value in report.user_properties if name in (_CPU, _PACE)]
            self.spent[group_of(report.nodeid)] += sum(value for name, value in said if name == _CPU)
            self._paces += [value for name, value in said if name == _PACE]

    @property
    def slowness(self) -> float:
        return median(self._paces) / budgets()[0] if self._paces else 1.0

    @property
    def too_much(self) -> list[str]:
        return overruns(self.spent, self.slowness, budgets()[1]) if self._binding else []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.too_much and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if len(self.spent) > 1 or self.too_much:
            said = ", ".join(f"{group} {seconds:.0f}" for group, seconds in sorted(self.spent.items()))
            terminalreporter.write_line(f"seconds of CPU at {self.slowness:.2f} of the usual pace: {said}")
        for one in self.too_much:
            terminalreporter.write_line(f"over its budget (tests/budgets.toml): {one}", red=True)


def _measured(item: pytest.Item, *, with_children: bool) -> Iterator[None]:
    began = _spent(with_children=with_children)
    try:
        yield
    finally:
        item.user_properties.append((_CPU, round(_spent(with_children=with_children) - began, 4)))


def _spent(*, with_children: bool) -> float:
    """Seconds of CPU of this process, and of those that it has begun and that are over."""
    times = os.times()
    return times.user + times.system + ((times.children_user + times.children_system) if with_children else 0)


def _pace() -> float:
    """Seconds of CPU that the same work takes now."""
    began = time.process_time()
    sum(number * number % 7 for number in range(_LOOP))
    return round(time.process_time() - began, 4)
