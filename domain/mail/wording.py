"""Wording: by which words and turns of phrase mails are understood. They are data, in `words/*.toml`; the rules stand beside this module.

A file holds `patterns`, each an expression or a list of which any may be found; `parts` of them, which stand in patterns and in
each other as `{name}`; `words` with what each means (`{word}` is any of them); `endings`, each expression with what it is short
for; and `lists`. An expression may be broken into lines: their ends do not count.
"""

from __future__ import annotations

import re
import tomllib
from functools import cached_property
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

_FOLDER = files("domain.mail") / "words"
_PART = re.compile(r"\{([a-z_]+)\}")


class _WordFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    uses: str | None = None
    """another file, of whose parts these are made too"""
    parts: dict[str, str] = {}
    patterns: dict[str, str | list[str]] = {}
    words: dict[str, str] = {}
    endings: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}


class Wording:
    """One file. It is read when something of it is first asked for; a pattern is compiled when it is first used, as an attribute."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def file(self) -> _WordFile:
        """What it holds, checked."""
        return _WordFile.model_validate(tomllib.loads((_FOLDER / f"{self._name}.toml").read_text(encoding="utf-8")))

    @cached_property
    def endings(self) -> list[tuple[re.Pattern[str], str]]:
        """Expressions with what each is short for, in their order."""
        return [(re.compile(self._whole(one)), whole) for one, whole in self.file.endings.items()]

    def __getattr__(self, name: str) -> re.Pattern[str]:
        if name.startswith("_") or name not in self.file.patterns:
            raise AttributeError(f"{self._name}.toml has no pattern {name!r}")
        written = self.file.patterns[name]
        found = re.compile(self._whole(written if isinstance(written, str) else "|".join(written)))
        setattr(self, name, found)
        return found

    @cached_property
    def _parts(self) -> dict[str, str]:
        others = Wording(self.file.uses)._parts if self.file.uses else {}
        words = sorted(map(re.escape, self.file.words), key=len, reverse=True)
        return others | self.file.parts | {"word": "|".join(words)}

    def _whole(self, text: str) -> str:
        return _PART.sub(lambda found: self._whole(self._parts[found[1]]), text.replace("\n", ""))
