"""Headers and parts of a message against the library's readers, which share nothing with whoever wrote them."""

from __future__ import annotations

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import MIMEPart
from email.policy import default
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.channels.composing import composed, mailbox, one_a_line, words
from activities.channels.rendering import RenderedFile, RenderedMail
from activities.channels.text import one_line
from domain.mail.reading import Attachment
from tests.properties import examples

TEXTS = st.text(
    st.characters(codec="utf-8") | st.sampled_from(',;:<>@"\\()[]=?_\r\n\t 田中太郎\u3000é😀.-'), max_size=200
)
LONG = st.text(st.sampled_from("abcdef "), min_size=60, max_size=400)


def read(wire: bytes, name: str) -> str:
    """A header as it came, in one line."""
    return str(message_from_bytes(wire)[name]).replace("\r\n", "").replace("\n", "")


def text_in(part: MIMEPart) -> str:
    """What a part says; lines end as MIME has them."""
    return str(part.get_content()).replace("\r\n", "\n")


def squeezed(text: str) -> str:
    return " ".join(one_line(text).replace("=?", "= ?").split())


@given(text=TEXTS | LONG)
@examples(300)
def test_a_subject_is_read_as_it_was_written_on_lines_of_78(text: str) -> None:
    wire = f"Subject: {words('Subject', text)}\r\n\r\n".encode("ascii")
    assert squeezed(str(make_header(decode_header(read(wire, "Subject"))))) == squeezed(text)
    assert max(map(len, wire.splitlines())) <= (76 if b"=?" in wire else 78)


@given(name=TEXTS | LONG)
@examples(300)
def test_a_name_is_read_as_it_was_written_and_the_address_beside_it(name: str) -> None:
    wire = f"To: {mailbox('To', name, 'hanako@capricorn.example')}\r\n\r\n".encode("ascii")
    [(shown, address)] = getaddresses([read(wire, "To")])
    assert squeezed(str(make_header(decode_header(shown)))) == squeezed(name)
    assert address == "hanako@capricorn.example"
    assert max(map(len, wire.splitlines())) <= (76 if b"=?" in wire else 78)


@given(name=TEXTS, content=st.binary(max_size=300), text=TEXTS)
@examples(150)
def test_files_come_along_whole_under_their_names(name: str, content: bytes, text: str) -> None:
    file = Attachment(name=f"a{name}.pdf", media_type="application/pdf", size=len(content))
    page = RenderedFile("見積書 Q-1.html", "<p>￥1,380,000</p>\n")
    rendered = RenderedMail("Hello", f"a{text}\n", "<p>é</p>\n", "en", (page,))
    wire = composed({"Subject": "Hello", "Content-Language": "en"}, rendered, [(file, content)], "journey:C-1/x")
    assert wire == composed(
        {"Subject": "Hello", "Content-Language": "en"}, rendered, [(file, content)], "journey:C-1/x"
    )
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    message = message_from_bytes(wire, policy=default)
    assert message["Content-Language"] == "en", "also of a mail that something goes along with"
    alternatives, paper, came = message.iter_parts()
    plain, html = alternatives.iter_parts()
    assert text_in(plain).split() == f"a{text}".encode("utf-8", "replace").decode().split()
    assert text_in(html) == "<p>é</p>\n"
    assert (paper.get_filename(), text_in(paper)) == (page.name, page.html)
    assert came.get_content() == content
    assert squeezed(str(came.get_filename())) == squeezed(file.name)
    assert not [part.defects for part in message.walk() if part.defects]


@pytest.mark.parametrize("text", ["x" * 2000, "word " * 400, "é" * 2000, "<td>" * 500 + "\n.\nFrom me\n", " \n\t\n"])
def test_no_line_is_longer_than_servers_take(text: str) -> None:
    wire = composed({}, RenderedMail("", text + "\n", text + "\n", "en"), [], "x")
    assert max(map(len, wire.split(b"\r\n"))) <= 78
    plain, _ = message_from_bytes(wire, policy=default).iter_parts()
    assert text_in(plain).rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("value", ["a\r\nBcc: b", "a\nb", "a\rb", "a\r\n"])
def test_a_header_that_would_be_several_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="the header X would be several"):
        composed({"X": value}, RenderedMail("", "a\n", "a\n", "en"), [], "x")


def test_an_id_from_outside_adds_no_header() -> None:
    said = one_a_line(["<a@b>", "<c@d>\r\nBcc: everybody@capricorn.example", "<ü@b>"])
    assert said.split("\r\n") == ["<a@b>", " <c@d> Bcc: everybody@capricorn.example", " <?@b>"]
