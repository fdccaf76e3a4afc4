"""Bodies: bounded while they are read, JSON of one spelling, an object at the top."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import Request

from gateway.api.problems import CallError
from gateway.reading_json import read_value

BODY_LIMIT = 1024 * 1024
"""Bytes of a call's body: the engine takes no message of more than twice that."""
_JSON = ("application/json", "+json")


async def read_bytes(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The body. Raises CallError (413) once it is larger than `limit` bytes, without reading on."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise _too_large(limit)
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > limit:
            raise _too_large(limit)
    return bytes(read)


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises CallError (400) for anything else, with the place where it goes wrong."""
    if not content:
        raise CallError(HTTPStatus.BAD_REQUEST, "InvalidJson", "the body is empty; send a JSON object")
    try:
        found = read_value(content)
    except ValueError as error:
        raise CallError(HTTPStatus.BAD_REQUEST, "InvalidJson", f"the body is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise CallError(HTTPStatus.BAD_REQUEST, "InvalidJson", "the body must be a JSON object")
    return found


def check_media_type(request: Request) -> None:
    """Raises CallError (415) for a body that says that it is something else than JSON."""
    said = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not said.endswith(_JSON):
        raise CallError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "InvalidMediaType", f"send application/json, not {said[:80]!r}"
        )


def _too_large(limit: int) -> CallError:
    said = f"a body may have {limit // 1024} KiB; send less at once"
    return CallError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BodyTooLarge", said, Connection="close")
