"""Moves the versions that the project is pinned to: `python -m tests.pins` resolves the newest ones and writes them down.

They stand in pyproject.toml by name and version, those of dependencies' dependencies too, so that two clones are one program.
What the lint and the tests say of them is seen afterwards: `poe update` runs all three.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
_PINS = re.compile(r"(?<=^constraint-dependencies = \[\n).*?(?=^\])", re.DOTALL | re.MULTILINE)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+==[^\s;]+)")


def pins_of(exported: str) -> list[str]:
    """Name and version of every package in what `uv export` prints, in its order, each once; markers and comments left out."""
    found = (_PINNED.match(line) for line in exported.splitlines())
    return list(dict.fromkeys(match[1] for match in found if match))


def with_pins(project: str, pins: list[str]) -> str:
    """The text of a pyproject.toml with other pins. Raises ValueError if it has none, or there is nothing to pin."""
    if not pins or not _PINS.search(project):
        raise ValueError("pyproject.toml needs [tool.uv] constraint-dependencies, one a line, and something to pin")
    return _PINS.sub(lambda _: "".join(f'    "{pin}",\n' for pin in pins), project, count=1)


def moved(before: str, after: str) -> list[str]:
    """What another text of pyproject.toml pins that the first does not."""
    known = set(re.findall(r'"([^"]+==[^"]+)"', before))
    return [pin for pin in re.findall(r'"([^"]+==[^"]+)"', after) if pin not in known]


def main() -> None:
    """Resolves without the present pins, within the bounds of pyproject.toml, and writes what came of it."""
    before = PROJECT.read_text()
    PROJECT.write_text(_PINS.sub("", before, count=1))
    try:
        export = ["uv", "export", "--quiet", "--upgrade", "--no-hashes", "--no-annotate", "--no-emit-project"]
        found = subprocess.run([*export, "--all-groups"], check=True, capture_output=True, text=True).stdout
        after = with_pins(before, pins_of(found))
    except BaseException:
        PROJECT.write_text(before)
        raise
    PROJECT.write_text(after)
    print("\n".join(moved(before, after)) or "everything is at its newest version")


if __name__ == "__main__":
    main()
