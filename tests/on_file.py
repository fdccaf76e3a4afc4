"""What is on file of lives: compared with what a test finds, or written anew with `--anew`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def holds(config: pytest.Config, file: Path, name: str, found: Any, says: str = "") -> None:
    """Compares what was found with what is on file under a name; says how it is written anew where that is meant."""
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if config.getoption("--anew"):
        kept[name] = found
        lines = ",\n".join(f"  {json.dumps(key)}: {_shown(value)}" for key, value in kept.items())
        file.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
        return
    assert kept.get(name) == found, f"{name} is otherwise than on file; if that is meant, `uv run poe anew`. {says}"


def _shown(value: Any) -> str:
    """A list with a line for each of its items, so that changes are told apart."""
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(f"    {json.dumps(one, ensure_ascii=False)}" for one in value) + "\n  ]"
