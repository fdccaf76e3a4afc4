"""A message as it travels: RFC 5322 headers in ASCII (RFC 2047), MIME parts, lines that no server has to break.

Every header is ours. So it is written as it is to be read, without the parser that the library's newer interface has for each: that takes
most of the time of a mail.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.policy import Compat32
from quopri import encodestring
from urllib.parse import quote

from activities.channels.rendering import RenderedMail
from activities.channels.text import one_line
from domain.mail.reading import Attachment

_LINE = "\r\n"
_WIDTH = 78
_WORD_WIDTH = 76
"""of a line with encoded words, which have at most 75 characters"""
_MEDIA_TYPE = re.compile(r"(?:application|audio|font|image|text|video)/[A-Za-z0-9][A-Za-z0-9.+-]{0,80}")
"""What can be sent as it is; messages that came along are sent as files."""
_ANY = "application/octet-stream"
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
"""A name that needs no quotes."""
_LONG_WORD = re.compile(r"\S{61}")
_LONG_NAME = 60
_BREAKS = re.compile(r"\r(?!\n)|(?<!\r)\n|\n(?![ \t])|[\r\n]\Z")
"""Ends of lines that fold nothing."""
_PIECE = re.compile(r"(?:%..|[^%]){1,20}")
_CHARSET = "utf-8''"


class _Wire(Compat32):
    """Headers are stored as they travel."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if _BREAKS.search(value):
            raise ValueError(f"the header {name} would be several")
        return f"{name}: {value}{_LINE}".encode("ascii")


_POLICY = _Wire(linesep=_LINE, max_line_length=_WIDTH)


def words(name: str, value: str) -> str:
    """A header's text, on as many lines as it needs: in ASCII as it is, else as encoded words."""
    value = _readable(value)
    plain = value.isascii() and not _LONG_WORD.search(value)
    header = Header(value, "us-ascii" if plain else "utf-8", _WORD_WIDTH, header_name=name)
    return header.encode(splitchars=" ", linesep=_LINE)


def mailbox(name: str, display: str, address: str) -> str:
    """Somebody's name and address for the header `name`. address: in ASCII, see `wire_address`."""
    display = _readable(display)
    if not display:
        return address
    if not display.isascii() or len(display) > _LONG_NAME:
        said = Header(display, "utf-8", _WORD_WIDTH, header_name=name).encode(linesep=_LINE)
    elif _PLAIN_PHRASE.fullmatch(display):
        said = display
    else:
        said = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    last = said.rpartition(_LINE)[2] if _LINE in said else f"{name}: {said}"
    return f"{said}{' ' if len(last) + len(address) + 3 <= _WORD_WIDTH else f'{_LINE} '}<{address}>"


def one_piece(value: str) -> str:
    """An id, an address or a link, which no mail program finds again once it is broken."""
    return one_line(value).encode("ascii", "replace").decode("ascii")


def one_a_line(values: Sequence[str]) -> str:
    """Several such, of which each has a line of its own."""
    return f"{_LINE} ".join(map(one_piece, values))


def composed(
    headers: Mapping[str, str], rendered: RenderedMail, files: Sequence[tuple[Attachment, bytes]], seed: str
) -> bytes:
    """The message: text and page as alternatives, what goes along behind them.

    headers: as they travel. seed: by which a resend has the same boundaries, and so is the same, byte for byte.
    """
    alternatives = MIMEMultipart("alternative", policy=_POLICY)
    alternatives.attach(_text(rendered.text, "plain"))
    alternatives.attach(_text(rendered.html, "html"))
    whole: MIMEMultipart = alternatives
    if rendered.files or files:
        whole = MIMEMultipart("mixed", policy=_POLICY)
        whole.attach(alternatives)
        for page in rendered.files:
            whole.attach(_named(_text(page.html, "html"), page.name))
        for file, content in files:
            whole.attach(_named(_file(file.media_type, content), file.name))
    for number, part in enumerate(part for part in whole.walk() if part.is_multipart()):
        named = f"{seed}/{number}" if number else seed
        part.set_boundary(hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:30])
    for name, value in headers.items():
        whole[name] = value
    return whole.as_bytes(policy=_POLICY)


def _text(text: str, subtype: str) -> MIMEBase:
    """A text in as few ASCII characters as it takes; where both ways take about as many, in those that people can read as well."""
    part = MIMEBase("text", subtype, policy=_POLICY, charset="utf-8")
    if text.isascii() and all(len(line) <= _WIDTH for line in text.splitlines()):
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(text)
        return part
    lines = text.encode("utf-8", "replace").splitlines()
    readable = encodestring(b"\n".join(lines) + b"\n")
    whole = _LINE.encode().join([*lines, b""])
    if len(readable) <= len(whole) * 4 / 3:
        part["Content-Transfer-Encoding"] = "quoted-printable"
        part.set_payload(readable.decode("ascii"))
    else:
        part.set_payload(whole)
        encode_base64(part)
    return part


def _file(media_type: str, content: bytes) -> MIMEBase:
    maintype, _, subtype = (media_type if _MEDIA_TYPE.fullmatch(media_type) else _ANY).partition("/")
    part = MIMEBase(maintype, subtype, policy=_POLICY)
    part.set_payload(content)
    encode_base64(part)
    return part


def _named(part: MIMEBase, name: str) -> MIMEBase:
    """A part as a file of that name. One that is not plain and short is in pieces (RFC 2231)."""
    name = _readable(name)
    if name.isascii() and len(name) <= _LONG_NAME:
        part.add_header("Content-Disposition", "attachment", filename=name)
        return part
    pieces = _PIECE.findall(quote(name, safe=""))
    said = (f"filename*{n}*={'' if n else _CHARSET}{piece}" for n, piece in enumerate(pieces))
    part["Content-Disposition"] = f";{_LINE} ".join(["attachment", *said])
    return part


def _readable(value: str) -> str:
    """A text on one line, and never read as an encoded word by the recipient's mail program."""
    return one_line(value).replace("=?", "= ?")
