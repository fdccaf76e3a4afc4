"""Outlook's wrapper, `winmail.dat`: the words and files in it."""

from __future__ import annotations

import logging
from typing import Any

from tnefparse import TNEF

from domain.mail.charsets import decoded
from domain.mail.mime_parts import Leaf
from domain.mail.pages import text_of_html
from domain.mail.rtf import text_of_rtf, unpacked
from domain.mail.text import printable

_SIZE_LIMIT = 20_000_000
_WORK_LIMIT = 400_000_000
"""What a wrapper may cost its reader, in bytes copied: for each object it copies all that follows, and it believes every count."""
_DEPTH_LIMIT = 10
_PROPERTIES, _RECIPIENTS, _ATTACHMENT = 0x9003, 0x9004, 0x9005
_FIXED = {0x02: 2, 0x0B: 2, 0x03: 4, 0x04: 4, 0x0A: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x14: 8, 0x40: 8, 0x48: 16}
_LONG = (0x00, 0x0D, 0x1E, 0x1F, 0x0102)
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
"""How a property begins that holds a whole message, in a wrapper of its own."""
_FILES_LIMIT = 100

logging.getLogger("tnefparse").setLevel(logging.CRITICAL)  # it says of each odd byte that it is odd


def is_wrapper(leaf: Leaf) -> bool:
    """True for a file in Outlook's own format."""
    return leaf.media_type in ("application/ms-tnef", "application/vnd.ms-tnef") or leaf.name.lower() == "winmail.dat"


def opened(leaf: Leaf) -> list[Leaf]:
    """The words and files in a wrapper; the wrapper itself as a file if it cannot be read, or not in short time."""
    if len(leaf.content) > _SIZE_LIMIT or _work(leaf.content) > _WORK_LIMIT:
        return [leaf]
    try:
        wrapper = TNEF(leaf.content, do_checksum=False)
        words = _words(wrapper)
        found = [*words, *(_file(one) for one in wrapper.attachments[:_FILES_LIMIT])]
        if not words and wrapper.has_body():
            found.append(leaf)  # its words are there in a format of its own only
    except Exception:  # the library is not made for wrappers that are broken
        return [leaf]
    return [one for one in found if one.text or one.content] or [leaf]


def _work(content: bytes, depth: int = 0) -> int:
    """What the reader would do for this wrapper; more than the limit if that cannot be told."""
    offset, work = 6, 0 if depth < _DEPTH_LIMIT else _WORK_LIMIT + 1
    while offset + 12 < len(content) and work <= _WORK_LIMIT:
        work += len(content) - offset
        name, size = _number(content, offset + 1, 2), _number(content, offset + 5)
        data = content[offset + 9 : offset + 9 + size]
        offset += size + 11
        if name in (_PROPERTIES, _ATTACHMENT):
            work += _work_of_properties(data, 0, depth)[1]
        elif name == _RECIPIENTS:
            work += _work_of_rows(data, depth)
    return work


def _work_of_rows(data: bytes, depth: int) -> int:
    rows = _number(data, 0)
    offset, work = 4, rows * 100
    while rows and work <= _WORK_LIMIT:
        offset, more = _work_of_properties(data, offset, depth)
        work += more if offset <= len(data) else _WORK_LIMIT + 1
        rows -= 1
    return work


def _work_of_properties(data: bytes, offset: int, depth: int) -> tuple[int, int]:
    """Where a list of properties ends, beyond the data if it is cut short, and what reading it costs."""
    count = _number(data, offset)
    offset, work = offset + 4, count * 100
    while count and offset < len(data) and work <= _WORK_LIMIT:
        kind, name = _number(data, offset, 2), _number(data, offset + 2, 2)
        offset += 4
        if name >= 0x8000:  # a named one: by number, or by words
            offset += 24 if not _number(data, offset + 16) else 24 + _padded(_number(data, offset + 20))
        many = bool(kind & 0x1000)
        kind &= ~0x1000
        values = _number(data, offset) if many or kind in _LONG else 1
        offset += 4 if many or kind in _LONG else 0
        work += values * 200
        if kind in _FIXED:
            offset += _padded(values * _FIXED[kind])
        elif kind in _LONG:
            while values and offset < len(data) and work <= _WORK_LIMIT:
                size = _number(data, offset)
                if data.startswith(_MESSAGE, offset + 4):
                    work += _work(data[offset + 4 + len(_MESSAGE) : offset + 4 + size], depth + 1)
                offset += 4 + _padded(size)
                values -= 1
        else:
            return len(data) + 1, work  # the reader stops here
        count -= 1
    return offset + count, work


def _number(data: bytes, offset: int, size: int = 4) -> int:
    return int.from_bytes(data[offset : offset + size], "little")


def _padded(size: int) -> int:
    return size + -size % 4


def _words(wrapper: Any) -> list[Leaf]:
    if (body := _text(wrapper.body)).strip():
        return [Leaf("", "text/plain", b"", printable(body))]
    if page := _text(wrapper.htmlbody):
        return [Leaf("", "text/html", b"", printable(text_of_html(page)))]
    rich = wrapper._rtfbody  # as it came: what unpacks it in the library is not installed
    said = printable(text_of_rtf(unpacked(rich))) if isinstance(rich, bytes) else ""
    return [Leaf("", "text/rtf", b"", said)] if said.strip() else []


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        return decoded(value.rstrip(b"\x00"), None)
    return value.rstrip("\x00") if isinstance(value, str) else ""


def _file(attachment: Any) -> Leaf:
    name = _text(attachment.long_filename()) or _text(attachment.name)
    data = attachment.data
    if isinstance(data, list):
        data = data[0] if data else b""
    return Leaf(" ".join(name.split())[:200], "application/octet-stream", data if isinstance(data, bytes) else b"")
