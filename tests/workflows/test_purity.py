"""Workflows run outside a sandbox, so nothing that they import may tell two executions apart: no clock, no dice, no I/O."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("domain", "workflows")

LIBRARIES = frozenset({"babel", "holidays", "iso4217", "pydantic", "pydantic_core", "typing_extensions"})
STANDARD = frozenset(
    [
        "__future__",
        "abc",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "inspect",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "statistics",
        "types",
        "typing",
        "unicodedata",
        "zoneinfo",
    ]
)
PARTS = ("urllib.parse",)
"""What is pure of a library that is not."""
ONLY_IN = {
    "temporalio": {"workflows"},
    "asyncio": {"workflows.case", "workflows.entity", "workflows.tasks"},
    "contextvars": {"workflows.carried"},
    "importlib": {"domain.kernel.zones", "domain.kernel.days_off"},
    "sys": {"domain.kernel.base", "domain.kernel.days_off"},
}
"""What is allowed in some places: the engine's own calls, its tasks and what goes along with one, the zones and holidays that packages
bring, and words that are held once."""
ONLY_CALLED_IN = {"exec": "domain.kernel.base"}
"""Constructors are written out there for each model, as dataclasses write theirs."""
ASYNCIO = {"create_task", "Task"}
"""Anything that waits for several at once goes by the order of a set, which is another one in each process."""
NAMES = {"open", "input", "eval", "exec", "id", "hash", "__import__", "breakpoint", "print"}
MEMBERS = {"read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "exists"}
CLOCKS = {"datetime", "date"}


def path_of(module: str) -> Path | None:
    """Where one of our modules is; null for a name within a module."""
    place = ROOT.joinpath(*module.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached() -> dict[str, ast.Module]:
    """Every module of ours that a workflow imports, directly or not."""
    waiting = [f"workflows.{path.stem}" for path in sorted((ROOT / "workflows").glob("*.py"))]
    found: dict[str, ast.Module] = {}
    while waiting:
        name = waiting.pop()
        path = path_of(name)
        if path is not None and name not in found:
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
            waiting += [other for other in imported(found[name]) if other.split(".")[0] in OURS]
    return found


def faults(name: str, tree: ast.AST) -> list[str]:
    """What a module does that a workflow must not."""
    found = []
    for other in imported(tree):
        top = other.split(".")[0]
        allowed = {name, name.split(".")[0]} & ONLY_IN.get(top, set())
        if top not in {*OURS, *LIBRARIES, *STANDARD} and not allowed and not other.startswith(PARTS):
            found.append(f"imports {other}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            allowed = {name} & {ONLY_CALLED_IN.get(node.func.id)}
            found += [] if allowed else [f"calls {node.func.id} in line {node.lineno}"]
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner == "asyncio" and node.attr not in ASYNCIO:
                found.append(f"asyncio.{node.attr} in line {node.lineno}")
            read = node.attr in MEMBERS and name != "domain.kernel.zones"
            if read or (owner in CLOCKS and node.attr in {"now", "utcnow", "today"}):
                found.append(f"{owner}.{node.attr} in line {node.lineno}")
    return found


def test_nothing_that_a_workflow_imports_knows_the_time_of_day_or_the_world() -> None:
    modules = reached()
    assert {"workflows.customer_journey", "workflows.service_case", "domain.frame.state"} <= set(modules)
    assert {name: found for name, tree in modules.items() if (found := faults(name, tree))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "from time import monotonic",
        "import os",
        "from temporalio import activity",
        "import asyncpg",
        "from uuid import uuid4",
        "at = datetime.now(UTC)",
        "day = date.today()",
        "text = open('a')",
        "text = path.read_text()",
        "done = asyncio.wait(tasks)",
        "n = hash(name)",
    ],
)
def test_what_is_not_pure_is_noticed(line: str) -> None:
    assert faults("domain.kernel.example", ast.parse(line))
