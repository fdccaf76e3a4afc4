"""Documents as PDF: what a paper says, set by the layout; with fonts of our own, in a process that is ended if it takes too long."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, time
from functools import cache
from importlib import metadata
from typing import Any

from activities.channels import typesetting
from activities.channels.rendering import Renderer
from domain.mail.papers import Paper

WITHIN = 20.0
"""Seconds that one document may take; one of a thousand lines takes one."""
_AT_ONCE = 2
_MISSING = "\N{GETA MARK}"
"""Stands where a letter has no glyph, as printers have it."""


class PaperError(RuntimeError):
    """A document could not be made; the message says why."""


class Press:
    """Makes documents, a few at a time."""

    def __init__(self, *, within: float = WITHIN) -> None:
        self._within = within
        self._renderer = Renderer()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def sheet(self, paper: Paper, *, language: str | None = None, corrects: tuple[str, ...] = ()) -> Sheet:
        """What a document says. Raises RenderError if a value is missing or of another kind than it needs."""
        return Sheet(paper, self._renderer.sheet(paper, language=language, corrects=corrects))

    async def pdf(self, sheet: Sheet) -> bytes:
        """The document; the same bytes for the same sheet. Raises PaperError."""
        asked = json.dumps({"sheet": sheet.text, "at": sheet.at}).encode()
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", typesetting.__file__, stdin=_PIPE, stdout=_PIPE, stderr=_PIPE
            )
            try:
                async with asyncio.timeout(self._within):
                    made, said = await process.communicate(asked)
            except TimeoutError:
                raise PaperError(f"{sheet.name} was not ready in {self._within:g} s") from None
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
        if process.returncode != 0:
            raise PaperError(f"{sheet.name} could not be set: {said.decode('utf-8', 'replace').strip()[-300:]}")
        return made


_PIPE = asyncio.subprocess.PIPE


class Sheet:
    """A document in words, each letter of which has a glyph."""

    def __init__(self, paper: Paper, words: dict[str, Any]) -> None:
        missing: dict[str, None] = {}
        shown = _visible(words, missing)
        if missing:
            shown["notes"].append(shown["missing"] + ", ".join(missing))
        self.name = paper.name
        self.text = json.dumps(shown, ensure_ascii=False, sort_keys=True)
        self.at = int(datetime.combine(paper.issued_on, time(), UTC).timestamp())

    @property
    def tag(self) -> str:
        """Another one for every other document that could be made of it."""
        return hashlib.sha256(f"{_made_by()}\0{self.at}\0{self.text}".encode()).hexdigest()[:32]


@cache
def _made_by() -> str:
    """What else a document depends on: the layout, and the program that sets it."""
    layout = typesetting.TEMPLATE.read_bytes()
    return hashlib.sha256(f"{metadata.version('typst')}\0".encode() + layout).hexdigest()


@cache
def covered() -> frozenset[int]:
    """The letters that the fonts have."""
    found: set[int] = set()
    for one in (typesetting.HERE / "fonts" / "covered.txt").read_text(encoding="ascii").split():
        first, _, last = one.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)


def _visible(value: Any, missing: dict[str, None]) -> Any:
    """`value` with every text of it in letters that the fonts have; those that they have not are noted."""
    match value:
        case str():
            return "".join(_letter(one, missing) for one in unicodedata.normalize("NFC", value))
        case dict():
            return {name: _visible(one, missing) for name, one in value.items()}
        case list():
            return [_visible(one, missing) for one in value]
        case _:
            return value


def _letter(letter: str, missing: dict[str, None]) -> str:
    category = unicodedata.category(letter)
    if category == "Cf" or 0xFE00 <= ord(letter) <= 0xFE0F or 0xE0100 <= ord(letter) <= 0xE01EF:
        return ""  # it is no letter, but says how others are written, or turns the line around
    if ord(letter) in covered():
        return letter
    if category == "Zs":
        return " "
    missing.setdefault(f"U+{ord(letter):04X}")
    return _MISSING
