"""Payloads under a key of their customer's own: what a journey or a case is asked, orders first of all, is sealed with a key that it
alone has. Throwing that key away erases them, wherever copies of the histories lie.

All else is sealed with the key for payloads, so that a run goes on, and replays, when its own key is gone: a document reads as erased then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)

from gateway.payloads.key_store import SEALS, KeptKey, KeyStore, Remembered, store_at
from gateway.payloads.packing import ENCODING, OF_CUSTOMER, PLAIN, as_it_is
from gateway.payloads.sealing import Key, Keys, KeysError, Sealing, key_id_of, opened_with, sealed_with

ENCLOSED = b"prs2"
STORE = "PERENNIAL_KEY_STORE"
GONE = {"erased": "its key was thrown away"}
"""What a document reads as whose key is gone."""


def is_gone(document: Any) -> bool:
    """True for a document whose key is gone."""
    return bool(document == GONE)


class Document(dict[str, Any]):
    """What a journey or a case is asked, on its way there."""


class DataKeys:
    """The keys of journeys and cases, opened with the keys for payloads."""

    def __init__(self, keys: Keys, store: KeyStore) -> None:
        self._keys = keys
        self._store = store
        self._by_workflow, self._by_id = Remembered(SEALS), Remembered()

    async def of(self, workflow_id: str) -> Key:
        """The key of a workflow, made if it has none."""

        async def look() -> Key:
            return self._opened(await self._store.of(workflow_id, self._made))

        found: Key = await self._by_workflow.get(workflow_id, look)
        return found

    async def find(self, key_id: str) -> Key | None:
        """A key by its id; null once it was thrown away."""

        async def look() -> Key | None:
            kept = await self._store.find(key_id)
            return None if kept is None else self._opened(kept)

        found: Key | None = await self._by_id.get(key_id, look)
        return found

    async def throw_away(self, workflow_ids: Sequence[str]) -> int:
        """What was sealed with the keys of these workflows cannot be read any more; how many keys there were."""
        count = await self._store.throw_away(workflow_ids)
        self._by_workflow.forget()
        self._by_id.forget()
        return count

    async def seal_again(self) -> int:
        """Every key that another one than the newest has sealed is sealed with that one; how many were."""
        before = await self._store.sealed_before(self._keys.newest)
        for kept in before:
            wrapped, by = self._keys.wrapped(self._opened(kept).secret, kept.key_id)
            await self._store.seal_again(KeptKey(kept.key_id, wrapped, by))
        return len(before)

    def _made(self) -> KeptKey:
        key_id = os.urandom(8).hex()
        return KeptKey(key_id, *self._keys.wrapped(os.urandom(32), key_id))

    def _opened(self, kept: KeptKey) -> Key:
        return Key(kept.key_id, self._keys.unwrapped(kept.wrapped, kept.key_id, kept.by))


class Enclosing(Sealing):
    """Seals as `Sealing` does, and documents of a customer with the key of the workflow that they go to."""

    def __init__(
        self,
        keys: Keys,
        data_keys: DataKeys,
        workflow_id: str | None = None,
        *,
        demands: bool = False,
        over_nexus: bool = False,
    ) -> None:
        super().__init__(keys, demands=demands)
        self._over_nexus = over_nexus
        self._whole = keys
        self.data_keys = data_keys
        self._workflow_id = workflow_id

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as the server gets them."""
        return [as_it_is(one) if self._over_nexus else await self._sealed(one) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as they were; those whose key was thrown away say so. Raises UnreadablePayloadError."""
        return [await self._opened(one) for one in payloads]

    def with_context(self, context: SerializationContext) -> Enclosing:
        """What goes over Nexus is read by whoever calls; all else goes to a workflow, or comes from one."""
        if isinstance(context, NexusSerializationContext):
            return Enclosing(self._whole, self.data_keys, demands=self.demands, over_nexus=True)
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext) and context.workflow_id:
            return Enclosing(self._whole, self.data_keys, context.workflow_id, demands=self.demands)
        return self

    async def throw_away(self, workflow_ids: Sequence[str]) -> int:
        """As `DataKeys.throw_away`."""
        return await self.data_keys.throw_away(workflow_ids)

    async def _sealed(self, payload: Payload) -> Payload:
        if OF_CUSTOMER not in payload.metadata or self._workflow_id is None:
            return self._whole.sealed(payload)
        return sealed_with(await self.data_keys.of(self._workflow_id), payload, ENCLOSED)

    async def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get(ENCODING) != ENCLOSED:
            return self._read(payload)
        key = await self.data_keys.find(key_id_of(payload))
        if key is None:
            return Payload(metadata={ENCODING: PLAIN}, data=json.dumps(GONE).encode())
        return opened_with(key, payload, ENCLOSED)


def data_keys_of(environment: Mapping[str, str], keys: Keys | None) -> DataKeys | None:
    """The keys of customers, if the environment names where they lie. Raises KeysError if nothing seals them."""
    place = environment.get(STORE)
    if not place:
        return None
    if keys is None:
        raise KeysError(
            f"{STORE} keeps keys of customers, and there is no key for payloads that seals them: give one too"
        )
    return DataKeys(keys, store_at(place))
