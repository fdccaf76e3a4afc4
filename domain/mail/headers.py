"""The headers of a received mail: encoded words, addresses and message ids, read however broken they are."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from email.message import Message
from email.utils import getaddresses

from domain.mail.charsets import decoded
from domain.mail.text import printable

_HEADER_LIMIT = 8_000
"""Characters of a header that are looked at."""
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_NO_PART = r"\x00-\x20\x7f-\x9f\xa0\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff\ud800-\udfff@<>,;:\"()\[\]\\"
_ADDRESS = re.compile(rf"[^{_NO_PART}]{{1,64}}@[^{_NO_PART}.]{{1,63}}(?:\.[^{_NO_PART}.]{{1,63}}){{0,10}}")
_BRACKETED = re.compile(rf"<({_ADDRESS.pattern})>")


class Headers:
    """The headers of a mail, decoded, each as far as it is of use."""

    def __init__(self, message: Message) -> None:
        self._found = [(name.lower(), str(value)) for name, value in message.raw_items()]

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> Headers:
        """Headers given as names with their values."""
        headers = cls(Message())
        headers._found = [(name.lower(), value) for name, value in fields]
        return headers

    def raw(self, name: str) -> list[str]:
        """The values of every header of that name (in lower case), unfolded and not decoded, as far as they are looked at."""
        return [" ".join(value[:_HEADER_LIMIT].split()) for found, value in self._found if found == name]

    def first(self, name: str) -> str | None:
        """The first header of that name, decoded; null if there is none."""
        return next((decoded_header(value) for value in self.raw(name)), None)

    def has(self, name: str) -> bool:
        """True if there is a header of that name."""
        return any(found == name for found, _ in self._found)


def split_mail(raw: bytes) -> tuple[bytes, bytes]:
    """The headers and the body of a mail, as they are."""
    head, *body = _HEADER_END.split(raw, maxsplit=1)
    return head, body[0] if body else b""


def header_fields(head: bytes) -> list[tuple[str, str]]:
    """The header lines, unfolded; what is no header is left out."""
    found: list[tuple[str, str]] = []
    for line in head.decode("utf-8", "surrogateescape").splitlines():
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif colon and name.strip() and not name.startswith((" ", "\t")):
            found.append((name.strip(), value.strip()))
    return found


def decoded_header(value: str) -> str:
    """Encoded words as text, on one line. Bytes that were never encoded are taken for UTF-8, then for what they may be."""
    try:
        value = value.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        value = decoded(value.encode("utf-8", "surrogateescape"), None)
    return " ".join(printable(_without_encoded_words(value)).split())


def _without_encoded_words(value: str) -> str:
    """RFC 2047 undone. Words of one character set are put together first: some programs cut between the bytes of a letter."""
    pieces: list[str] = []
    waiting: list[bytes] = []
    charset, end = "", 0
    for found in _ENCODED_WORD.finditer(value):
        between = value[end : found.start()]
        content = _word(found[2], found[3])
        if content is None:
            continue
        if waiting and (between.strip() or found[1].lower() != charset):
            pieces.append(decoded(b"".join(waiting), charset))
            waiting = []
        pieces += [between] if between.strip() or end == 0 else []
        charset, end = found[1].lower(), found.end()
        waiting.append(content)
    if waiting:
        pieces.append(decoded(b"".join(waiting), charset))
    return "".join([*pieces, value[end:]])


def _word(encoding: str, content: str) -> bytes | None:
    try:
        if encoding in "qQ":
            return binascii.a2b_qp(content.encode("ascii"), header=True)
        return binascii.a2b_base64(content.encode("ascii") + b"==")
    except ValueError:  # binascii.Error and UnicodeEncodeError are both of this kind
        return None


# Bytes that no header may have are carried through the standard library's reader as characters that nobody uses.
_CARRIED = {0xDC80 + byte: 0xE080 + byte for byte in range(0x80)}
_CARRIED_BACK = {0xE080 + byte: 0xDC80 + byte for byte in range(0x80)}


def parameter(value: str, name: str) -> str | None:
    """A parameter of a header such as `Content-Type`, decoded however its sender wrote it (RFC 2231, RFC 2047, raw bytes)."""
    message = Message()
    message["Content-Type"] = value[:_HEADER_LIMIT].translate(_CARRIED)
    try:
        found = message.get_param(name)
    except Exception:  # the standard library raises whatever comes to hand on broken parameters
        return None
    if isinstance(found, tuple):  # RFC 2231: character set, language, bytes
        charset, _, text = found
        return printable(decoded(text.encode("latin-1", errors="replace"), charset or "utf-8"))
    return decoded_header(found.translate(_CARRIED_BACK)) if isinstance(found, str) else None


def message_ids(value: str | None) -> list[str]:
    """The message ids in a header, with their angle brackets."""
    return _MESSAGE_ID.findall(value or "")


def addresses_in(values: list[str]) -> list[tuple[str, str]]:
    """Name and address, in lower case, of everybody whom headers name. Never raises."""
    try:
        pairs = getaddresses(values)
    except Exception:
        pairs = []
    found = [(decoded_header(name), address.lower()) for name, address in pairs if _ADDRESS.fullmatch(address)]
    if found:
        return found
    said = " ".join(values)
    return [("", address.lower()) for address in _BRACKETED.findall(said) or _ADDRESS.findall(said)]
