"""Clauses: a reply as the short pieces that it is made of, with what is only polite told from what says something."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from domain.mail.quoting import without_signature
from domain.mail.wording import Wording

_said = Wording("clauses")

_TEXT_LIMIT = 4000
"""Characters of a reply that are read for what it asks: who writes more wants to be read by a person."""
_STRAIGHT = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "´": "'",
        "`": "'",
        "–": "-",
        "—": "-",
        "－": "-",
        "‐": "-",
        "−": "-",
        "ー": "ー",
    }
)
_TRIMMED = " .!,、。！:：;→-*•\"'()（）「」☺🙂😊👍🙏"


Says = Callable[[str], object]


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence in lower case, without punctuation. `asks` is true for a question."""

    text: str
    asks: bool = False


def normal(text: str) -> str:
    """`text` in one spelling: half-width, straight quotes, lower case, single spaces."""
    flat = unicodedata.normalize("NFKC", text[:_TEXT_LIMIT]).translate(_STRAIGHT).lower()
    return "\n".join(_said.spaces.sub(" ", line).strip() for line in flat.split("\n"))


def body_of(text: str, sender_name: str, says: Says) -> str:
    """A reply in one spelling without what stands under it: closing, name, company, numbers, notes of programs.

    `says` tells whether a line in that spelling says something: then it is no name.
    """
    lines = _without_programs(without_signature(text).split("\n"))
    lines = _above_closing(_without_salutation(lines, says), says)
    return normal("\n".join(_above_names(lines, normal(sender_name), says)))


def sentences(body: str) -> list[list[Clause]]:
    """The sentences of a reply's body, each as its clauses, without greetings and thanks."""
    found = []
    for sentence in _said.ends.split(body):
        if not sentence or not sentence.strip():
            continue
        asks = sentence.rstrip(" )\"'」").endswith("?")
        bare = _said.smiles.sub("", sentence).strip(_TRIMMED + "?")
        if not bare or (not asks and not _said.has_comma.search(bare) and _is_polite(bare)):
            continue
        pieces = [piece.strip(_TRIMMED + "?") for piece in _said.commas.split(bare)]
        said = [Clause(piece, asks) for piece in pieces if piece and (asks or not _is_polite(piece))]
        if said:
            found.append(said)
    return found


def _is_polite(said: str) -> bool:
    return bool(_said.polite.fullmatch(said)) and not _said.matters.search(said)


def _without_programs(lines: list[str]) -> list[str]:
    """The lines that a person wrote: without notes of programs, up to the footer of a company."""
    footer = next((number for number, line in enumerate(lines) if number and _said.footer.fullmatch(line)), len(lines))
    return [line for line in lines[:footer] if not _said.notes.fullmatch(line)]


def _without_salutation(lines: list[str], says: Says) -> list[str]:
    """The lines below the salutation: a first line that greets, or a name with a comma."""
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not any(line.strip() for line in lines[first + 1 :]):
        return lines
    line = lines[first].strip()
    greets = _said.salutation.fullmatch(line.rstrip(",.!:、")) or (
        line.endswith((",", "、")) and len(line.split()) <= 3
    )
    return lines[first + 1 :] if greets and not says(normal(line)) else lines


def _above_closing(lines: list[str], says: Says) -> list[str]:
    """The lines above the closing; what follows it is a signature, but for a postscript."""
    kept: list[str] = []
    closed = False
    for line in lines:
        bare = normal(line).strip(_TRIMMED)
        if _said.postscript.match(bare):
            closed = False
        if closed:
            continue
        if bare and kept and all(_said.closes.fullmatch(one.strip()) for one in bare.split("/")):
            closed = True
            continue
        if bare and any(one.strip() for one in kept) and _said.thanks.fullmatch(bare) and not says(bare):
            rest = [one for one in lines[lines.index(line) + 1 :] if one.strip()]
            closed = bool(rest) and len(rest) <= 8 and all(_is_under(one, says) for one in rest[:2])
        kept.append(line)
    return kept


def _above_names(lines: list[str], name: str, says: Says) -> list[str]:
    """The lines above the last ones that are names, companies, titles and numbers."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or _is_under(kept[-1], says) or _is_named(kept[-1], name)):
        last = kept.pop()
        if not any(line.strip() for line in kept):
            return [last] if last.strip() else lines
    return kept


def _is_under(line: str, says: Says) -> bool:
    """True for a line of a signature: a name, or what else stands there."""
    bare = line.strip(_TRIMMED)
    if says(normal(bare)) or len(bare) > 90 or bare.endswith(("?", "？")):
        return False
    words = len(bare.split())
    if _said.under.search(bare):
        return not _said.sentence.search(normal(bare))
    return bool(_said.name.fullmatch(bare)) and bool(_said.capitals.match(bare)) and words <= 5


def _is_named(line: str, name: str) -> bool:
    """True for a line made of the writer's names and a word or two more."""
    words = re.split(r"[\s/|·,]+", normal(line).strip(_TRIMMED))
    return bool(name) and len(words) <= 5 and any(word in words for word in name.split())
