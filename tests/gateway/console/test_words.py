"""The words of the pages: both languages say everything, with the same values, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import gateway.console

FOLDER = Path(gateway.console.__path__[0])
_USED = re.compile(r"""\b(?:t|words|self)\(\s*["']([a-z0-9_.]+)["']""")
_BEGUN = re.compile(r"""\b(?:t|words|known|self)\(\s*f?["']([a-z0-9_.]+\.)(?:["']|\{)""")


def _words(language: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((FOLDER / "words" / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


def test_both_languages_say_the_same() -> None:
    english, japanese = _words("en"), _words("ja")
    assert english.keys() == japanese.keys()
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
    assert not [key for key in begun if not any(one.startswith(key) for one in known)]
    assert not [key for key in known if key not in used and not any(key.startswith(one) for one in begun)]
