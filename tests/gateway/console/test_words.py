"""The words of the pages: both languages say everything, with the same values, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

import gateway.console
import tests.workflows
from domain.frame.access import AccessRole, Principal
from domain.frame.step_words import STEPS
from domain.journey.registry import CASE, JOURNEY
from domain.success.score_profiles import Measure
from gateway.console.acts import offered
from gateway.console.fields import Field, fields_of
from gateway.console.language import Words

FOLDER = Path(gateway.console.__path__[0])
_USED = re.compile(r"""\b(?:t|words|self)\(\s*["']([a-z0-9_.]+)["']""")
_BEGUN = re.compile(r"""\b(?:t|words|known|self)\(\s*f?["']([a-z0-9_.]+\.)(?:["']|\{)""")
STORED = ("about.", "act.", "field.", "choice.", "area.", "event.", "health.", "mail.")
"""What is stored or asked in English words is given others in other languages alone."""


def _words(language: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((FOLDER / "words" / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


def test_both_languages_say_the_same() -> None:
    english, japanese = _words("en"), _words("ja")
    assert not english.keys() - japanese.keys()
    assert not [key for key in japanese.keys() - english.keys() if not key.startswith(STORED)]
    for key, said in english.items():
        assert set(re.findall(r"\{\w+\}", said)) == set(re.findall(r"\{\w+\}", japanese[key])), key
        assert said.strip(), key
        assert japanese[key].strip(), key


def test_every_word_that_a_page_says_is_there_and_none_is_said_by_no_page() -> None:
    known = _words("en").keys()
    texts = [path.read_text(encoding="utf-8") for path in (*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py"))]
    used = {key for text in texts for key in _USED.findall(text) if not key.endswith(".")}
    begun = {key for text in texts for key in _BEGUN.findall(text)}
    assert used <= known, sorted(used - known)
    assert not [key for key in begun if not key.startswith(STORED) and not any(one.startswith(key) for one in known)]
    assert not [key for key in known if key not in used and not any(key.startswith(one) for one in begun)]


def test_all_that_somebody_can_ask_has_its_words_in_japanese() -> None:
    known = _words("ja").keys()
    admin = Principal("staff:a", "a", frozenset({AccessRole.ADMIN}))
    kinds = [kind for of_case in (False, True) for _, kinds in offered(admin, of_case=of_case) for kind in kinds]
    assert len(kinds) > 60
    fields = [field for kind in kinds for field in _all(fields_of(kind.schema()))]
    wanted = {f"act.{kind.update}" for kind in kinds} | {f"field.{field.name}" for field in fields}
    wanted |= {f"choice.{option}" for field in fields for option in field.options}
    wanted |= {f"health.{measure.value}" for measure in Measure}
    wanted |= {f"area.{area}" for of_case in (False, True) for area, _ in offered(admin, of_case=of_case)}
    assert not wanted - known
    wanted |= {f"about.{kind.update}" for kind in kinds}
    both = JOURNEY.keys() & CASE.keys()
    assert not {f"about.case.{update}" for update in both} - known
    assert not {f"act.case.{update}" for update in both} - known, "one name for two acts"


def test_what_happened_and_what_is_planned_is_said_in_japanese() -> None:
    """What lives on file did, and every kind of step."""
    t = Words("ja")
    lives = json.loads((Path(tests.workflows.__path__[0]) / "timelines.json").read_text(encoding="utf-8"))
    titles = {str(row[2]) for rows in lives.values() for row in rows}
    assert len(titles) > 150
    steps = {said.format(task="kickoff", play="p-1") for said in STEPS.values()}
    assert not [said for said in sorted(titles | steps) if not t.knows(said)]
    assert t.sentence("Renewal notice, 60 days before the end, contract K-1") == "更新のご案内：満了の60日前（契約K-1）"
    assert not t.knows("A sentence that nobody has written")
    assert Words("en").sentence("Resumed") == "Resumed"


def _all(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)
