"""The picture of the areas in docs/architecture.md is as the imports are."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("domain", "activities")
DATA = {"migrations", "service_policies"}
"""No code."""
Edges = set[tuple[str, str]]


def _contract(floor: str) -> dict[str, Any]:
    """What the linter keeps of a floor's rooms."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found: dict[str, Any] = next(one for one in contracts if one.get("containers") == [floor])
    return found


def _rows(floor: str) -> list[set[str]]:
    """The rows of rooms that the linter keeps, the highest first."""
    return [set(row.split(" | ")) for row in _contract(floor)["layers"]]


def _drawn(floor: str) -> Edges:
    """The arrows of a floor's picture, from who knows to who is known."""
    page = (ROOT / "docs/architecture.md").read_text()
    pictures = [block for block in re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL) if "kernel" in block]
    chains = [line.split(" --> ") for line in pictures[FLOORS.index(floor)].splitlines() if "-->" in line]
    return {
        (one.strip(), other.strip())
        for chain in chains
        for left, right in pairwise(chain)
        for one in left.split(" & ")
        for other in right.split(" & ")
    }


def _known(floor: str) -> dict[str, set[str]]:
    """The rooms that each one imports from, at first hand, but for what puts them together."""
    graph = grimp.build_graph(floor, cache_dir=None)
    together = {one.split(" -> ")[0] for one in _contract(floor).get("ignore_imports", ())}
    rooms = {name.split(".")[1] for name in graph.find_children(floor)}
    known: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules - {floor} - together:
        known[module.split(".")[1]] |= {
            name.split(".")[1] for name in graph.find_modules_directly_imported_by(module) if "." in name
        }
    return {room: found - {room} for room, found in known.items()}


def _below(area: str, known: dict[str, set[str]]) -> set[str]:
    """All areas that one can reach."""
    return known[area].union(*(_below(other, known) for other in known[area]))


@pytest.mark.parametrize("floor", FLOORS)
def test_the_picture_shows_who_knows_whom(floor: str) -> None:
    known = _known(floor)
    needed = {
        (area, other)
        for area in known
        for other in known[area]
        if not any(other in _below(third, known) for third in known[area] - {other})
    }
    assert _drawn(floor) == needed


@pytest.mark.parametrize("floor", FLOORS)
def test_the_linter_keeps_every_area_in_a_row(floor: str) -> None:
    assert set().union(*_rows(floor)) == set(_known(floor)) - DATA
    place = {area: number for number, row in enumerate(_rows(floor)) for area in row}
    assert all(place[one] < place[other] for one, other in _drawn(floor))


def test_a_class_of_the_domain_has_its_name_alone() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "domain").rglob("*.py"))]
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []
