"""The words of a received mail: bytes of any character set, HTML as text, and what the sender wrote without what they quote."""

from __future__ import annotations

import codecs
import re
from html import unescape

TEXT_LIMIT = 100_000
"""Characters of text that are kept; the mail itself is kept whole."""

# What senders call a character set, and the wider one that they mean.
_MEANT = {
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-2022-jp": "iso2022_jp_ext",
}
_ESCAPE_TO_JAPANESE = re.compile(rb"\x1b(\$[@B]|\(J|\$\(D)")
_JAPANESE_PARTS = re.compile(rb"\x1b(\$[@B]|\([BJI])([^\x1b]*)|([^\x1b]+)|\x1b")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]+")
_LINE_ENDS = re.compile("\r\n?|\x85|\u2028|\u2029")


def decoded(content: bytes, charset: str | None) -> str:
    """`content` as text, whatever its sender said of it: the character set named, then UTF-8, then a guess. Never raises."""
    named = _known(charset)
    japanese = named == "iso2022_jp_ext" or (charset_is_vague(charset) and _ESCAPE_TO_JAPANESE.search(content))
    for name in ("iso2022_jp_ext" if japanese else None, None if charset_is_vague(charset) else named):
        if name is not None:
            try:
                return content.decode(name)
            except (UnicodeError, ValueError):
                continue
    if japanese:
        return _decoded_as_windows_writes_it(content)
    try:
        return content.decode("utf-8")
    except UnicodeError:
        return content.decode(named or "cp1252", errors="replace")


def _decoded_as_windows_writes_it(content: bytes) -> str:
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
    """Pairs of seven-bit JIS as Shift JIS; what is none becomes a question mark."""
    shifted = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=False):
        if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
            shifted.append(0x3F)
            continue
        shifted.append((row + 1) // 2 + (0x70 if row < 0x5F else 0xB0))
        shifted.append(cell + (0x1F if cell < 0x60 else 0x20) if row % 2 else cell + 0x7E)
    return bytes(shifted)


def charset_is_vague(charset: str | None) -> bool:
    """True if a mail says nothing about its character set, or only that it is ASCII."""
    return charset is None or charset.strip("\"' ").lower() in {"", "us-ascii", "ascii", "unknown-8bit"}


def _known(charset: str | None) -> str | None:
    name = (charset or "").strip("\"' ").lower()
    name = _MEANT.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):  # a null byte in the name is a ValueError
        return None
    # rot13, base64 and their like are codecs too, but no character sets.
    return found.name if getattr(found, "_is_text_encoding", True) else None


def printable(text: str) -> str:
    """`text` as a database, a terminal and a mail can carry it: lines end with a line feed, no controls, no lone surrogates."""
    return _UNPRINTABLE.sub("", _LINE_ENDS.sub("\n", text))[:TEXT_LIMIT]


# HTML

_SILENT = frozenset({"script", "style", "title", "template"})
_BLOCKS = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"}
)
# No part of the pattern runs past the next "<", so that broken pages cost no more time than whole ones.
_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*)>|<[!?][^<>]*>|([^<]+|<)")
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_QUOTES = re.compile(r"\b(gmail_quote|moz-cite|yahoo_quoted|divRplyFwdMsg)", re.IGNORECASE)


