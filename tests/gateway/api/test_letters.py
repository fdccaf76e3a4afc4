"""Letters that mean something to SQL, HTML, templates and sheets, in every text of every request that the registry knows."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from domain.frame.access import AccessRole
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import BEGINNINGS, JOURNEY, OPERATIONS
from domain.kernel.refusals import Refusal
from gateway.api.bodies import read_object
from gateway.api.problems import CallError
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_parts import with_a_case
from tests.gateway.api.test_whole_document import LETTERS, spoilt

Path = tuple[str | int, ...]
OUTSIDE = sorted(name for name, kind in OPERATIONS.items() if not kind.internal)
TABLES = ("account", "contract", "asset", "sales_order", "staff", "product")


def texts_of(kind: RequestKind[Any]) -> list[tuple[Path, dict[str, Any]]]:
    """Where a text of the request stands, with a whole document that has it: those of its example, and what its model takes beside them."""
    example = {name: value for name, value in json.loads(kind.example).items() if name not in ("by", "role")}
    found = [(path, example) for path in _leaves(example, ())]
    properties = kind.model.model_json_schema()["properties"]
    more = {name for name, said in properties.items() if _is_text(said)} - example.keys() - {"by", "role"}
    return found + [((name,), {**example, name: "x"}) for name in sorted(more)]


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, str):
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield from _leaves(inner, (*path, name))


def _is_text(said: dict[str, Any]) -> bool:
    return any(one.get("type") == "string" for one in (said, *said.get("anyOf", ())))


def _with(document: dict[str, Any], path: Path, letters: str) -> dict[str, Any]:
    """The document with these letters there."""
    made: Any = copy.deepcopy(document)
    inner = made
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = letters
    found: dict[str, Any] = made
    return found


def _at(read: Any, path: Path) -> Any:
    for part in path:
        read = getattr(read, part) if isinstance(part, str) and isinstance(read, BaseModel) else read[part]
    return read


def test_the_registry_has_many_texts() -> None:
    assert sum(len(texts_of(OPERATIONS[name])) for name in OUTSIDE) > 250


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_text_is_read_as_it_was_written_or_refused(name: str) -> None:
    kind, wrong = OPERATIONS[name], []
    for path, document in texts_of(kind):
        for letters in LETTERS:
            try:
                read = kind.read({**_with(document, path, letters), **({"by": "s-2"} if _has(kind, "by") else {})})
            except Refusal:
                continue
            kept = _at(read, path)
            if kept not in (letters, letters.strip()):
                wrong.append((path, letters, kept))
    assert wrong == []


def _has(kind: RequestKind[Any], field: str) -> bool:
    return field in kind.model.model_fields


async def test_whatever_stands_in_a_text_nothing_breaks_and_nothing_else_changes(servers: Servers) -> None:
    document, case_id = await with_a_case(servers)
    account = document["account"]["account_id"]
    before = [await servers.pool.fetchval(f"select count(*) from {table}") for table in TABLES]
    wrong, called = [], 0
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        for name in (name for name in OUTSIDE if name not in BEGINNINGS):
            kind = OPERATIONS[name]
            place = f"/accounts/{account}" if kind is JOURNEY.get(kind.update) else f"/cases/{case_id}"
            for path, made in texts_of(kind):
                letters = LETTERS[called % len(LETTERS)]
                called += 1
                body = _with(made, path, letters)
                answer = await http.post(f"{place}/requests/{kind.update}", json=body, headers={"Prefer": "wait=5"})
                if answer.status_code >= 500 or answer.status_code == 202:
                    wrong.append((name, path, letters, answer.status_code, answer.text[:300]))
    assert wrong == []
    assert called > 200
    assert [await servers.pool.fetchval(f"select count(*) from {table}") for table in TABLES] == before


def test_ten_thousand_malformed_bodies_are_refused_before_anything_is_asked() -> None:
    dice, read = random.Random(11), list[tuple[str, bytes]]()
    examples = {name: json.dumps(json.loads(OPERATIONS[name].example)) for name in OUTSIDE}
    for _ in range(10_000):
        name = dice.choice(OUTSIDE)
        content = spoilt(examples[name], dice)
        try:
            OPERATIONS[name].read(read_object(content))
        except (CallError, Refusal):
            continue
        read.append((name, content))
    assert read == []
