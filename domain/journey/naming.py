"""How people are named in a text: names, mail addresses and phone numbers, each cut out where it stands by itself.

What is known of somebody and what is found in a text take the same forms, so that they are compared as a whole: a name is never found
within a word, an address never within a longer one.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

HAN, HIRAGANA, KATAKANA, HANGUL = (
    "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "\u3041-\u309f",
    "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "\uac00-\ud7af",
)
SIGNS = HAN + HIRAGANA + KATAKANA + HANGUL
"""What is written without spaces between words, as classes of a pattern."""

_LETTER = rf"[^\W_{SIGNS}]"
_PART = rf"{_LETTER}+(?:[-'’]{_LETTER}+)*"
_WORD = re.compile(rf"{_LETTER}+")
_MIXED = re.compile(rf"[{SIGNS}]|{_LETTER}+")
_RUN = re.compile(rf"[{SIGNS}]+(?:[\s・･·]?[{SIGNS}]+)*")
_ALL_SIGNS = re.compile(rf"[{SIGNS}\s・･·]+")
_BETWEEN = re.compile(r"[\s.\-'’·・]{0,3}")
_SCRIPTS = tuple(re.compile(rf"[{one}]") for one in (HAN, HIRAGANA, KATAKANA, HANGUL))
_OF_HIRAGANA, _OF_HANGUL = 1, 3
_HONORED = r"様|さま|さん|氏|殿|先生|君|くん|ちゃん|님|씨|女士|小姐"
_HONORIFIC = re.compile(rf"\s*(?:{_HONORED}|部長|課長|社長|係長|主任|担当)")
_TITLES = r"Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herrn?|Frau|Hr|Mme|Madame|Monsieur|Sig|Sra|Señora?"
_TITLED = re.compile(rf"\b(?:{_TITLES})\b\.?\s+({_PART})")
_GREETED = re.compile(
    rf"\b(?:Dear|Hi|Hello|Hey|Hallo|Lieber?|Guten Tag|Bonjour|Cher|Chère|Hola)\s+({_PART})(?=\s*(?:[,!.:\n\\]|$))"
)
_HONORED_AFTER = re.compile(rf"(?<![^\W_{SIGNS}])(?<![-'’])({_PART})(?=\s*(?:{_HONORED})|-san\b)")
_IS_TITLE = re.compile(rf"(?:{_TITLES})", re.IGNORECASE)
_ESCAPED = re.compile(r"\\[nrtbf]")
_LOCAL = re.compile(rf"[^\W{SIGNS}]|[.+%'&-]")
_DOMAIN = re.compile(rf"[^\W{SIGNS}]+(?:[.-]+[^\W{SIGNS}]+)*")
_LONGEST_LOCAL = 64
_DIGITS = re.compile(r"\d+")
_GAP = re.compile(r"[ \t\u00a0()/.\-]{1,3}")
_FEWEST_DIGITS, _MOST_DIGITS, _MOST_GROUPS = 6, 15, 7
_INTERNATIONAL = 10
"""Digits of a number that may stand without its plus sign."""

_OFFICE_WORDS = """
account accounting accounts admin administration billing buchhaltung business buyer company contact customer department desk
einkauf finance front head help helpdesk hr info invoice invoices invoicing it legal mail main management manager marketing office
onboarding operations operator order orders owner plan postmaster purchase purchasing reception renewal sales secretary service
services staff support system team tech technical technik test user vertrieb zentrale
"""
_ORDINARY_WORDS = """
january february march april may june july august september october november december januar februar märz mai juni juli oktober
dezember janvier mars avril juin juillet monday tuesday wednesday thursday friday saturday sunday sun mon tue wed thu fri sat jan
feb mar apr jun jul aug sep oct nov dec will mark bill grace hope rose summer winter art frank rich young long small best day king
price case page field bank post cash gold silver green brown white black gray grey and the for you not all new
"""
_OFFICES = frozenset(_OFFICE_WORDS.split())
"""What a contact may be called that is nobody's name: it names them in a column of its own alone."""
_ORDINARY = _OFFICES | frozenset(_ORDINARY_WORDS.split())
"""Words that names are made of, too."""


class Form(NamedTuple):
    """A way in which somebody is named. `parts`: how many words it has."""

    kind: str
    said: str
    parts: int = 1


