"""Pins: what is resolved stands in pyproject.toml by name and version, and nothing of addresses or markers."""

from __future__ import annotations

import tomllib

import pytest

from tests.pins import PROJECT, moved, pins_of, with_pins

EXPORTED = """# made by a tool
aiosmtpd==1.4.6
colorama==0.4.6 ; sys_platform == 'win32'
    # via click
typing-extensions==4.16.0
typing-extensions==4.16.0 ; python_full_version < '3.13'
-e .
"""


def test_pins_are_names_and_versions() -> None:
    assert pins_of(EXPORTED) == ["aiosmtpd==1.4.6", "colorama==0.4.6", "typing-extensions==4.16.0"]


def test_other_pins_take_the_place_of_those_there_are_and_nothing_else_changes() -> None:
    before = PROJECT.read_text()
    after = with_pins(before, ["aiosmtpd==9.9.9"])
    pinned = tomllib.loads(after)["tool"]["uv"].pop("constraint-dependencies")
    assert pinned == ["aiosmtpd==9.9.9"]
    one, other = tomllib.loads(before), tomllib.loads(after)
    del one["tool"]["uv"]["constraint-dependencies"], other["tool"]["uv"]["constraint-dependencies"]
    assert one == other
    assert moved(before, after) == ["aiosmtpd==9.9.9"]


def test_nothing_is_written_where_there_is_nothing_to_pin() -> None:
    with pytest.raises(ValueError, match="something to pin"):
        with_pins(PROJECT.read_text(), [])
    with pytest.raises(ValueError, match="constraint-dependencies"):
        with_pins("[project]\n", ["a==1"])


def test_everything_that_is_installed_is_pinned() -> None:
    project = tomllib.loads(PROJECT.read_text())
    pinned = {pin.partition("==")[0] for pin in project["tool"]["uv"]["constraint-dependencies"]}
    asked = [
        *project["project"]["dependencies"],
        *(one for group in project["dependency-groups"].values() for one in group),
    ]
    names = {requirement.replace(">", " ").replace("=", " ").replace("<", " ").split()[0] for requirement in asked}
    assert names <= pinned, f"pin {sorted(names - pinned)}: `poe update`"
