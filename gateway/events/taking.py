"""The door of events: who sent it is looked at first, then it is kept, then it is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from activities.frame import event_rows
from activities.frame.event_rows import EventStatus, InboundEvent
from activities.kernel.pool import Pool
from gateway.events.mapping import EventError, Scheme, kept_mapping
from gateway.events.signatures import SIGNED_IDS, Call, is_from
from gateway.reading_json import read_value

_KEPT = ("x-shopify-", "x-hubspot-", "x-event-", "webhook-", "content-type")
_SIGNATURES = ("hmac", "signature")
_LONGEST_HEADER = 500


async def take(pool: Pool, source: str, call: Call, at: datetime) -> tuple[str, datetime] | None:
    """Keeps what a source sends; its id, and when it came first. Null for a source that is unknown, or a call that it has not signed."""
    async with pool.acquire() as connection:
        found = await event_rows.source_of(connection, source, at)
        if found is None:
            is_from(Scheme.SHOPIFY, [source], call, at)  # who is unknown is answered as slowly as who is not believed
            return None
        mapping = kept_mapping(found.mapping, source)
        scheme = mapping.mapping.signature
        if not is_from(scheme, found.secrets, _as_called(call, found.url), at):
            return None
        headers = _kept(call.headers)
        foreign_id = call.headers.get(SIGNED_IDS.get(scheme, ""), "")[:200]
        if not foreign_id:
            document = _document(call.body)
            try:
                foreign_id = mapping.id_of(document, headers) or ""
            except EventError:  # whoever attends to it says what is wrong
                foreign_id = ""
        foreign_id = foreign_id or f"sha256:{hashlib.sha256(call.body).hexdigest()}"
        event = InboundEvent(
            event_id_of(source, foreign_id),
            source,
            foreign_id,
            headers,
            call.body,
            at,
            EventStatus.NEW,
            0,
            found.mapping,
        )
        return event.event_id, await event_rows.keep_event(connection, event)


def event_id_of(source: str, foreign_id: str) -> str:
    """The id of an event here: the same however often it comes."""
    return f"ev_{hashlib.sha256(f'{source}/{foreign_id}'.encode()).hexdigest()[:24]}"


def _as_called(call: Call, url: str | None) -> Call:
    """The call with the address that its source knows: behind a proxy it is another one than that which was reached."""
    return call if url is None else Call(call.method, url, call.headers, call.body)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a mapping may look at; nothing that signs or signs in is kept."""
    return {
        name: value[:_LONGEST_HEADER]
        for name, value in headers.items()
        if name.startswith(_KEPT) and not any(word in name for word in _SIGNATURES) and value.isprintable()
    }


def _document(body: bytes) -> Any:
    try:
        return read_value(body)
    except ValueError:
        return None