class Sighting(NamedTuple):
    """A form that a text has, and where."""

    form: Form
    start: int
    end: int


@dataclass(frozen=True)
class Sizes:
    """How large the forms are that are looked for: words of a name by the kind of it, and signs."""

    words: frozenset[int] = frozenset()
    mixed: frozenset[int] = frozenset()
    signs: frozenset[int] = frozenset()
    parts: bool = False

    @classmethod
    def of(cls, forms: Iterable[tuple[str, int, int]]) -> Sizes:
        """Those of forms, of which each is said by its kind, its length and its parts."""
        every = list(forms)
        return cls(
            frozenset(parts for kind, _, parts in every if kind in ("name", "exact")),
            frozenset(parts for kind, _, parts in every if kind == "mixed"),
            frozenset(length for kind, length, _ in every if kind == "signs"),
            any(kind == "part" for kind, _, _ in every),
        )


def forms_of(names: Iterable[str], addresses: Iterable[str]) -> set[Form]:
    """The forms by which somebody is known."""
    found = {form for name in names for form in _forms_of_name(unicodedata.normalize("NFC", name).strip())}
    for address in addresses:
        if "@" in address:
            found.add(Form("mail", address.strip().casefold()))
        elif form := _form_of_phone(address):
            found.add(form)
    return found


def _forms_of_name(name: str) -> Iterator[Form]:
    pieces = name.split()
    if _ALL_SIGNS.fullmatch(name):
        signs = "".join(_MIXED.findall(name))
        if len(signs) > 1:
            yield Form("signs", signs)
        yield from (Form("part", piece) for piece in pieces if len(pieces) > 1)
        return
    words = _MIXED.findall(name)
    if any(re.match(rf"[{SIGNS}]", word) for word in words):
        yield Form("mixed", " ".join(words).casefold(), len(words))
        return
    while len(words) > 1 and _IS_TITLE.fullmatch(words[0]):
        words = words[1:]
    small = [word.casefold() for word in words]
    if not words or all(word in _OFFICES for word in small):
        return
    said = " ".join(words)
    if len(words) > 1:
        plain = all(word in _ORDINARY or len(word) == 1 for word in small)
        yield Form("exact", said, len(words)) if plain else Form("name", said.casefold(), len(words))
    elif small[0] not in _ORDINARY and len(said) >= (3 if said.isascii() else 2):
        yield Form("exact", said)
    kept = [piece.casefold() for piece in pieces if re.fullmatch(_PART, piece) and not _IS_TITLE.fullmatch(piece)]
    yield from (Form("part", piece) for piece in kept if len(piece) > 1 and piece not in _OFFICES)


def _form_of_phone(said: str) -> Form | None:
    groups = _DIGITS.findall(unicodedata.normalize("NFKC", said))
    digits = "".join(groups)
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS + 2:
        return None
    return _phone(digits, groups, plus=said.lstrip("( ").startswith(("+", "＋")))


def _phone(digits: str, groups: list[str], *, plus: bool) -> Form:
    """With its country, or as it is written; an amount is never written as either."""
    if plus or digits.startswith("00"):
        return Form("phone", f"+{digits if plus else digits[2:]}")
    return Form("phone", digits if digits.startswith("0") else " ".join(groups))


def named_in(text: str, sizes: Sizes) -> Iterator[Sighting]:
    """What in a text may name somebody."""
    text = _ESCAPED.sub("  ", text)
    mails = list(_mails(text)) if "@" in text else []
    yield from mails
    yield from _phones(text)
    within = [(found.start, found.end) for found in mails]
    if sizes.words:
        yield from _outside(_words(text, _WORD, sizes.words, ("name", "exact")), within)
    if sizes.mixed:
        yield from _outside(_words(text, _MIXED, sizes.mixed, ("mixed",)), within)
    if sizes.signs or sizes.parts:
        yield from _signs(text, sizes)
    if sizes.parts:
        yield from _outside(_parts(text), within)


def _outside(found: Iterator[Sighting], within: list[tuple[int, int]]) -> Iterator[Sighting]:
    """What lies in none of these, which are in order."""
    for one in found:
        at = bisect_left(within, (one.end, 0))
        if at == 0 or within[at - 1][1] <= one.start:
            yield one


