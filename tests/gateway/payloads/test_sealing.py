"""Payloads sealed: read with their key for ever, and by nobody else."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHistory
from temporalio.converter import NexusSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from domain.kernel.legible import Answer
from gateway.payloads.packing import PACKED, UnreadablePayloadError, packed
from gateway.payloads.sealing import DEMANDED, KEY_FILE, KEYS, Keys, KeysError, Sealing, keys_of
from gateway.plugin import PerennialPlugin, own_plugin
from tests.gateway.payloads.test_packing import FOR_EVER, STEP
from tests.replay.record import HISTORIES
from workers.wiring import WORKFLOWS

OLD, NEW = (f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}" for n, name in enumerate(("2026a", "2026b")))
DOCUMENT = Payload(metadata={"encoding": b"json/plain"}, data=STEP)
SEALED_ONCE = (
    "053230323661f03f8f83509c909e141536143c10714b097ecc95d71425f4931c91bce80089357ac60243b128df17fe99f09b"
    "7a47d20197e0a4da6c4bb7b638918bf99ead30ff01f2762f846ed6d7ac"
)


def test_what_is_sealed_is_read_with_its_key_alone() -> None:
    sealed = Keys.read(OLD).sealed(DOCUMENT)
    assert b"account" not in sealed.SerializeToString()
    assert sealed != Keys.read(OLD).sealed(DOCUMENT)  # no two are alike
    assert Keys.read(OLD).opened(sealed) == DOCUMENT
    with pytest.raises(
        UnreadablePayloadError, match=f"key '2026a', which this process has not; add it again in {KEY_FILE}"
    ):
        Keys.read(NEW).opened(sealed)
    other = f"2026a:{base64.b64encode(bytes(range(32))).decode()}"
    with pytest.raises(UnreadablePayloadError, match="is not the one of that id"):
        Keys.read(other).opened(sealed)


def test_the_newest_key_seals_and_those_before_it_read() -> None:
    before, both = Keys.read(OLD), Keys.read(f"{OLD}\n{NEW}  # since June\n")
    assert both.opened(before.sealed(DOCUMENT)) == DOCUMENT
    with pytest.raises(UnreadablePayloadError, match="2026b"):
        before.opened(both.sealed(DOCUMENT))


def test_what_was_sealed_once_is_read_for_ever() -> None:
    kept = Payload(metadata={"encoding": b"prs1"}, data=bytes.fromhex(SEALED_ONCE))
    assert Keys.read(OLD).opened(kept) == DOCUMENT


def test_what_was_written_before_anything_was_sealed_is_read() -> None:
    for payload in (
        DOCUMENT,
        packed(DOCUMENT),
        Payload(metadata={"encoding": b"prn1"}, data=bytes.fromhex(FOR_EVER["prn1"][1])),
    ):
        assert Keys.read(OLD).opened(payload) == DOCUMENT


@pytest.mark.parametrize("at", [0, 3, 8, 20, -1])
def test_what_was_changed_is_not_read(at: int) -> None:
    sealed = Keys.read(OLD).sealed(DOCUMENT)
    data = bytearray(sealed.data)
    data[at] ^= 1
    with pytest.raises(UnreadablePayloadError):
        Keys.read(OLD).opened(Payload(metadata=dict(sealed.metadata), data=bytes(data)))
    with pytest.raises(UnreadablePayloadError, match="cut off"):
        Keys.read(OLD).opened(Payload(metadata=dict(sealed.metadata), data=sealed.data[:12]))


@given(st.binary(max_size=300), st.sampled_from([b"json/plain", b"binary/null", b"json/protobuf"]), st.booleans())
def test_whatever_is_sealed_is_read_again(data: bytes, encoding: bytes, more: bool) -> None:
    metadata = {"encoding": encoding, **({"messageType": b"x"} if more else {})}
    payload = Payload(metadata=metadata, data=data)
    assert Keys.read(OLD).opened(Keys.read(OLD).sealed(payload)) == payload


async def test_answers_are_sealed_too_and_nexus_is_not() -> None:
    converter = PerennialPlugin(own=True, codec=Sealing(Keys.read(OLD))).configure_client({})["data_converter"]  # type: ignore[typeddict-item]
    [answer] = await converter.encode([Answer(account="Acme")])
    assert answer.metadata["encoding"] == b"prs1"
    assert await converter.decode([answer]) == [{"account": "Acme"}]
    over_nexus = converter.with_context(NexusSerializationContext("perennial", "perennial", "place_order"))
    [answer] = await over_nexus.encode([Answer(account="Acme")])
    assert answer == Payload(metadata={"encoding": b"json/plain"}, data=b'{"account":"Acme"}')


async def test_a_failure_says_nothing_in_the_clear_but_over_nexus() -> None:
    converter = PerennialPlugin(own=True, codec=Sealing(Keys.read(OLD))).configure_client({})["data_converter"]  # type: ignore[typeddict-item]
    try:
        try:
            raise ValueError("jo@acme.example is gone")
        except ValueError as error:
            raise ApplicationError("Jo Weber cannot be reached", [{"field": "Jo"}], type="Unreachable") from error
    except ApplicationError as error:
        wrong = error
    failure, open_one = Failure(), Failure()
    await converter.encode_failure(wrong, failure)
    assert not any(word in failure.SerializeToString() for word in (b"Weber", b"jo@acme", b"Jo", b"raise "))
    found = await converter.decode_failure(failure)
    assert isinstance(found, ApplicationError)
    assert (found.message, found.type, found.details) == (
        "Jo Weber cannot be reached",
        "Unreachable",
        ([{"field": "Jo"}],),
    )
    assert str(found.cause) == "ValueError: jo@acme.example is gone"
    over_nexus = converter.with_context(NexusSerializationContext("perennial", "perennial", "place_order"))
    await over_nexus.encode_failure(wrong, open_one)
    assert open_one.message == "Jo Weber cannot be reached"


@pytest.mark.parametrize("name", ["moved_away-1", "sold_held_and_handed_over-2"])
async def test_a_run_that_began_before_anything_was_sealed_goes_on(name: str) -> None:
    history = WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    sealing = PerennialPlugin(own=True, codec=Sealing(Keys.read(OLD)))
    result = await Replayer(workflows=WORKFLOWS, plugins=[sealing]).replay_workflow(
        history, raise_on_replay_failure=False
    )
    assert result.replay_failure is None


def test_keys_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY_FILE, KEYS, DEMANDED):
        monkeypatch.delenv(name, raising=False)
    assert keys_of(os.environ) is None
    file = tmp_path / "keys"
    file.write_text(f"# newest last\n{OLD}\n{NEW}\n")
    for environment in ({KEY_FILE: str(file)}, {KEYS: f"{OLD} {NEW}", DEMANDED: "true"}):
        found = keys_of(environment)
        assert found is not None
        assert found.sealed(DOCUMENT).data[1:6] == b"2026b"
    monkeypatch.setenv(KEYS, OLD)
    assert isinstance(own_plugin().configure_client({})["data_converter"].payload_codec, Sealing)  # type: ignore[typeddict-item]


async def test_before_the_first_key_counts_everywhere_it_is_read_and_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEYS, OLD)
    monkeypatch.setenv(PACKED, "false")
    codec = own_plugin().configure_client({})["data_converter"].payload_codec  # type: ignore[typeddict-item]
    assert codec is not None
    assert await codec.encode([DOCUMENT]) == [DOCUMENT]
    assert await codec.decode([Keys.read(OLD).sealed(DOCUMENT)]) == [DOCUMENT]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({DEMANDED: "true"}, "demands that payloads are sealed, and there is no key; a key is its id, a colon"),
        ({KEY_FILE: "/nowhere/keys"}, "cannot be read .*No such file"),
        ({KEYS: "2026a:c2hvcnQ="}, "key '2026a' for payloads cannot be read"),
        ({KEYS: OLD, KEY_FILE: "x"}, "not both"),
        ({KEYS: f"{OLD} {OLD}"}, "have one id"),
        ({KEYS: "  "}, "there is no key"),
        ({KEYS: OLD, DEMANDED: "true", PACKED: "false"}, "that they are not: leave one of them out"),
    ],
)
def test_keys_that_cannot_be_used_say_what_to_do(environment: dict[str, str], said: str) -> None:
    with pytest.raises(KeysError, match=said):
        keys_of(environment)
