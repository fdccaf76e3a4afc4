"""What the project depends on: each with a reason and its licence on record, and none under a licence that would bind who uses it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
ROWS = {match[1]: match[2] for match in re.finditer(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE)}
OPEN = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Mozilla|MPL|Public Domain|Unlicense|CC0|ZPL|0BSD", re.IGNORECASE
)
BOUND = re.compile(r"GPL|SSPL|BUSL|Commons Clause|Proprietary", re.IGNORECASE)
KNOWN = {"pygal": "LGPLv3+", "axe-playwright-python": "MIT", "promql-parser": "MIT"}
"""What a licence says that allows more than its name does, and what a package leaves out of its metadata."""


def named(requirement: str) -> str:
    """The package that a requirement is about."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return normal(match[0])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct() -> set[str]:
    """Every package that pyproject.toml asks for."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    asked = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for more in (*project["optional-dependencies"].values(), *groups.values()):
        asked += more
    return {named(one) for one in asked}


def licence(of: Message) -> str:
    """What a package says of its licence, in whichever of its three places."""
    kinds = (one.rpartition(" :: ")[2] for one in of.get_all("Classifier") or () if one.startswith("License ::"))
    return of.get("License-Expression") or "; ".join(kinds) or str(of.get("License") or "")[:80]


def installed() -> Iterator[tuple[str, str]]:
    """Every package that is installed, with its licence."""
    for one in metadata.distributions():
        name = normal(one.metadata["Name"])
        yield name, KNOWN.get(name) or licence(cast(Message, one.metadata))


def test_each_dependency_has_a_reason_and_none_is_listed_that_is_none() -> None:
    assert ROWS.keys() == direct()


def test_licences_are_those_on_record() -> None:
    said = dict(installed())
    wrong = {}
    for name, on_record in ROWS.items():
        words = [word for word in re.split(r"\W+OR\W+|\W+AND\W+|; ", on_record) if word]
        if name in said and not all(word.lower() in said[name].lower() for word in words):
            wrong[name] = (on_record, said[name])
    assert wrong == {}


def test_whatever_is_installed_may_be_used_freely() -> None:
    refused = {
        name: says
        for name, says in installed()
        if name not in KNOWN and (BOUND.search(says.replace("LGPL", "")) or not OPEN.search(says))
    }
    assert refused == {}


@pytest.mark.parametrize("name", ["GNU General Public License v3 (GPLv3)", "Business Source License (BUSL)", ""])
def test_a_licence_that_binds_is_noticed(name: str) -> None:
    assert BOUND.search(name) or not OPEN.search(name)