class _Page:
    """Collects the text of a page: a line for each block, quoted blocks marked with ">"."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._silent: str | None = None
        self._quoted: list[str] = []

    def opens(self, tag: str, attributes: str) -> None:
        if tag in _SILENT:
            self._silent = self._silent or tag
        elif tag == "blockquote" or (tag == "div" and (self._quoted or _QUOTES.search(attributes))):
            self._quoted.append(tag)
        if tag in _BLOCKS:
            self._break()

    def closes(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = None
        elif self._quoted and tag == self._quoted[-1]:
            self._quoted.pop()
        if tag in _BLOCKS:
            self._break()

    def says(self, text: str) -> None:
        if self._silent is None:
            self._parts.append(_SPACES.sub(" ", unescape(text).replace("\n", " ")))

    def _break(self) -> None:
        self._parts.append("\n> " if self._quoted else "\n")

    def text(self) -> str:
        lines = (line.strip() for line in "".join(self._parts).split("\n"))
        return _BLANK_LINES.sub("\n\n", "\n".join("" if line == ">" else line for line in lines)).strip()


def text_of_html(source: str) -> str:
    """The words of an HTML page, a line for each block; what it quotes begins with ">". Never raises."""
    page = _Page()
    for found in _TOKEN.finditer(_without_comments(source[: 4 * TEXT_LIMIT])):
        closing, tag, attributes, said = found.groups()
        if said:
            page.says(said)
        elif tag and closing:
            page.closes(tag.lower())
        elif tag:
            page.opens(tag.lower(), attributes)
    return page.text()


def _without_comments(source: str) -> str:
    parts = []
    begin = 0
    while (opening := source.find("<!--", begin)) >= 0:
        parts.append(source[begin:opening])
        closing = source.find("-->", opening + 4)
        if closing < 0:
            return "".join(parts)
        begin = closing + 3
    return "".join([*parts, source[begin:]])


# What is quoted

_INTRODUCES = (
    re.compile(r"On\s.{5,300}\swrote:\s*", re.IGNORECASE | re.DOTALL),
    re.compile(r"Am\s.{5,300}\sschrieb\b.{0,200}:\s*", re.IGNORECASE | re.DOTALL),
    re.compile(r"Le\s.{5,300}\sa écrit\s*:\s*", re.IGNORECASE | re.DOTALL),
    re.compile(r"El\s.{5,300}\sescribió:\s*", re.IGNORECASE | re.DOTALL),
    re.compile(r"Il\s.{5,300}\sha scritto:\s*", re.IGNORECASE | re.DOTALL),
    re.compile(r"\d{4}年\d{1,2}月\d{1,2}日.{0,200}[::]\s*", re.DOTALL),
    re.compile(r"\d{4}[/-]\d{1,2}[/-]\d{1,2}.{1,200}<[^<>\s]+@[^<>\s]+>.{0,20}[::]\s*", re.DOTALL),
    re.compile(
        r"-{2,}\s*(Original Message|Ursprüngliche Nachricht|Message d'origine|元のメッセージ|Forwarded message)\s*-{2,}"
    ),
    re.compile(r"_{20,}"),
)
_HEADER_BLOCK = re.compile(r"(From|Von|De|差出人|Da)\s*[::]\s*\S")
_HEADER_NEXT = re.compile(r"(Sent|Date|Gesendet|Datum|Envoyé|Enviado|送信日時|日時|Inviato|To|An|宛先)\s*[::]")
_SIGNATURE = re.compile(r"--\s?")
_MARK = re.compile(r"[>》]")
_INTRODUCTION_LINES = 3
_LINE_LIMIT = 1000
_LINES_LIMIT = 2000


def without_quotes(text: str) -> str:
    """What the sender wrote themselves: without the mail they answer, and without their signature.

    An answer below or between quoted lines stays. Where nothing would be left, the text is given as it is.
    """
    lines = text.split("\n")
    if (cut := _quote_begins(lines)) is not None and any(line.strip() for line in lines[:cut]):
        lines = lines[:cut]
    lines = [line for line in _without_signature(lines) if not _MARK.match(line.lstrip())]
    lines = _without_introductions(lines)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip() or text.strip()


def _quote_begins(lines: list[str]) -> int | None:
    """The first line of a quotation after which nothing of the sender's own follows."""
    for number, line in enumerate(lines[:_LINES_LIMIT]):
        stripped = line.strip()
        header = _HEADER_BLOCK.match(stripped[:_LINE_LIMIT]) and any(
            _HEADER_NEXT.match(below.strip()[:_LINE_LIMIT]) for below in lines[number + 1 : number + 4]
        )
        if header:
            return number
        length = _introduction(lines, number)
        if length and not _answered_below(lines[number + length : number + _LINES_LIMIT]):
            return number
    return None


def _introduction(lines: list[str], number: int) -> int:
    """How many lines from `number` on introduce a quotation; programs break such a sentence at will."""
    if not lines[number].strip():
        return 0
    for length in range(1, _INTRODUCTION_LINES + 1):
        said = " ".join(line.strip()[:_LINE_LIMIT] for line in lines[number : number + length]).strip()
        if any(pattern.fullmatch(said) for pattern in _INTRODUCES):
            return length
    return 0


def _answered_below(rest: list[str]) -> bool:
    """True if quoted lines are followed by others: the sender answers below them."""
    quoted = False
    for line in _without_signature(rest):
        if _MARK.match(line.lstrip()):
            quoted = True
        elif line.strip() and quoted:
            return True
    return False


def _without_introductions(lines: list[str]) -> list[str]:
    kept: list[str] = []
    number = 0
    while number < len(lines):
        length = _introduction(lines, number) if number < _LINES_LIMIT else 0
        if not length:
            kept.append(lines[number])
        number += length or 1
    return kept


def _without_signature(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if number and _SIGNATURE.fullmatch(line):
            return lines[:number]
    return lines
