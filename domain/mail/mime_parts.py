"""The parts of a received mail: which of them are its words, which are files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from domain.mail.charsets import decoded
from domain.mail.headers import Headers, parameter
from domain.mail.pages import text_of_html
from domain.mail.text import printable, unflowed

DEPTH_LIMIT = 20
PARTS_LIMIT = 200
_READ_BYTES = 8_000_000
"""Of a part of text; what is kept of it fills far less."""
_TINY = 200
"""A plain version of fewer characters than this may only say that there is a page to read."""


@dataclass(frozen=True)
class Leaf:
    """A part without parts of its own: words (`text` is not null), or a file. `headed` says whose words they are, if not the sender's."""

    name: str
    media_type: str
    content: bytes
    text: str | None = None
    headed: str = ""


def leaves(message: Message) -> list[Leaf]:
    """The words and files of a mail, in order. Of alternatives the plainest that says something is its words."""
    found: list[Leaf] = []
    for leaf in _walk(message, 0):
        if len(found) == PARTS_LIMIT:
            break
        found.append(leaf)
    return found


def media_type(part: Message) -> str:
    """The type of a part, such as "text/plain"."""
    try:
        return printable(part.get_content_type())[:100]
    except Exception:
        return "application/octet-stream"


def inner_parts(part: Message) -> list[Message]:
    """The parts of a part."""
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def all_parts(part: Message, depth: int = 0) -> Iterator[Message]:
    """A part and everything in it, but for what is in messages that came along."""
    yield part
    if depth < DEPTH_LIMIT and media_type(part).startswith("multipart/"):
        for inner in inner_parts(part):
            yield from all_parts(inner, depth + 1)


def content_of(part: Message) -> bytes:
    """What a part holds, decoded; a message as it is written."""
    try:
        payload = part.get_payload(decode=True)
    except Exception:
        payload = None
    if isinstance(payload, bytes):
        return payload
    try:
        return b"".join(one.as_bytes() for one in inner_parts(part))
    except Exception:
        return b""


def text_of(part: Message) -> str:
    """The words of a part of text."""
    kind = _header(part, "content-type")
    text = decoded(_beginning(content_of(part), _READ_BYTES), parameter(kind, "charset"))
    if media_type(part) == "text/html":
        return printable(text_of_html(text))
    if (parameter(kind, "format") or "").lower() == "flowed":
        return unflowed(text, delete_space=(parameter(kind, "delsp") or "").lower() == "yes")
    return printable(text)


def _walk(part: Message, depth: int) -> Iterator[Leaf]:
    kind, inner = media_type(part), inner_parts(part)
    if kind == "message/rfc822" and inner and depth < DEPTH_LIMIT:
        yield from _message(part, inner[0], depth)
    elif not inner or not kind.startswith("multipart/") or depth >= DEPTH_LIMIT:
        yield _leaf(part)
    elif kind == "multipart/alternative":
        yield from _alternatives(inner, depth)
    else:
        for one in inner:
            yield from _walk(one, depth + 1)


def _alternatives(inner: list[Message], depth: int) -> Iterator[Leaf]:
    """The words of one version, and the files of all: some programs put pictures into the version that is a page."""
    versions = [[*_walk(one, depth + 1)] for one in inner]
    written = [version for version in versions if _words(version)]
    chosen = _chosen(written) if written else (versions[0] if versions else [])
    yield from chosen
    seen = {(leaf.name, leaf.content) for leaf in chosen}
    for version in versions:
        if version is not chosen:
            yield from (leaf for leaf in version if leaf.text is None and (leaf.name, leaf.content) not in seen)


def _chosen(versions: list[list[Leaf]]) -> list[Leaf]:
    plain = next((version for version in versions if version[0].media_type == "text/plain"), None)
    richest = max(versions, key=lambda version: len(_words(version)))
    if plain is None:
        return versions[-1]
    only_points_at_it = len(_words(plain)) < _TINY and len(_words(richest)) > 3 * len(_words(plain)) + _TINY
    return richest if only_points_at_it else plain


def _beginning(content: bytes, limit: int) -> bytes:
    """`content`, or its lines within the limit: no character is cut."""
    end = content.rfind(b"\n", 0, limit) if len(content) > limit else 0
    return content[:end] if end > 0 else content


def _words(version: list[Leaf]) -> str:
    return "".join(leaf.text or "" for leaf in version).strip()


def _message(part: Message, message: Message, depth: int) -> Iterator[Leaf]:
    """A message that came along: a file, and its words and files too."""
    headers = Headers(message)
    subject, sender = headers.first("subject") or "", headers.first("from") or ""
    name = _name(part) or (f"{subject}.eml" if subject else "message.eml")
    yield Leaf(name, "message/rfc822", content_of(part))
    for leaf in _walk(message, depth + 1):
        about = ", ".join(one for one in (subject, f"from {sender}" if sender else "") if one)
        yield (
            leaf
            if leaf.text is None or leaf.headed
            else Leaf(leaf.name, leaf.media_type, b"", leaf.text, about or "a message")
        )


def _leaf(part: Message) -> Leaf:
    kind, name = media_type(part), _name(part)
    disposition = _header(part, "content-disposition")
    attached = disposition.partition(";")[0].strip().lower() == "attachment" or (bool(disposition) and name is not None)
    if kind in ("text/plain", "text/html") and not attached:
        return Leaf("", kind, b"", text_of(part))
    return Leaf(name or "", kind, content_of(part))


def _name(part: Message) -> str | None:
    for header, name in (("content-disposition", "filename"), ("content-type", "name")):
        if found := parameter(_header(part, header), name):
            return " ".join(found.split())[:200] or None
    return None


def _header(part: Message, name: str) -> str:
    return next(iter(Headers(part).raw(name)), "")
