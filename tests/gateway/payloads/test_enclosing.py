"""Documents under a key of their customer's own: sealed by it, read as long as it is kept, and erased with it."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from gateway.payloads.enclosing import ENCLOSED, GONE, STORE, DataKeys, Document, Enclosing, data_keys_of, is_gone
from gateway.payloads.key_store import SEALS, DatabaseStore, FileStore, KeyStore, KeyStoreError
from gateway.payloads.packing import UnreadablePayloadError
from gateway.payloads.sealing import SEALED, Keys, KeysError
from gateway.plugin import EnclosingPayloadConverter
from tests.conftest import Servers
from tests.own_database import own_database

FIRST, SECOND = (f"{name}:{base64.b64encode(bytes([n] * 32)).decode()}" for n, name in enumerate(("2026a", "2027a"), 1))
ORDER = {"order_id": "SO-1", "name": "Ottokar Nebelhorn"}


def _codec(store: KeyStore, *keys: str) -> Enclosing:
    read = Keys.read("\n".join(keys or (FIRST,)))
    return Enclosing(read, DataKeys(read, store))


async def _sealed(codec: Enclosing, workflow_id: str, value: object) -> Payload:
    [payload] = EnclosingPayloadConverter().to_payloads([value])
    [sealed] = await codec.with_context(WorkflowSerializationContext("default", workflow_id)).encode([payload])
    return sealed


async def _read(codec: Enclosing, payload: Payload) -> object:
    [opened] = await codec.decode([payload])
    [value] = EnclosingPayloadConverter().from_payloads([opened], [dict])
    return value


async def _lives(store: KeyStore) -> None:
    codec = _codec(store)
    mine = await _sealed(codec, "journey-A", Document(ORDER))
    other = await _sealed(codec, "journey-B", Document(ORDER))
    outcome = await _sealed(codec, "journey-A", dict(ORDER))
    assert {mine.metadata["encoding"], other.metadata["encoding"], outcome.metadata["encoding"]} == {ENCLOSED, SEALED}
    assert outcome.metadata["encoding"] == SEALED
    assert set(mine.metadata) == {"encoding"}
    assert b"Nebelhorn" not in mine.data
    anew = _codec(store)  # another process
    assert await _read(anew, mine) == ORDER
    again = await _sealed(anew, "journey-A", Document(ORDER))
    assert again.data[:17] == mine.data[:17]  # by the same key
    # The key for payloads changes, and what it sealed with it.
    both = _codec(store, FIRST, SECOND)
    assert await both.data_keys.seal_again() == 2
    assert await both.data_keys.seal_again() == 0
    assert await _read(_codec(store, SECOND), mine) == ORDER
    with pytest.raises(UnreadablePayloadError, match="2027a"):
        await _read(_codec(store), mine)
    assert await both.throw_away(["journey-A", "case-1"]) == 1
    assert await _read(both, mine) == GONE
    assert is_gone(await _read(_codec(store, SECOND), again))
    assert await _read(both, other) == ORDER
    assert await _read(both, outcome) == ORDER
    assert await _read(both, await _sealed(both, "journey-A", Document(ORDER))) == ORDER


async def test_keys_in_a_file(tmp_path: Path) -> None:
    await _lives(FileStore(tmp_path / "keys.db"))
    store = FileStore(tmp_path / "many.db")
    codecs = [_codec(store) for _ in range(8)]
    made = await asyncio.gather(*(_sealed(codec, "journey-A", Document(ORDER)) for codec in codecs))
    assert len({payload.data[:17] for payload in made}) == 1
    assert [await _read(codecs[0], payload) for payload in made] == [ORDER] * 8


async def test_a_store_that_is_not_where_it_is_said_to_be_reads_nothing_as_erased(tmp_path: Path) -> None:
    right, wrong = _codec(FileStore(tmp_path / "keys.db")), _codec(FileStore(tmp_path / "kesy.db"))
    mine = await _sealed(right, "journey-A", Document(ORDER))
    for tried in (wrong.decode([mine]), wrong.throw_away(["journey-A"]), wrong.throw_away([]), _again(wrong)):
        with pytest.raises(KeyStoreError, match=r"kesy\.db is not there: PERENNIAL_KEY_STORE names"):
            await tried
    assert not (tmp_path / "kesy.db").exists()
    (tmp_path / "kesy.db").touch()
    assert await wrong.throw_away(["journey-A"]) == 0
    assert await _read(_codec(FileStore(tmp_path / "keys.db")), mine) == ORDER


async def _again(codec: Enclosing) -> None:
    await codec.data_keys.seal_again()


async def test_nothing_new_is_sealed_with_a_key_that_another_process_threw_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path / "keys.db")
    mine, another = _codec(store), _codec(store)
    await _sealed(mine, "case-1", Document(ORDER))
    assert await another.throw_away(["case-1"]) == 1
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + SEALS + 1)
    new = await _sealed(mine, "case-1", Document(ORDER))
    assert await _read(another, new) == ORDER


async def test_keys_in_a_database_of_their_own(servers: Servers) -> None:
    async with own_database(servers.stack, "keys_of_customers") as own:
        await _lives(DatabaseStore(own.dsn))


def test_where_keys_lie_is_named_with_what_seals_them(tmp_path: Path) -> None:
    assert data_keys_of({}, None) is None
    assert data_keys_of({STORE: str(tmp_path / "keys.db")}, Keys.read(FIRST)) is not None
    with pytest.raises(KeysError, match="no key for payloads"):
        data_keys_of({STORE: str(tmp_path / "keys.db")}, None)
