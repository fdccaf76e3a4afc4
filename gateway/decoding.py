"""The codec server: what the Temporal UI and Temporal's command line ask when they show payloads, or send some.

`POST /codec/decode` and `/codec/encode` take and give `{"payloads": […]}`, protobuf's JSON, as Temporal's protocol for remote codecs has it.
A browser brings the console's session along, a program a key. A payload says neither whose it is nor which of its fields somebody may see:
it is read by those who run Perennial and see every customer. On loopback nobody has to sign in for what is packed and not sealed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import DataConverter

from domain.frame.access import READ, Principal, require_decoding
from domain.kernel.refusals import Refusal
from gateway.api.bodies import read_bytes, read_object
from gateway.api.entry import principal_of
from gateway.api.problems import CallError
from gateway.console.entrance import is_local
from gateway.console.hosts import is_loopback
from gateway.console.visit import Place, Visit
from gateway.here import CODEC
from gateway.payloads.packing import Packing, UnreadablePayloadError

LIMIT = 16 * 1024 * 1024
"""Bytes of a call's body: a page of the UI sends all payloads of an event at once."""
MOST_READ = 32 * 1024 * 1024
"""Bytes of what is read for one call: a few small payloads may unpack to more than a machine has."""
_SENT = "content-type, x-namespace, authorization, authorization-extras"
"""The headers that the UI sends beside those that need no leave."""
_KEPT = 3600
"""Seconds for which a browser keeps the leave."""


def codec_routes(place: Place, codec: Packing) -> Sequence[Route]:
    """The paths, for pages of the Temporal UI that `place` knows of."""
    served = _CodecServer(place, codec)
    return [Route(f"{CODEC}/{act}", served.answer, methods=["POST", "OPTIONS"]) for act in ("decode", "encode")]


def origins_of(ui: str) -> frozenset[str]:
    """The origins of pages at an address; what never leaves this machine has two names."""
    parts = urlsplit(ui)
    if not parts.hostname:
        return frozenset()
    port = f":{parts.port}" if parts.port else ""
    hosts = {"127.0.0.1", "localhost"} if is_loopback(parts.hostname) else {parts.hostname}
    return frozenset(f"{parts.scheme}://{host}{port}" for host in hosts)


class _CodecServer:
    def __init__(self, place: Place, codec: Packing) -> None:
        self._place = place
        self._codec = codec
        self._origins = origins_of(place.ui)

    async def answer(self, request: Request) -> Response:
        """What a call comes to; a browser shows it to pages of the Temporal UI alone."""
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            said = f"pages of {origin[:200]!r} may not ask; PERENNIAL_TEMPORAL_UI_URL names those that may"
            raise CallError(HTTPStatus.FORBIDDEN, "UnknownOrigin", said)
        leave = _leave(origin)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=leave)
        try:
            await self._enter(request)
            return JSONResponse(await self._done(request), headers=leave)
        except CallError as error:
            error.headers |= leave
            raise
        except Refusal as refusal:
            raise CallError(HTTPStatus.FORBIDDEN, refusal.type, str(refusal), (), **leave) from None

    async def _enter(self, request: Request) -> None:
        """Raises `Refusal` or CallError (401) for whoever may not read payloads."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (who := await principal_of(self._place.doors.pool, token.strip())):
            require_decoding(who)
            _require_scopes(who)
            return
        visit = await Visit.of(self._place, request)
        if visit.person is not None:
            require_decoding(visit.who)
        elif not (is_local(visit) or (_is_from_here(request) and not self._codec.is_secret)):
            said = "sign in to the console in this browser, or send a key as `Authorization: Bearer prn_…`"
            raise CallError(HTTPStatus.UNAUTHORIZED, "NotSignedIn", said)

    async def _done(self, request: Request) -> dict[str, Any]:
        sent = Payloads()
        try:
            ParseDict(read_object(await read_bytes(request, LIMIT)), sent, ignore_unknown_fields=True)
        except ParseError as error:
            raise CallError(HTTPStatus.BAD_REQUEST, "InvalidPayloads", f"the body has no payloads: {error}") from None
        if request.url.path.endswith("/encode"):
            made = await self._codec.encode(sent.payloads)
        else:
            made = await self._all_read(sent.payloads)
        return MessageToDict(Payloads(payloads=made))

    async def _all_read(self, payloads: Sequence[Payload]) -> list[Payload]:
        found: list[Payload] = []
        room = MOST_READ
        for one in payloads:
            found.append(
                await self._read(one) if room > 0 else _instead(f"more than {MOST_READ >> 20} MiB in one call")
            )
            room -= found[-1].ByteSize()
            await asyncio.sleep(0)  # others have their turn between one payload and the next
        return found

    async def _read(self, payload: Payload) -> Payload:
        """A payload as it was, or in its place why it cannot be read: one of them hides no other."""
        try:
            [found] = await self._codec.decode([payload])
        except UnreadablePayloadError as error:
            return _instead(str(error))
        return found


def _instead(why: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(f"cannot be read: {why}").encode())


def _is_from_here(request: Request) -> bool:
    """True for a call from this machine by one of its own names: a name alone is what the caller says."""
    return is_loopback(request.url.hostname) and request.client is not None and is_loopback(request.client.host)


def _leave(origin: str | None) -> Mapping[str, str]:
    """The headers by which a browser lets the page read the answer, and send whoever is signed in."""
    if origin is None:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": _SENT,
        "Access-Control-Max-Age": str(_KEPT),
        "Vary": "Origin",
    }


def _require_scopes(who: Principal) -> None:
    lacking = [name for name in ("journeys", "cases") if not who.is_within(name, READ)]
    if lacking:
        said = f"the key {who.by!r} reaches {', '.join(who.scopes)}; payloads need {', '.join(f'{n}:read' for n in lacking)}"
        raise CallError(HTTPStatus.FORBIDDEN, "OutOfScope", said)


def codec_of(converter: DataConverter) -> Packing:
    """The codec of our own connections."""
    if not isinstance(converter.payload_codec, Packing):
        raise ValueError("a gateway needs a connection with our plugin: `gateway.connection.connect` makes one")
    return converter.payload_codec
