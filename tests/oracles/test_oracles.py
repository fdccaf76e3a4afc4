"""The worked cases that travel with the project, and the runner's own honesty."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.oracles import Verdict, load_adapters, read_cases, report, run_case, run_cases
from tests.oracles.compare import differences

SAMPLE = Path(__file__).with_name("sample.json")
CASES = read_cases(SAMPLE)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_sample_case_passes(case: dict[str, Any]) -> None:
    result = run_case(case, load_adapters())
    assert (result.verdict, result.why) == (Verdict.PASSED, "")


def altered(value: Any) -> Any:
    """`value` with its first digit changed, wherever in it that is; None if it has none."""
    if isinstance(value, dict | list):
        items = list(value.items() if isinstance(value, dict) else enumerate(value))
        for key, inner in items:
            if (changed := altered(inner)) is not None:
                other = copy.deepcopy(value)
                other[key] = changed
                return other
        return None
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    place = next((place for place, sign in enumerate(text) if sign.isdigit()), None)
    if place is None:
        return None
    text = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    return type(value)(text)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_one_altered_digit_fails(case: dict[str, Any]) -> None:
    expected = altered(case["expected"])
    assert expected is not None
    result = run_case(case | {"expected": expected}, load_adapters())
    assert result.verdict is Verdict.FAILED
    assert "expected" in result.why or "missing" in result.why


def test_an_unknown_operation_and_an_unknown_parameter_are_unsupported() -> None:
    case = next(case for case in CASES if case["op"] == "proration.multiplier")
    strange = case | {"input": case["input"] | {"day_count": "moon_phases"}}
    adapters = load_adapters()
    assert run_case(case | {"op": "no.such"}, adapters).verdict is Verdict.UNSUPPORTED
    result = run_case(strange, adapters)
    assert result.verdict is Verdict.UNSUPPORTED
    assert "day_count" in result.why


def test_a_refused_input_fails_with_its_reason() -> None:
    case = next(case for case in CASES if case["op"] == "proration.multiplier")
    endless = case | {"input": case["input"] | {"to": None, "billed_through": None}}
    result = run_case(endless, load_adapters())
    assert result.verdict is Verdict.FAILED
    assert "PolicyError" in result.why


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("4.5", Decimal("4.50")),
        ("2020-01-01T09:00:00-08:00", "2020-01-01T17:00:00Z"),
        ({"a": 1}, {"a": 1, "b": 2}),
        (0.5, Decimal("0.504")),
        (None, None),
    ],
)
def test_equal_in_another_form(expected: Any, actual: Any) -> None:
    assert differences(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("4.5", Decimal("4.501")),
        ("4.5", None),
        (None, Decimal(0)),
        (1, True),
        (3, 4),
        (0.5, Decimal("0.506")),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, [1]),
        ("2020-01-01", "2020-01-02"),
    ],
)
def test_different(expected: Any, actual: Any) -> None:
    assert len(differences(expected, actual)) == 1


def test_report_counts_every_case_once() -> None:
    broken = CASES[0] | {"expected": {"remainder": "1"}}
    summary = report(run_cases([*CASES, broken]))
    assert summary["totals"] == {"passed": len(CASES), "failed": 1, "unsupported": 0}
    assert summary["by_op"][broken["op"]]["failed"] == 1
    assert [item["id"] for item in summary["failures"]] == [broken["id"]]


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.oracles", *arguments], capture_output=True, text=True, check=False, timeout=240
    )


def test_command_line(tmp_path: Path) -> None:
    passed = run_command(str(SAMPLE), "--json")
    assert passed.returncode == 0, passed.stderr
    assert json.loads(passed.stdout)["totals"] == {"passed": len(CASES), "failed": 0, "unsupported": 0}

    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"cases": [CASES[0] | {"expected": {"remainder": "1"}}]}))
    failed = run_command(str(wrong))
    assert failed.returncode == 1
    assert CASES[0]["id"] in failed.stdout
