"""What a reading call is answered: the view as its caller sees it, with an ETag; 304 if they have it already."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel

from domain.frame.access import Principal
from domain.journey.customer_timeline import Cursor, read_cursor
from gateway.api.documents import READING
from gateway.views.pages import LONGEST, USUAL
from gateway.views.shown import shown

_MOMENTARY = frozenset({"as_of", "now"})
"""Fields that say when was looked, which is no change of what was seen."""


def _plain(value: str) -> str:
    if any(not letter.isprintable() for letter in value):
        raise ValueError("has letters that cannot be printed")
    return value


Words = Annotated[str, Query(min_length=1, max_length=200), AfterValidator(_plain)]
From = Annotated[str | None, Query(alias="cursor", max_length=600, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=LONGEST, description="So many items at most.")]
ON_A_PAGE = USUAL


def place_of(cursor: str | None) -> Cursor | None:
    """Where a page begins. Raises `Refusal` for a cursor that never was one."""
    return None if cursor is None else read_cursor(cursor, "cursor")


def answered(request: Request, view: BaseModel | dict[str, Any], who: Principal) -> Response:
    """The view as `who` sees it, or a document as it is; 304 if that is what they have."""
    document = view if isinstance(view, dict) else shown(view, who)
    tag = _tag({name: value for name, value in document.items() if name not in _MOMENTARY})
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if has(request.headers.get("if-none-match", ""), tag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    return Response(content, HTTPStatus.OK, headers, media_type="application/json")


def _tag(document: dict[str, Any]) -> str:
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return f'W/"{hashlib.sha256(written.encode()).hexdigest()[:32]}"'


def has(said: str, tag: str) -> bool:
    """True if `If-None-Match` names the tag."""
    return said.strip() == "*" or tag.removeprefix("W/") in (one.strip().removeprefix("W/") for one in said.split(","))


def reads(view: Any, resource: str, operation_id: str, text: str) -> dict[str, Any]:
    """How FastAPI is told of a path that shows a view."""
    return {
        "methods": ["GET"],
        "tags": [resource],
        "operation_id": operation_id,
        "summary": text,
        "response_model": view,
        "response_description": "As it is on record.",
        "responses": {int(HTTPStatus.NOT_MODIFIED): {"description": "As `If-None-Match` has it."}, **READING},
    }
