"""Outlook's wrapper, `winmail.dat`: the words and files in it."""

from __future__ import annotations

import logging
from typing import Any

from tnefparse import TNEF

from domain.mail.charsets import decoded
from domain.mail.pages import text_of_html
from domain.mail.parts import Leaf
from domain.mail.text import printable

_SIZE_LIMIT = 20_000_000
_COPIED_LIMIT = 400_000_000
"""Bytes that the reader copies: for each object of the wrapper it copies all that follows."""
_FILES_LIMIT = 100

logging.getLogger("tnefparse").setLevel(logging.CRITICAL)  # it says of each odd byte that it is odd


def is_wrapper(leaf: Leaf) -> bool:
    """True for a file in Outlook's own format."""
    return leaf.media_type in ("application/ms-tnef", "application/vnd.ms-tnef") or leaf.name.lower() == "winmail.dat"


def opened(leaf: Leaf) -> list[Leaf]:
    """The words and files in a wrapper; the wrapper itself as a file if it cannot be read, or not in short time."""
    if len(leaf.content) > _SIZE_LIMIT or _copied(leaf.content) > _COPIED_LIMIT:
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


def _copied(content: bytes) -> int:
    """How many bytes the reader would copy for this wrapper."""
    offset, copied = 6, 0
    while offset + 12 < len(content) and copied <= _COPIED_LIMIT:
        copied += len(content) - offset
        offset += int.from_bytes(content[offset + 5 : offset + 9], "little") + 11
    return copied


def _words(wrapper: Any) -> list[Leaf]:
    if (body := _text(wrapper.body)).strip():
        return [Leaf("", "text/plain", b"", printable(body))]
    page = _text(wrapper.htmlbody)
    return [Leaf("", "text/html", b"", printable(text_of_html(page)))] if page else []


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
