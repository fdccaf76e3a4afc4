"""The list of changed code that a build tells the engine is that of the code."""

from __future__ import annotations

import ast
from pathlib import Path

import workflows
from workflows.patches import PATCHES


def test_every_patch_of_the_code_is_listed_and_no_other() -> None:
    found = set()
    for path in Path(workflows.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("workflow.patched", "patched"):
                (way,) = node.args
                assert isinstance(way, ast.Constant), f"{path.name}:{node.lineno}: name the patch where it is asked for"
                found.add(str(way.value))
    assert list(PATCHES) == sorted(found)
