"""Outlook's wrapper, `winmail.dat` (MS-OXTNEF): the words and files in it, in time that grows with its length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from domain.mail.charsets import decoded
from domain.mail.mime_parts import Leaf
from domain.mail.pages import text_of_html
from domain.mail.rtf import text_of_rtf, unpacked
from domain.mail.text import printable

_SIGNATURE = b"\x78\x9f\x3e\x22"
_FILES_LIMIT = 100
# Objects of a wrapper.
_WORDS, _FILE_DATA, _FILE_NAME, _FILE_BEGINS, _PROPERTIES, _FILE_PROPERTIES = (
    0x800C, 0x800F, 0x8010, 0x9002, 0x9003, 0x9005,
)  # fmt: skip
# Properties: of the message, and of a file.
_BODY, _RICH, _PAGE, _CODEPAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_DISPLAYED, _DATA, _SHORT_NAME, _LONG_NAME = 0x3001, 0x3701, 0x3704, 0x3707
_SIZES = {0x02: 2, 0x0B: 2, 0x03: 4, 0x04: 4, 0x0A: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x14: 8, 0x40: 8, 0x48: 16}
"""Bytes of a value, by its type; other types say how long each value is."""
_UNICODE, _MANY, _NAMED = 0x1F, 0x1000, 0x8000
_LONG = (0x00, 0x0D, 0x1E, _UNICODE, 0x0102)
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
"""How a property begins that holds a whole message, in a wrapper of its own."""

Values = dict[int, bytes]


def is_wrapper(leaf: Leaf) -> bool:
    """True for a file in Outlook's own format."""
    return leaf.media_type in ("application/ms-tnef", "application/vnd.ms-tnef") or leaf.name.lower() == "winmail.dat"


def opened(leaf: Leaf) -> list[Leaf]:
    """The words and files in a wrapper; the wrapper itself as a file if nothing of it can be read, or not all of it."""
    if not leaf.content.startswith(_SIGNATURE):
        return [leaf]
    message: Values = {}
    files: list[Values] = [{}]  # what stands before the first file belongs to none
    for name, value in _objects(leaf.content):
        if name == _FILE_BEGINS:
            files.append({})
        elif name == _PROPERTIES:
            message |= _properties(value)
        elif name == _FILE_PROPERTIES:
            files[-1] |= _properties(value)
        elif name == _WORDS:
            message[_BODY] = value
        elif name in (_FILE_DATA, _FILE_NAME):
            files[-1][_DATA if name == _FILE_DATA else _SHORT_NAME] = value
    if any(one.get(_DATA, b"").startswith(_MESSAGE) for one in files):
        return [leaf]
    written = (Leaf("", kind, b"", printable(said)) for kind, said in _versions(message) if said.strip())
    words = list(islice(written, 1))
    unread = [leaf] if not words and message.keys() & {_BODY, _PAGE, _RICH} else []
    found = [*words, *map(_file, files[1 : _FILES_LIMIT + 1]), *unread]
    return [one for one in found if one.text or one.content] or [leaf]


def _objects(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each object by its name: level, name, type, length, data and checksum follow each other."""
    at = 6
    while at + 12 < len(content):
        size = _number(content, at + 5)
        yield _number(content, at + 1, 2), content[at + 9 : at + 9 + size]
        at += size + 11


def _properties(data: bytes) -> Values:
    """The values of a list of properties, as far as it goes: a count that promises more than follows is not believed.

    Of several values the first counts. What is in Unicode says so by its first bytes.
    """
    found: Values = {}
    at = 4
    for _ in range(min(_number(data, 0), len(data) // 4)):
        kind, name = _number(data, at, 2), _number(data, at + 2, 2)
        at += 4
        if name >= _NAMED:  # by number, or by words
            at += 24 if not _number(data, at + 16) else 24 + _padded(_number(data, at + 20))
        many, kind = kind & _MANY, kind & ~_MANY
        values = _number(data, at) if many or kind in _LONG else 1
        at += 4 if many or kind in _LONG else 0
        if kind in _SIZES:
            found[name] = data[at : at + _SIZES[kind]]
            at += _padded(values * _SIZES[kind])
            continue
        for _ in range(min(values, len(data) // 4) if kind in _LONG else 0):
            size = _number(data, at)
            value = data[at + 4 : at + 4 + size]
            found.setdefault(
                name, value.decode("utf-16-le", "replace").encode("utf-8-sig") if kind == _UNICODE else value
            )
            at += 4 + _padded(size)
        if kind not in _LONG or at >= len(data):
            break
    return found


def _number(data: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _padded(size: int) -> int:
    return size + -size % 4


def _versions(message: Values) -> Iterator[tuple[str, str]]:
    """Its words in each way in which they may be written, the plainest first."""
    charset = f"cp{_number(message.get(_CODEPAGE, b''), 0)}"
    yield "text/plain", _text(message.get(_BODY), charset)
    yield "text/html", text_of_html(_text(message.get(_PAGE), charset))
    yield "text/rtf", text_of_rtf(unpacked(message.get(_RICH, b"")))


def _text(value: bytes | None, charset: str) -> str:
    return decoded(value.rstrip(b"\0"), charset).rstrip("\0") if value else ""


def _file(properties: Values) -> Leaf:
    names = (_text(properties.get(one), "utf-8") for one in (_LONG_NAME, _SHORT_NAME, _DISPLAYED))
    name = next((one for one in names if one), "")
    return Leaf(" ".join(name.split())[:200], "application/octet-stream", properties.get(_DATA, b""))
