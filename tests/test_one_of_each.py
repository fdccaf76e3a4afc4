"""What the product has one of: each concept stands where this says, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("domain", "workflows", "activities", "gateway", "workers")


@cache
def _nodes(tree: ast.AST) -> list[ast.AST]:
    return list(ast.walk(tree))


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls of a function or method by its name."""
    for node in _nodes(tree):
        if isinstance(node, ast.Call) and name == getattr(node.func, "attr", getattr(node.func, "id", None)):
            yield node


def _imports(tree: ast.AST, module: str) -> bool:
    named = (node for node in _nodes(tree) if isinstance(node, ast.Import))
    return any(alias.name == module for node in named for alias in node.names)


def _parses_a_stage(tree: ast.AST) -> bool:
    """True if the name of a stage, a step or a delivery is taken apart where it is used."""
    for how in ("split", "partition", "rsplit", "rpartition"):
        for call in _calls(tree, how):
            sign = call.args[0] if call.args else None
            taken = ast.unparse(call.func).rpartition(".")[0].rpartition(".")[2]
            if isinstance(sign, ast.Constant) and sign.value in (":", "/") and taken in {"stage", "delivery_id"}:
                return True
    return False


def _key_by_hand(tree: ast.AST) -> bool:
    """True if the key of an effect is put together, or taken apart, where it is used."""
    texts = (node.values[0] for node in _nodes(tree) if isinstance(node, ast.JoinedStr) and len(node.values) > 1)
    if any(isinstance(text, ast.Constant) and text.value in ("journey:", "case:") for text in texts):
        return True
    calls = (
        call for how in ("split", "partition", "rsplit", "rpartition", "removesuffix") for call in _calls(tree, how)
    )
    taken = (
        ast.unparse(call) for call in calls if ast.unparse(call.func).rpartition(".")[0].endswith(("key", "key']"))
    )
    return any("'/'" in one or "'/settled'" in one for one in taken)


def _money_by_hand(tree: ast.AST) -> bool:
    """True for a dict with an amount and a currency that is written out."""
    found = (node for node in _nodes(tree) if isinstance(node, ast.Dict))
    return any([ast.unparse(key) for key in node.keys if key] == ["'amount'", "'currency'"] for node in found)


def _is_status(node: ast.AST) -> bool:
    """True for `….status`, `status` and `…["status"]`, alone or in a tuple."""
    if isinstance(node, ast.Tuple):
        return any(_is_status(one) for one in node.elts)
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == "status"
    return getattr(node, "attr", getattr(node, "id", None)) == "status"


def _words_in(node: ast.AST) -> bool:
    """True if a text of letters, such as "open", stands in it."""
    found = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
    return any(isinstance(value, str) and value.replace("_", "").isalpha() for value in found)


def _status_in_words(tree: ast.AST) -> bool:
    """True if a status is compared with a bare word, or given one."""
    for node in _nodes(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_is_status(side) for side in sides) and any(
                _words_in(side) for side in sides if not isinstance(side, ast.Subscript)
            ):
                return True
        elif isinstance(node, ast.Match) and _is_status(node.subject) and any(map(_words_in, node.cases)):
            return True
    return any(
        _words_in(given.value) for call in _calls(tree, "Stage") for given in call.keywords if given.arg == "status"
    )


CONCEPTS: dict[str, tuple[Callable[[ast.AST], bool], set[str]]] = {
    "a time zone": (lambda tree: any(_calls(tree, "ZoneInfo")), {"domain/kernel/zones.py"}),
    "rounding": (lambda tree: any(_calls(tree, "quantize")), {"domain/kernel/money.py"}),
    "public holidays": (lambda tree: _imports(tree, "holidays"), {"domain/kernel/days_off.py"}),
    "the name of a stage, a step or a delivery": (_parses_a_stage, {"domain/frame/keys.py"}),
    "the key of an effect": (_key_by_hand, {"domain/frame/keys.py"}),
    "money as JSON": (_money_by_hand, set()),
    "an id as a type of its own": (lambda tree: any(_calls(tree, "NewType")), set()),
    "a status in bare words": (_status_in_words, set()),
    "a code in the spelling of a refusal": (
        lambda tree: "word.capitalize() for word in" in ast.unparse(tree),
        {"domain/kernel/refusals.py"},
    ),
}


@cache
def _product() -> dict[str, ast.AST]:
    """Every module of the product, read."""
    files = (path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def test_a_second_place_would_be_seen() -> None:
    assert CONCEPTS["the name of a stage, a step or a delivery"][0](ast.parse('step.stage.split(":", 1)[1]'))
    assert CONCEPTS["money as JSON"][0](ast.parse('{"amount": str(total), "currency": currency}'))
    assert CONCEPTS["rounding"][0](ast.parse("value.quantize(CENT)"))
    assert CONCEPTS["the key of an effect"][0](ast.parse('f"journey:{account_id}/{what}"'))
    assert CONCEPTS["the key of an effect"][0](ast.parse('row["key"].rpartition("/")[2]'))
    assert CONCEPTS["the key of an effect"][0](ast.parse('act.key.removesuffix("/settled")'))
    bare = CONCEPTS["a status in bare words"][0]
    assert bare(ast.parse('task.status == "open"'))
    assert bare(ast.parse('row["status"] in ("waiting", "held")'))
    assert bare(ast.parse('Stage(status="open", tasks=[])'))
    assert bare(ast.parse('match kind, stage.status:\n    case "renewal", "waiting" | "quoted":\n        pass'))
    assert not bare(ast.parse('row["status"] == DeliveryStatus.SENT or task.status is not None'))
    assert CONCEPTS["a code in the spelling of a refusal"][0](
        ast.parse('"".join(word.capitalize() for word in code.split("_"))')
    )


@pytest.mark.parametrize("concept", CONCEPTS)
def test_each_concept_stands_in_one_place(concept: str) -> None:
    stands, where = CONCEPTS[concept]
    found = {name for name, tree in _product().items() if stands(tree)}
    assert found <= where, f"{concept} belongs in {' or '.join(where) or 'no place'}: {sorted(found - where)}"
