"""Words in Outlook's own format: compressed rich text, which may hold a page of HTML."""

from __future__ import annotations

import re

from domain.mail.charsets import decoded

_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial"
    b"Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
"""What every dictionary begins with."""
_WINDOW = 4096
_LIMIT = 5_000_000
_PIECE = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_ASIDE = frozenset((b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"header", b"footer", b"object"))
_SAID = {b"par": "\n", b"line": "\n", b"tab": "\t", b"emdash": "—", b"endash": "–", b"bullet": "•"}
_SIGNS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}
_SAID |= {b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"row": "\n", b"cell": "\t"}


def unpacked(data: bytes) -> bytes:
    """Rich text out of its compressed form; only its beginning if it is very long."""
    if data[8:12] != b"LZFu":
        return data[16 : 16 + _LIMIT]
    window = bytearray(_BEGINNING + bytes(_WINDOW - len(_BEGINNING)))
    out, at, place = bytearray(), 16, len(_BEGINNING)
    while at < len(data) and len(out) < _LIMIT:
        control, at = data[at], at + 1
        for bit in range(8):
            if at + (control >> bit & 1) >= len(data):
                return bytes(out)
            if control >> bit & 1:
                found, at = int.from_bytes(data[at : at + 2], "big"), at + 2
                if found >> 4 == place:
                    return bytes(out)
                copied = [(found >> 4) + n for n in range((found & 15) + 2)]
            else:
                copied, window[place], at = [place], data[at], at + 1
            for source in copied:
                window[place] = window[source % _WINDOW]
                out.append(window[place])
                place = (place + 1) % _WINDOW
    return bytes(out)


def text_of_rtf(rtf: bytes) -> str:
    """The words of rich text, without its fonts, pictures and what of it stands for the tags of a page."""
    codepage = re.search(rb"\\ansicpg(\d{1,5})", rtf)
    words = _Words(f"cp{codepage[1].decode()}" if codepage else None)
    for word, number, byte, sign, brace, text in _PIECE.findall(rtf):
        if brace == b"{":
            words.aside.append(words.aside[-1])
        elif brace and len(words.aside) > 1:
            words.aside.pop()
        elif sign == b"*" or word in _ASIDE:
            words.aside[-1] = True
        elif word == b"htmlrtf":
            words.doubled = number != b"0"
        elif word == b"uc":
            words.replaced = int(number or 1)
        elif word == b"u" and number:
            words.say(chr(int(number) % 0x10000))
            words.skip = words.replaced
        elif byte:
            words.add(bytes.fromhex(byte.decode()))
        elif text:
            words.add(text)
        else:
            words.say(_SAID.get(word, "") if word else _SIGNS.get(sign, ""))
    return words.text


class _Words:
    """What a reader sees of rich text, piece by piece."""

    def __init__(self, charset: str | None) -> None:
        self.aside = [False]
        self.doubled = False
        self.replaced = 1
        """characters after one in Unicode that stand for it where it is not known"""
        self.skip = 0
        self._charset = charset
        self._out: list[str] = []
        self._bytes = bytearray()

    def add(self, said: bytes) -> None:
        """Characters in the code page; one may be spread over several pieces."""
        skipped, self.skip = said[self.skip :], max(0, self.skip - len(said))
        if not (self.aside[-1] or self.doubled):
            self._bytes += skipped

    def say(self, said: str) -> None:
        if said and not (self.aside[-1] or self.doubled):
            self._out += [decoded(bytes(self._bytes), self._charset), said]
            self._bytes.clear()

    @property
    def text(self) -> str:
        said = "".join([*self._out, decoded(bytes(self._bytes), self._charset)])
        return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