def _mails(text: str) -> Iterator[Sighting]:
    for sign in re.finditer("@", text):
        domain = _DOMAIN.match(text, sign.end())
        start = sign.start()
        while start > 0 and sign.start() - start <= _LONGEST_LOCAL and _LOCAL.match(text[start - 1]):
            start -= 1
        while start < sign.start() and text[start] in ".+%'&-":
            start += 1
        if domain and start < sign.start():
            yield Sighting(Form("mail", text[start : domain.end()].casefold()), start, domain.end())


def _phones(text: str) -> Iterator[Sighting]:
    groups = list(_DIGITS.finditer(text))
    for first, group in enumerate(groups):
        before = text[max(0, group.start() - 2) : group.start()]
        if re.search(r"[^\W]$|\w[-./]$", before):
            continue
        plus = before.endswith(("+", "＋"))
        start = group.start() - plus
        said: list[str] = []
        for last in range(first, min(first + _MOST_GROUPS, len(groups))):
            if last > first and not _GAP.fullmatch(text[groups[last - 1].end() : groups[last].start()]):
                break
            said.append(unicodedata.normalize("NFKC", groups[last].group()))
            digits = "".join(said)
            if len(digits) > _MOST_DIGITS + 2:
                break
            end = groups[last].end()
            if len(digits) < _FEWEST_DIGITS or re.match(r"\w|[-./]\w", text[end : end + 2]):
                continue
            yield Sighting(_phone(digits, said, plus=plus), start, end)
            if not plus and len(digits) >= _INTERNATIONAL:
                yield Sighting(Form("phone", f"+{digits}"), start, end)


def _words(text: str, pattern: re.Pattern[str], counts: Iterable[int], kinds: tuple[str, ...]) -> Iterator[Sighting]:
    words = [(one.group(), one.start(), one.end()) for one in pattern.finditer(text)]
    follows = [bool(_BETWEEN.fullmatch(text[words[n][2] : words[n + 1][1]])) for n in range(len(words) - 1)]
    for count in counts:
        for at in range(len(words) - count + 1):
            if not all(follows[at : at + count - 1]):
                continue
            start, end = words[at][1], words[at + count - 1][2]
            if not _stands(text, start, end):
                continue
            said = " ".join(word for word, _, _ in words[at : at + count])
            for kind in kinds:
                yield Sighting(Form(kind, said if kind == "exact" else said.casefold(), count), start, end)


def _stands(text: str, start: int, end: int) -> bool:
    """False for a piece of a longer name, or of an id."""
    return not re.search(r"_$|\w-$", text[max(0, start - 2) : start]) and not re.match(r"_|-\w", text[end : end + 2])


@cache
def _script(sign: str) -> int:
    return next((n for n, one in enumerate(_SCRIPTS) if one.match(sign)), -1)


def _signs(text: str, sizes: Sizes) -> Iterator[Sighting]:
    whole = text.strip()
    lengths = sizes.signs | (frozenset(range(1, 5)) if sizes.parts else frozenset())
    for run in _RUN.finditer(text):
        at = [n for n in range(run.start(), run.end()) if _script(text[n]) >= 0]
        for first, start in enumerate(at):
            goes_on = start > 0 and _script(text[start - 1]) == _script(text[start]) != _OF_HIRAGANA
            for length in lengths:
                if first + length > len(at):
                    continue
                end = at[first + length - 1] + 1
                said = "".join(text[n] for n in at[first : first + length])
                honored = bool(_HONORIFIC.match(text, end))
                if sizes.parts and honored and not goes_on:
                    yield Sighting(Form("part", said), start, end)
                if length not in sizes.signs:
                    continue
                last = _script(text[end - 1])
                ends = honored or last in (_OF_HIRAGANA, _OF_HANGUL) or end == len(text) or _script(text[end]) != last
                least = length > 3 or (not goes_on and (length == 3 or honored or text[start:end] == whole))
                if ends and least:
                    yield Sighting(Form("signs", said), start, end)


def _parts(text: str) -> Iterator[Sighting]:
    for pattern in (_TITLED, _GREETED, _HONORED_AFTER):
        for one in pattern.finditer(text):
            after = re.match(r"\s+(\w)", text[one.end(1) :][:4])
            if pattern is _TITLED and after and after[1].isupper():
                continue  # the name of somebody else goes on
            yield Sighting(Form("part", one[1].casefold()), one.start(1), one.end(1))
