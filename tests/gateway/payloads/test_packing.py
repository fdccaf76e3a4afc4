"""Payloads packed: smaller, and read again for ever, by whoever writes otherwise too."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import NexusSerializationContext

from domain.kernel.legible import Answer
from gateway.payloads.packing import NEWEST, PACKED, WORDS, Packing, UnreadablePayloadError, packed, unpacked
from gateway.plugin import OWN, PerennialPlugin, own_plugin

STEP = (
    b'{"account_id":"A-1","step":{"kind":"adoption_check_in","stage":"adoption","name":"check-in-2028-01-05",'
    b'"at":"2028-01-05T00:00:00Z","on":"2028-01-05"},"as_of":"2028-01-05T00:00:00.028466Z","kept":[]}'
)
FOR_EVER = {
    "prn1": (
        "e744a33b53eb922e8ef481b683d0e88288a01276fba3db6f6bac1fe2394ebe5b",
        "439370d435a45ae2333230b2d03530d4353085153408114c1722a9460a362c3af4804226666648156d6c2d00",
    )
}


def _document(data: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def test_what_is_kept_is_a_fraction_and_says_how_it_was_written() -> None:
    found = packed(_document(STEP))
    assert found.metadata["encoding"] == NEWEST
    assert found.ByteSize() < 0.4 * _document(STEP).ByteSize()
    assert unpacked(found) == _document(STEP)


@pytest.mark.parametrize("name", sorted(name.decode() for name in WORDS))
def test_a_dictionary_never_changes_once_histories_are_written_with_it(name: str) -> None:
    digest, written = FOR_EVER[name]
    words = (files("gateway.payloads") / WORDS[name.encode()]).read_bytes()
    assert hashlib.sha256(words).hexdigest() == digest, "make another dictionary, under another name"
    kept = Payload(metadata={"encoding": name.encode()}, data=bytes.fromhex(written))
    assert unpacked(kept) == _document(STEP)


def test_a_dictionary_has_words_of_ours_alone() -> None:
    for name in WORDS.values():
        words = "".join(json.loads((files("gateway.payloads") / name).read_text(encoding="utf-8")))
        assert "@" not in words
        assert words.isascii()


@given(st.dictionaries(st.text(max_size=20), st.text() | st.integers() | st.none(), max_size=9))
def test_whatever_is_packed_is_read_again(value: dict[str, object]) -> None:
    sent = _document(json.dumps(value, ensure_ascii=False).encode())
    assert packed(sent).ByteSize() <= sent.ByteSize()
    assert unpacked(packed(sent)) == sent


@pytest.mark.parametrize(
    "payload",
    [
        _document(b'"Pause"'),
        Payload(metadata={"encoding": b"binary/null"}),
        Payload(
            metadata={"encoding": b"json/protobuf", "messageType": b"temporal.api.sdk.v1.WorkflowMetadata"}, data=STEP
        ),
        Payload(metadata={"encoding": b"json/plain", "type": b"Keyword"}, data=STEP),
    ],
)
def test_what_is_small_or_no_document_of_ours_stays_as_it_is(payload: Payload) -> None:
    assert packed(payload) == payload
    assert unpacked(payload) == payload


def test_what_was_written_before_or_by_others_is_read() -> None:
    assert unpacked(_document(STEP)) == _document(STEP)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (Payload(metadata={"encoding": b"prn9"}, data=b"x"), "by a later release"),
        (Payload(metadata={"encoding": NEWEST}, data=b"\xff\xff"), "spoilt"),
        (Payload(metadata={"encoding": NEWEST}, data=packed(_document(STEP)).data[:-4]), "cut off"),
    ],
)
def test_what_cannot_be_read_says_why(payload: Payload, said: str) -> None:
    with pytest.raises(UnreadablePayloadError, match=said):
        unpacked(payload)


async def test_an_answer_is_read_by_who_has_no_codec_and_so_is_all_that_goes_over_nexus() -> None:
    converter = OWN.configure_client({})["data_converter"]  # type: ignore[typeddict-item]
    value = json.loads(STEP)
    [kept], [answer] = await converter.encode([value]), await converter.encode([Answer(value)])
    assert kept.metadata["encoding"] == NEWEST
    assert answer == _document(STEP)
    over_nexus = converter.with_context(NexusSerializationContext("perennial", "perennial", "place_order"))
    assert await over_nexus.encode([value]) == [_document(STEP)]
    assert await over_nexus.decode([kept]) == [value]


async def test_others_with_the_plugin_read_what_is_packed_and_pack_nothing() -> None:
    converter = PerennialPlugin().configure_client({})["data_converter"]  # type: ignore[typeddict-item]
    value = json.loads(STEP)
    assert await converter.encode([value]) == [_document(STEP)]
    assert await converter.decode([packed(_document(STEP))]) == [value]


async def test_no_mark_of_ours_reaches_the_server() -> None:
    marked = Payload(metadata={"encoding": b"json/plain", "as-it-is": b""}, data=STEP)
    assert await Packing().encode([marked]) == [_document(STEP)]


async def test_while_an_older_release_runs_nothing_is_packed_and_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKED, "false")
    converter = own_plugin().data_converter
    assert callable(converter)
    beside = converter(None).payload_codec
    assert isinstance(beside, Packing)
    assert await beside.encode([_document(STEP)]) == [_document(STEP)]
    assert await beside.decode([packed(_document(STEP))]) == [_document(STEP)]
    monkeypatch.setenv(PACKED, "true")
    assert own_plugin() is OWN
