"""Examples of answers in the document of the API: recorded of real calls while tests run, the shortest that says something of each.

`PERENNIAL_EXAMPLES=1 pytest -n0 tests/gateway/api` writes `gateway/api/examples.json` anew, keeping what was not called.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx2

from gateway.api.app import openapi_document
from gateway.api.documents import EXAMPLES

FILE = EXAMPLES
WANTED = bool(os.environ.get("PERENNIAL_EXAMPLES"))
MOST = 6_000
"""So long an example is at most, in letters."""


@cache
def _operations() -> list[tuple[str, re.Pattern[str], str]]:
    paths = openapi_document()["paths"]
    by_names = sorted(paths, key=lambda path: (path.count("{"), path))  # a name before what stands for any
    return [
        (method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), one["operationId"])
        for path in by_names
        for method, one in paths[path].items()
    ]


async def keep(response: httpx2.Response) -> None:
    """Keeps what a call was answered, if it says more than what is kept in fewer letters."""
    if response.status_code not in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
        return
    await response.aread()
    if not response.headers.get("content-type", "").startswith("application/json"):
        return
    method, path = response.request.method.lower(), response.request.url.path
    name = next((name for verb, known, name in _operations() if verb == method and known.fullmatch(path)), None)
    if name is not None:
        record(name, response.json(), response.status_code)


def record(name: str, value: Any, status: int = HTTPStatus.OK) -> None:
    """Keeps an example of an operation."""
    if name not in {known for _, _, known in _operations()}:
        return
    kept = examples()
    written = json.dumps(value, ensure_ascii=False)
    before = kept.get(name)
    if status != HTTPStatus.OK or len(written) > MOST or (before is not None and _rank(before) <= _rank(value)):
        return
    kept[name] = value
    FILE.write_text(json.dumps(dict(sorted(kept.items())), ensure_ascii=False, indent=1) + "\n")


def examples() -> dict[str, Any]:
    """What is kept."""
    kept: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return kept


def _rank(value: Any) -> tuple[bool, int]:
    """What says something comes first, then what is short."""
    lists = [one for one in value.values() if isinstance(one, list)] if isinstance(value, dict) else []
    return bool(lists) and not any(lists), len(json.dumps(value, ensure_ascii=False))
