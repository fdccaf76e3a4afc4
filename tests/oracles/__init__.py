"""Worked cases from published documents, run against the public functions of `domain`.

Every case names an operation of a closed list; an adapter turns the operation's input into calls and gives back an
output that is compared with what the case expects. There is one adapter for an operation and none for a case.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.oracles.compare import differences

Adapter = Callable[[dict[str, Any]], Any]
NO_ADAPTERS = {"__main__", "compare"}


class Unsupported(Exception):  # noqa: N818 - a verdict on a case, no error
    """The case cannot be expressed with the public functions; the message says why."""


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case; `why` is empty if it passed."""

    id: str
    op: str
    verdict: Verdict
    why: str = ""


def load_adapters() -> dict[str, Adapter]:
    """The adapter of every operation, from all modules of this package that have some."""
    adapters: dict[str, Adapter] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in NO_ADAPTERS and not module.name.startswith("test_"):
            adapters |= getattr(importlib.import_module(f"{__name__}.{module.name}"), "ADAPTERS", {})
    return adapters


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file: an object with `cases`, or a list."""
    content = json.loads(path.read_text(encoding="utf-8"))
    cases: list[dict[str, Any]] = content["cases"] if isinstance(content, dict) else content
    return cases


def run_case(case: dict[str, Any], adapters: dict[str, Adapter]) -> Result:
    """Run one case. An error of the adapter fails the case; it does not stop the run."""
    case_id, op = str(case["id"]), str(case["op"])
    if op not in adapters:
        return Result(case_id, op, Verdict.UNSUPPORTED, f"no adapter for {op}")
    try:
        output = adapters[op](case["input"])
    except Unsupported as reason:
        return Result(case_id, op, Verdict.UNSUPPORTED, str(reason))
    except Exception as error:  # whatever happens to one case, the others run
        return Result(case_id, op, Verdict.FAILED, f"{type(error).__name__}: {error}")
    found = differences(case["expected"], output)
    return Result(case_id, op, Verdict.FAILED if found else Verdict.PASSED, "; ".join(found))


def run_cases(cases: Iterable[dict[str, Any]]) -> list[Result]:
    adapters = load_adapters()
    return [run_case(case, adapters) for case in cases]


def count(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each verdict."""
    counts = dict.fromkeys((verdict.value for verdict in Verdict), 0)
    for result in results:
        counts[result.verdict.value] += 1
    return counts


def report(results: list[Result]) -> dict[str, Any]:
    """Totals, counts by operation, and every case that did not pass with its reason."""
    by_op: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_op[result.op].append(result)

    def listed(verdict: Verdict) -> list[dict[str, str]]:
        return [{"id": result.id, "why": result.why} for result in results if result.verdict is verdict]

    return {
        "totals": count(results),
        "by_op": {op: count(found) for op, found in sorted(by_op.items())},
        "failures": listed(Verdict.FAILED),
        "unsupported": listed(Verdict.UNSUPPORTED),
    }
