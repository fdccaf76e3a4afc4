"""Character sets of received mail: bytes as text, whatever the sender said of them, or did not say."""

from __future__ import annotations

import codecs
import re

from domain.mail.wording import Wording

_said = Wording("charsets")
_JIS = "iso2022_jp_ext"
_SEVEN_BIT = frozenset({_JIS, "utf_7", "hz", "iso2022_kr"})
_WIDE = frozenset({"utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"})
_PAIRS = frozenset({"cp932", "euc_jp", "gb18030", "cp949", "cp950", "johab", "big5hkscs"})
"""sets of two bytes a character: two of them may be UTF-8 by chance"""
_ESCAPE_TO_JAPANESE = re.compile(rb"\x1b(\$[@B]|\([JI]|\$\(D)")
_JAPANESE_PARTS = re.compile(rb"\x1b(\$[@B]|\([BJI])([^\x1b]*)|([^\x1b]+)|\x1b")
_PAIR = re.compile(rb"([\r\n])|(..?)", re.DOTALL)
_IN_JIS = re.compile(rb"[!-~]{2}")
_GUESSED_BYTES = 20_000
"""Enough to tell what a text is written in."""


def decoded(content: bytes, charset: str | None) -> str:
    """`content` as text: in the character set named, or in the one that its bytes speak for. Never raises."""
    named = known(charset)
    if content.startswith(codecs.BOM_UTF8):
        content, named = content[3:], "utf_8"
    if named is None and content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        named = "utf_16"
    if named in _WIDE:
        return content.decode(named, errors="replace")
    if content.isascii():
        return _seven_bits(content, named)
    text = _strictly(content, "utf_8")
    if text is not None and (named is None or named not in _PAIRS or max(text) > "\u0800"):
        return text  # a text in another set is hardly ever UTF-8 by chance
    if named not in (None, "utf_8", "cp1252", *_SEVEN_BIT) and (said := _strictly(content, str(named))) is not None:
        return said
    return text if text is not None else _guessed(content, named)


def charset_is_vague(charset: str | None) -> bool:
    """True if a mail says nothing about its character set, or only that it is ASCII."""
    return charset is None or charset.strip("\"' ").lower() in {"", "us-ascii", "ascii", "unknown-8bit", "default"}


def known(charset: str | None) -> str | None:
    """The codec that a name of a character set stands for; null if it says nothing, or nothing that can be read."""
    if charset_is_vague(charset):
        return None
    name = str(charset).partition(";")[0].strip("\"' ").lower()[:40].replace("-", "_")
    if _said.jis.fullmatch(name):
        return _JIS
    try:
        found = codecs.lookup(_said.file.words.get(name, name)).name.replace("-", "_")
    except (LookupError, ValueError):  # a null byte in the name is a ValueError
        return None
    found = _said.file.words.get(found, found)
    return found if found in _said.file.lists["read"] else None


def _seven_bits(content: bytes, named: str | None) -> str:
    if named == _JIS or (named not in _SEVEN_BIT and _ESCAPE_TO_JAPANESE.search(content)):
        text = _strictly(content, _JIS)
        return text if text is not None else _as_windows_writes_jis(content)
    if named in _SEVEN_BIT and (text := _strictly(content, named)) is not None:
        return text
    return content.decode("ascii")


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _as_windows_writes_jis(content: bytes) -> str:
    """ISO-2022-JP with characters that the standard does not have, such as "①": they are those of code page 932."""
    parts: list[str] = []
    for found in _JAPANESE_PARTS.finditer(content):
        escape, escaped, plain = found.groups()
        if escape in (b"$@", b"$B"):
            parts.append(_shifted(escaped).decode("cp932", errors="replace"))
        elif escape == b"(I":
            parts.append(bytes(byte | 0x80 for byte in escaped).decode("cp932", errors="replace"))
        else:
            parts.append((escaped or plain or b"").decode("ascii", errors="replace"))
    return "".join(parts)


def _shifted(pairs: bytes) -> bytes:
    """Pairs of seven-bit JIS as Shift JIS; what is none becomes a question mark, a line's end stays one."""

    def shifted(found: re.Match[bytes]) -> bytes:
        end, pair = found.groups()
        if end or not _IN_JIS.fullmatch(pair):
            return bytes(end or b"?")
        row, cell = pair
        lower = (0x1F if cell < 0x60 else 0x20) if row % 2 else 0x7E
        return bytes([(row + 1) // 2 + (0x70 if row < 0x5F else 0xB0), cell + lower])

    return _PAIR.sub(shifted, pairs)


# What nobody named


def _guessed(content: bytes, named: str | None) -> str:
    """The text of bytes that are not in the character set named: Japanese if they look like it, else as the name says."""
    if named == "utf_8":
        damaged = content.decode("utf-8", errors="replace")
        if sum(char > "\x7f" for char in damaged) >= 2 * damaged.count("�"):
            return damaged  # some bytes were lost on the way
    sample = content[:_GUESSED_BYTES]
    shift_jis, euc = _likeness(sample, "cp932"), _likeness(sample, "euc_jp")
    if max(shift_jis, euc) > 0:
        return content.decode("cp932" if shift_jis >= euc else "euc_jp", errors="replace")
    if named in (None, "cp1252", *_SEVEN_BIT) and _ESCAPE_TO_JAPANESE.search(sample):
        return _as_windows_writes_jis(content)
    codec = named if named not in (None, "utf_8", *_SEVEN_BIT) else "cp1252"
    return content.decode(codec or "cp1252", errors="replace")


def _likeness(sample: bytes, codec: str) -> float:
    """How much bytes look like Japanese in `codec`: above nought if their pairs are the common ones of the language.

    Letters with accents are single high bytes between ASCII letters; read as pairs they give rare characters, or none.
    """
    text = sample.decode(codec, errors="replace")
    wide = [char for char in text if ord(char) > 0x7F]
    if not wide or text.rstrip("�").count("�") * 20 > len(wide):
        return 0.0
    score = 0.0
    for char in wide:
        if "぀" <= char <= "ヿ" or char in "、。「」・ー！？（）":
            score += 2
        elif "一" <= char <= "鿿":
            score += 1 if _is_common(char) else -0.5
        elif "｡" <= char <= "ﾟ" or char == "�":
            score -= 1
        elif "！" <= char <= "～" or char in _WINDOWS_SIGNS:
            score += 1
        else:
            score -= 0.5
    return score / len(wide) if score / len(wide) >= 0.5 else 0.0


_WINDOWS_SIGNS = frozenset("①②③④⑤⑥⑦⑧⑨⑩㈱㈲№℡〒→←↑↓※○●◎■□★☆〜～…‥")


def _is_common(char: str) -> bool:
    """True for a character of the first level of JIS X 0208, the one in daily use."""
    pair = char.encode("euc_jp", errors="replace")
    return len(pair) == 2 and 0xB0 <= pair[0] <= 0xCF
