"""Outlook's wrapper: what is in it, and the wrapper itself where it cannot be read in short time."""

from __future__ import annotations

import base64
import time

from domain.mail.reading import files_of, read_mail
from domain.mail.rtf import unpacked

SIGNATURE = bytes.fromhex("789f3e220100")


def attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
    """One object of the format: level, name, type, length, data, checksum."""
    head = bytes([level]) + name.to_bytes(2, "little") + kind.to_bytes(2, "little") + len(data).to_bytes(4, "little")
    return head + data + (sum(data) & 0xFFFF).to_bytes(2, "little")


def wrapper(*parts: bytes) -> bytes:
    codepage = attribute(1, 0x9007, 6, (1252).to_bytes(4, "little") + bytes(4))
    return SIGNATURE + codepage + b"".join(parts) + attribute(1, 0x8008, 7, b"IPM.Note\x00")


def mail(content: bytes, words: str = "") -> bytes:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return (
        b"From: Jo <jo@acme.example>\r\nSubject: Quote\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + words.encode() + b"\r\n--b\r\n"
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + encoded
        + b"--b--\r\n"
    )


def test_words_and_files_are_taken_out() -> None:
    body = attribute(1, 0x800C, 2, b"Prices are attached." + b"\x00")
    file = (
        attribute(2, 0x9002, 6, bytes(14))
        + attribute(2, 0x8010, 1, b"prices.csv\x00")
        + attribute(2, 0x800F, 6, b"a,b\n")
    )
    raw = mail(wrapper(body, file))
    found = read_mail(raw)
    assert found.text == "Prices are attached."
    assert [(one.name, one.size) for one in found.attachments] == [("prices.csv", 4)]
    assert [(one.name, content) for one, content in files_of(raw)] == [("prices.csv", b"a,b\n")]


def test_what_cannot_be_opened_stays_a_file() -> None:
    for content in (b"", b'x\x9f>"\x1d', SIGNATURE, SIGNATURE + b"\xff" * 40, wrapper(b"\x02\x0f\x80" + b"\xff" * 30)):
        found = read_mail(mail(content, "See the file."))
        assert found.text == "See the file."
        assert [one.name for one in found.attachments] == ["winmail.dat"]


def test_one_made_to_keep_its_reader_busy_does_not() -> None:
    began = time.process_time()
    found = read_mail(mail(SIGNATURE + attribute(1, 0x8000, 0, b"") * 300_000))
    assert time.process_time() - began < 15
    assert [one.name for one in found.attachments] == ["winmail.dat"]


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little")


def words(name: int, text: str) -> bytes:
    """A property that is text."""
    content = (text + "\0").encode("utf-16-le")
    return number(0x1F, 2) + number(name, 2) + number(1) + number(len(content)) + content + bytes(-len(content) % 4)


def test_counts_that_promise_more_than_follows_are_not_believed() -> None:
    most = b"\xff" * 4
    many_integers = number(1) + number(0x1003, 2) + number(0x0E08, 2) + most
    promised = [
        attribute(1, 0x9003, 6, most + bytes(8)),
        attribute(1, 0x9003, 6, many_integers),
        attribute(1, 0x9004, 6, most + bytes(8)),
        attribute(1, 0x9004, 6, number(1) + most),
        attribute(2, 0x9002, 6, bytes(14)) + attribute(2, 0x9005, 6, most + bytes(8)),
    ]
    message = bytes.fromhex("0703020000000000c000000000000046") + wrapper(attribute(1, 0x9003, 6, most + bytes(8)))
    held = number(1) + number(0x0D, 2) + number(0x3701, 2) + number(1) + number(len(message)) + message
    promised.append(attribute(2, 0x9002, 6, bytes(14)) + attribute(2, 0x9005, 6, held))
    for one in promised:
        began = time.process_time()
        found = read_mail(mail(wrapper(one), "See the file."))
        assert time.process_time() - began < 5
        assert found.text == "See the file."
        assert [file.name for file in found.attachments] == ["winmail.dat"]


def test_properties_of_a_usual_wrapper_are_read() -> None:
    body = attribute(
        1,
        0x9003,
        6,
        number(3)
        + number(0x0B, 2)
        + number(0x0E1F, 2)
        + bytes(4)
        + words(0x0037, "Till")
        + words(0x1000, "It is down."),
    )
    rows = attribute(1, 0x9004, 6, number(2) + number(1) + words(0x3001, "Ann") + number(1) + words(0x3001, "Jo"))
    found = read_mail(mail(wrapper(rows, body)))
    assert found.text == "It is down."
    assert found.attachments == ()


def rich(rtf: bytes, *, packed: bool = True) -> bytes:
    """A property with rich text, packed: whatever was said 12 bytes before is taken from there."""
    out, flags, group = bytearray(), 0, bytearray()
    items: list[bytes] = [bytes([byte]) for byte in rtf] if packed else []
    end = (207 + len(rtf)) % 4096
    for number, item in enumerate([*items, (end << 4).to_bytes(2, "big")]):
        bit = number % 8
        flags |= (len(item) == 2) << bit
        group += item
        if bit == 7:
            out += bytes([flags]) + group
            flags, group = 0, bytearray()
    out += bytes([flags]) + group if group else b""
    content = bytes(out) if packed else rtf
    head = (len(content) + 12).to_bytes(4, "little") + len(rtf).to_bytes(4, "little")
    data = head + (b"LZFu" if packed else b"MELA") + bytes(4) + content
    padded = data + bytes(-len(data) % 4)
    value = (0x0102).to_bytes(2, "little") + (0x1009).to_bytes(2, "little") + (1).to_bytes(4, "little")
    return attribute(1, 0x9003, 6, (1).to_bytes(4, "little") + value + len(data).to_bytes(4, "little") + padded)


PLAIN = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator X;}\pard Dear Ann,\par the caf\'e9 \u8211 - closes \{early\}.\par}"
PAGE = (
    rb"{\rtf1\ansi\ansicpg932\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 \'83\'65\'83\'58\'83\'67"
    rb"{\*\htmltag84 <br>}\htmlrtf \line\htmlrtf0 ok\htmlrtf }\htmlrtf0{\*\htmltag72 </p>}}"
)


def test_rich_text_alone_is_read() -> None:
    for packed in (True, False):
        found = read_mail(mail(wrapper(rich(PLAIN, packed=packed))))
        assert found.text == "Dear Ann,\nthe café – closes {early}."
        assert found.attachments == ()
    assert read_mail(mail(wrapper(rich(PAGE)))).text == "テストok"


def test_what_was_said_before_is_taken_from_there() -> None:
    # The example of the format's description: a run that overlaps itself.
    data = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert unpacked(data) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    known = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert unpacked(known) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_rich_text_that_is_broken_or_endless_stays_a_file() -> None:
    for content in (b"", b"{", b"\\" * 9, bytes(range(256)) * 20):
        found = read_mail(mail(wrapper(rich(content)), "See the file."))
        assert found.text.startswith("See the file.")
    began = time.process_time()
    endless = (4).to_bytes(4, "little") * 2 + b"LZFu" + bytes(4) + (b"\xff" + b"\x00\x0f" * 8) * 400_000
    assert len(unpacked(endless)) < 6_000_000
    assert time.process_time() - began < 15


def test_words_that_stand_beside_the_wrapper_are_shown_once() -> None:
    words = "Dear Ann,\r\nthe café – closes {early}."
    encoded = mail(wrapper(rich(PLAIN)), "").replace(b"text/plain\r\n", b"text/plain; charset=utf-8\r\n")
    raw = encoded.replace(b"\r\n\r\n\r\n--b", b"\r\n\r\n" + words.encode() + b"\r\n--b", 1)
    assert read_mail(raw).text == "Dear Ann,\nthe café – closes {early}."


def test_a_page_is_read_in_the_character_set_that_the_wrapper_names() -> None:
    page = "<p>ｶﾒﾗ 2台</p>".encode("cp932")
    held = number(0x0102, 2) + number(0x1013, 2) + number(1) + number(len(page)) + page + bytes(-len(page) % 4)
    charset = number(0x03, 2) + number(0x3FDE, 2) + number(932)
    found = read_mail(mail(wrapper(attribute(1, 0x9003, 6, number(2) + charset + held))))
    assert (found.text, found.attachments) == ("ｶﾒﾗ 2台", ())


def test_a_file_has_the_longest_of_its_names() -> None:
    named = attribute(2, 0x9005, 6, number(1) + words(0x3707, "prices of till é.csv"))
    file = attribute(2, 0x9002, 6, bytes(14)) + attribute(2, 0x8010, 1, b"PRICES~1.CSV\0") + named
    found = read_mail(mail(wrapper(file + attribute(2, 0x800F, 6, b"a,b\n")), "See the file."))
    assert [(one.name, one.size) for one in found.attachments] == [("prices of till é.csv", 4)]
