"""The words by which mails are understood: each pattern is one that a rule asks for, and each that a rule asks for is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import domain.mail
from domain.frame.renewal_facts import ChurnReason
from domain.mail.wording import Wording

FOLDER = Path(domain.mail.__file__).parent
NAMES = sorted(path.stem for path in (FOLDER / "words").glob("*.toml"))
USED = re.compile(r"^(\w+(?:, \w+)*) = (Wording\(\"\w+\"\)(?:, Wording\(\"\w+\"\))*)$", re.MULTILINE)


def asked_for() -> dict[str, set[str]]:
    """By file, the patterns that rules use."""
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    for path in FOLDER.glob("*.py"):
        rules = path.read_text(encoding="utf-8")
        for names, files in USED.findall(rules):
            for name, file in zip(names.split(", "), re.findall(r"\"(\w+)\"", files), strict=True):
                found[file] |= set(re.findall(rf"(?<![\w.]){name}\.(\w+)", rules)) - {"file", "endings"}
                if f"getattr({name}, reason.value)" in rules:
                    found[file] |= {reason.value for reason in ChurnReason}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_pattern_is_used_and_none_is_missing(name: str) -> None:
    assert asked_for()[name] == set(Wording(name).file.patterns)


@pytest.mark.parametrize("name", NAMES)
def test_every_pattern_can_be_searched(name: str) -> None:
    said = Wording(name)
    for pattern in said.file.patterns:
        found: re.Pattern[str] = getattr(said, pattern)
        assert found.search("") is None or not found.fullmatch("Nothing of the kind.")
    assert all(whole != short.pattern for short, whole in said.endings)


def test_a_pattern_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"yes\.toml has no pattern 'perhaps'"):
        _ = Wording("yes").perhaps


def test_ends_of_lines_and_parts_make_one_expression() -> None:
    assert "\n" not in Wording("no").said.pattern
    assert "{deal}" not in Wording("no").said.pattern
    assert Wording("no").said.search("the offer is declined")
