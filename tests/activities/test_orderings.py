"""What the tables are asked for comes in one order: an instant alone decides nothing, as two rows can share it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import activities
import gateway
import workers

_INSTANT = re.compile(r"(^|_)(at|on|since|until|due|day|from)$|^as_of$")
_ONE_BY_INSTANT = (
    "asset_state_period",  # an asset has one period from an instant on,
    "health_score",  # an account one score,
    "usage_day",  # a product one figure
)
_ENDS = re.compile(r"\b(limit|offset|for|union|returning|rows)\b|$")
_FOLDERS = [Path(package.__path__[0]) for package in (activities, gateway, workers)]


def test_no_order_ends_on_an_instant_that_rows_can_share() -> None:
    found = [f"{where}: order by {clause}" for where, text, clause in _clauses() if _is_open(text, clause)]
    assert not found


def test_no_list_is_put_together_without_an_order() -> None:
    found = [
        f"{where}: {part[:80]}"
        for where, text in _statements()
        for opening in re.finditer(r"\b(?:jsonb|array|string)_agg\(", text)
        if not re.search(r"order by|\bdistinct\b", part := text[opening.start() : _closed(text, opening.end())])
    ]
    assert not found


@pytest.mark.parametrize(
    ("clause", "text", "is_open"),
    [
        ("t.due_at", "select * from onboarding_task t order by t.due_at limit 1", True),
        ("a.x, max(b.opened_at) desc nulls last", "", False),
        ("c.escalated desc, c.opened_at desc nulls last", "", True),
        ("t.due_at, t.key", "", False),
        ("p.starts_at", "from asset_state_period p where p.asset_id = $1 order by p.starts_at", False),
    ],
)
def test_an_instant_at_the_end_is_seen(clause: str, text: str, is_open: bool) -> None:
    assert _is_open(text, clause) is is_open


def _is_open(text: str, clause: str) -> bool:
    depth, last = 0, ""
    for letter in clause:
        depth += (letter == "(") - (letter == ")")
        last = "" if letter == "," and not depth else last + letter
    column = re.sub(r"\s+(asc|desc|nulls (first|last))\b", "", last.strip()).rpartition(".")[2]
    place = text.find(f"order by {clause}")
    before, after = (re.findall(r"\b(?:from|join) ([a-z_]+)\b", part) for part in (text[: max(place, 0)], text[place:]))
    near = {*before[-1:], *after[:1]}
    return bool(_INSTANT.search(column)) and not near.intersection(_ONE_BY_INSTANT)


def _clauses() -> Iterator[tuple[str, str, str]]:
    for where, text in _statements():
        for opening in re.finditer(r"\border by ", text):
            inside = text[opening.end() : _closed(text, opening.end())]
            end = _ENDS.search(inside)
            assert end is not None
            yield where, text, inside[: end.start()].strip()


def _closed(text: str, start: int) -> int:
    """The place of the bracket that ends what begins at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth < 0:
            return place
    return len(text)


def _statements() -> Iterator[tuple[str, str]]:
    """Every SQL text, on one line, with the file that it stands in."""
    for path in sorted(path for folder in _FOLDERS for path in folder.rglob("*.py")):
        for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            if re.search(r"\b(order by|_agg\()", text):
                yield f"{path.parent.name}/{path.name}", re.sub(r"\s+", " ", text)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "$" for part in node.values)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)
