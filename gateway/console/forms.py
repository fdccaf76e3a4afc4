"""What a browser posts: bounded, urlencoded, each field once."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request

from gateway.api.bodies import read_bytes
from gateway.api.problems import CallError

_ENCODING = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form; of two under one name the last. Raises CallError (400, 413, 415) for what is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _ENCODING:
        raise CallError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "InvalidMediaType", f"forms come as {_ENCODING}")
    content = await read_bytes(request)
    try:
        pairs = parse_qsl(content.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise CallError(HTTPStatus.BAD_REQUEST, "InvalidForm", "the form cannot be read") from None
    return {name: _kept(value) for name, value in pairs}


def _kept(value: str) -> str:
    """As we write it: browsers send lines apart by two characters, and no table keeps a NUL."""
    return value.replace("\r\n", "\n").replace("\x00", "")
