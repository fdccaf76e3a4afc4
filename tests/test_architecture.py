"""The picture of the areas in docs/architecture.md is as the imports are."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
Edges = set[tuple[str, str]]


def _rows() -> list[set[str]]:
    """The rows of areas that the linter keeps, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["domain"])
    return [set(row.split(" | ")) for row in layers]


def _drawn() -> Edges:
    """The arrows of the picture, from who knows to who is known."""
    page = (ROOT / "docs/architecture.md").read_text()
    picture = next(block for block in re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL) if "kernel" in block)
    chains = [line.split(" --> ") for line in picture.splitlines() if "-->" in line]
    return {
        (one.strip(), other.strip())
        for chain in chains
        for left, right in pairwise(chain)
        for one in left.split(" & ")
        for other in right.split(" & ")
    }


def _known() -> dict[str, set[str]]:
    """The areas that each one imports from, at first hand."""
    graph = grimp.build_graph("domain", cache_dir=None)
    areas = {name.split(".")[1] for name in graph.find_children("domain")}
    known: dict[str, set[str]] = {area: set() for area in areas}
    for module in graph.modules - {"domain"}:
        known[module.split(".")[1]] |= {
            name.split(".")[1] for name in graph.find_modules_directly_imported_by(module) if "." in name
        }
    return {area: found - {area} for area, found in known.items()}


def _below(area: str, known: dict[str, set[str]]) -> set[str]:
    """All areas that one can reach."""
    return known[area].union(*(_below(other, known) for other in known[area]))


def test_the_picture_shows_who_knows_whom() -> None:
    known = _known()
    needed = {
        (area, other)
        for area in known
        for other in known[area]
        if not any(other in _below(third, known) for third in known[area] - {other})
    }
    assert _drawn() == needed


def test_the_linter_keeps_every_area_in_a_row() -> None:
    assert set().union(*_rows()) == set(_known())
    place = {area: number for number, row in enumerate(_rows()) for area in row}
    assert all(place[one] < place[other] for one, other in _drawn())


def test_a_class_of_the_domain_has_its_name_alone() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "domain").rglob("*.py"))]
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []
