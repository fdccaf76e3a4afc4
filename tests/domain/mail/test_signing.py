"""Signatures: what only we can have made, whatever happens to it on its way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.mail.bounces import Bounce
from domain.mail.marks import Domains, marks_of
from domain.mail.reading import InboundMail
from domain.mail.signing import (
    AddressPurpose,
    Key,
    delivery_in,
    digest_of,
    message_id_of,
    opened,
    signed_address,
    token_in,
    token_of,
)
from tests.properties import examples

OLD, NEW = Key(1, b"o" * 32), Key(2, b"n" * 32)
KEYS = {1: OLD, 2: NEW}
CHECK_IN = "journey:acme/adoption/check-in-2027-01#0"
DOMAIN = "seller.example"
OURS = Domains(DOMAIN, "reply.seller.example")


@given(delivery_id=st.text(max_size=400), number=st.integers(1, 65535), secret=st.binary(min_size=32, max_size=32))
@examples(200)
def test_an_address_says_its_delivery(delivery_id: str, number: int, secret: bytes) -> None:
    key = Key(number, secret)
    for purpose in AddressPurpose:
        address = signed_address(delivery_id, purpose, key, DOMAIN)
        local = address.partition("@")[0]
        assert len(local) <= 64
        assert local == local.lower()
        assert local.isascii()
        token = token_in(address.upper(), purpose, DOMAIN)
        assert token is not None
        assert opened(token, purpose, {number: key}) == digest_of(delivery_id)
        assert address == signed_address(delivery_id, purpose, key, DOMAIN)  # another attempt


@given(where=st.integers(0, 47), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
@examples(200)
def test_no_letter_of_a_token_can_be_changed(where: int, letter: str) -> None:
    token = token_of(CHECK_IN, AddressPurpose.REPLY, NEW)
    changed = token[:where] + letter + token[where + 1 :]
    assert (opened(changed, AddressPurpose.REPLY, KEYS) is None) == (changed != token)


def test_a_token_is_for_one_purpose_and_of_one_key() -> None:
    token = token_of(CHECK_IN, AddressPurpose.REPLY, OLD)
    assert opened(token, AddressPurpose.STOP, KEYS) is None
    assert opened(token, AddressPurpose.REPLY, KEYS) is not None
    assert opened(token, AddressPurpose.REPLY, {2: NEW}) is None  # retired
    assert opened(token, AddressPurpose.REPLY, {1: NEW}) is None  # another database
    assert token != token_of(CHECK_IN, AddressPurpose.REPLY, NEW)


@pytest.mark.parametrize("token", ["", "a", "a" * 47, "a" * 48, "a" * 55, "ü" * 48, "0189" * 12, "=" * 48])
def test_nonsense_is_no_token(token: str) -> None:
    assert opened(token, AddressPurpose.REPLY, KEYS) is None


@pytest.mark.parametrize("delivery_id", [CHECK_IN, "case:C-17/case_respond:r.1#reply", "a b", "ü", "%2E."])
def test_our_message_ids_name_their_deliveries(delivery_id: str) -> None:
    signed = message_id_of(delivery_id, DOMAIN, NEW)
    assert delivery_in(signed, DOMAIN, KEYS) == delivery_id
    assert delivery_in(signed, DOMAIN, {1: OLD}) is None
    assert delivery_in(message_id_of(delivery_id, DOMAIN, None), DOMAIN, KEYS) is None


def test_a_message_id_that_somebody_made_up_names_nothing() -> None:
    signed = message_id_of(CHECK_IN, DOMAIN, NEW)
    other = message_id_of("journey:acme/adoption/check-in-2027-02#0", DOMAIN, NEW)
    signature = signed.rpartition("@")[0].rpartition(".")[2]
    for made_up in (
        f"{other.rpartition('.')[0].rpartition('.')[0]}.{signature}@{DOMAIN}>",  # the signature of another one
        signed.replace(DOMAIN, "elsewhere.example"),
        f"<{signature}@{DOMAIN}>",
        f"<.{signature}@{DOMAIN}>",
        f"<@{DOMAIN}>",
        "<>",
        "",
    ):
        assert delivery_in(made_up, DOMAIN, KEYS) is None
    long_ids = {message_id_of("x" * length, DOMAIN, NEW) for length in (121, 300, 301)}
    assert len(long_ids) == 3
    assert all(delivery_in(one, DOMAIN, KEYS) is not None for one in long_ids)


def test_what_of_a_mail_is_signed() -> None:
    reply = signed_address(CHECK_IN, AddressPurpose.REPLY, NEW, "reply.seller.example")
    made_up = signed_address(CHECK_IN, AddressPurpose.REPLY, Key(2, b"?" * 32), "reply.seller.example")
    ours, theirs, forged = message_id_of(CHECK_IN, DOMAIN, OLD), "<1@acme.example>", f"<a.b@{DOMAIN}>"
    found = marks_of(
        InboundMail(recipients=("boss@acme.example", made_up, reply), answers=(forged, theirs, ours)), OURS, KEYS
    )
    assert (found.replied, found.stopped) == ((digest_of(CHECK_IN),), ())
    assert (found.answered, found.threads) == (((ours, CHECK_IN),), (theirs, ours))
    assert not found.forged
    elsewhere = InboundMail(recipients=(reply.replace("reply.seller", "other"),))
    assert marks_of(elsewhere, OURS, KEYS).replied == ()


def test_a_wish_for_fewer_mails_is_signed_in_its_address_or_its_subject() -> None:
    token = token_of(CHECK_IN, AddressPurpose.STOP, NEW)
    for mail in (
        InboundMail(recipients=(signed_address(CHECK_IN, AddressPurpose.STOP, NEW, "reply.seller.example"),)),
        InboundMail(subject=f"Unsubscribe {token.upper()}"),
    ):
        assert marks_of(mail, OURS, KEYS).stopped == (digest_of(CHECK_IN),)
    for subject in ("unsubscribe acme/p-1", f"unsubscribe {token[:-1]}a", f"Re: unsubscribe {token}"):
        assert marks_of(InboundMail(subject=subject), OURS, KEYS).stopped == ()


def test_a_delivery_report_says_whether_it_is_about_what_we_signed() -> None:
    def returned(*message_ids: str) -> InboundMail:
        return InboundMail(bounce=Bounce(recipient="a@b.example", status="5.1.1", said="no", message_ids=message_ids))

    ours = message_id_of(CHECK_IN, DOMAIN, NEW)
    assert marks_of(returned(ours), OURS, KEYS).returned == ((ours, CHECK_IN),)
    unsigned = marks_of(returned(message_id_of(CHECK_IN, DOMAIN, None)), OURS, KEYS)
    assert (unsigned.returned, unsigned.forged) == ((), True)
    assert not marks_of(returned("<1@acme.example>"), OURS, KEYS).forged
