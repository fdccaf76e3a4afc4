"""The OpenAPI document (3.1): what the registry and the views say of themselves, put together; nothing is described twice."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from domain.frame.request_kinds import RequestKind
from domain.journey.registry import OPERATIONS
from domain.kernel.refusals import Problem
from gateway.api.problems import MEDIA_TYPE
from gateway.api.written import WRITTEN, Written
from gateway.views.answers.table import ANSWERS, operation_of

_REFERENCE = "#/components/schemas/{model}"
_ABOUT = """The life of business customers after the sale: orders and usage come in, customers are read whole, and everything that can
be asked of a journey or a case is a POST of its own. Instants are ISO 8601 with their offset, amounts of money are strings.

**Repetitions.** Every POST takes an `Idempotency-Key`: the same call under the same key gets the answer of what was done, another one 409.
**Patience.** What the journey has not answered in time is answered with 202 and a `Location`; `Prefer: wait=5` says how long.
**Errors** are problem details (RFC 9457): `code` is a word to act on, `problems` name the fields and what would be right."""
_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: "The body or a header cannot be read.",
    HTTPStatus.UNAUTHORIZED: "No valid key came with the call.",
    HTTPStatus.FORBIDDEN: "The key's scopes or roles do not reach this.",
    HTTPStatus.NOT_FOUND: "What is named is not on record.",
    HTTPStatus.CONFLICT: "Something else is on record under this id or key, or the account has gone on elsewhere.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is no JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A rule refuses it: `problems` say which field, and what would be right.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A server is away; the same call may be sent again after `Retry-After` seconds.",
}
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Under this key the call is done once, and its answer is kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
}
_WAIT_HEADER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=5`: so many seconds an answer is waited for (RFC 7240).",
    "schema": {"type": "string", "examples": ["wait=5"]},
}


EXAMPLES = Path(__file__).parent / "examples.json"
"""Answers by operation, recorded of real calls by tests."""


class ProblemDocument(BaseModel):
    """What is wrong with a call (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    problems: list[Problem]


class OpenRequest(BaseModel):
    """A call that was passed on and is not answered yet."""

    status: str
    request_id: str | None
    detail: str


def told_as(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The problems that a path may answer with, for its description."""
    schema = {"$ref": _REFERENCE.format(model="ProblemDocument")}
    return {
        int(status): {"description": _PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


READING = told_as(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""The problems of a path that only reads."""


def described(kind: RequestKind[Any], resource: str) -> dict[str, Any]:
    """How FastAPI is told of the path of a request."""
    sentence, _, more = kind.text.partition("\n\n")
    opened = {"$ref": _REFERENCE.format(model="OpenRequest")}
    return {
        "methods": ["POST"],
        "tags": [resource],
        "operation_id": operation_of(kind),
        "summary": kind.words,
        "description": f"{sentence}\n\n{more}".strip(),
        "response_description": "Done: the answer of the journey or the case.",
        "response_model": ANSWERS[operation_of(kind)],
        "responses": {
            int(HTTPStatus.ACCEPTED): {
                "description": "Passed on, and not answered yet; `Location` is where to look.",
                "content": {"application/json": {"schema": opened}},
            },
            **told_as(*_PROBLEMS),
        },
    }


def told_of(written: Written) -> dict[str, Any]:
    """How FastAPI is told of the path of something that can be written or previewed."""
    return {
        "methods": [written.method],
        "tags": [written.resource],
        "operation_id": written.name,
        "summary": written.text,
        "description": inspect.getdoc(written.model),
        "response_model": written.answer,
        "response_description": "Done.",
        "responses": told_as(*_PROBLEMS),
    }


def document_of(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    if app.openapi_schema:
        return app.openapi_schema
    found = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", description=_ABOUT, routes=app.routes
    )
    models: list[type[BaseModel]] = [ProblemDocument, OpenRequest, *_asked_models()]
    references, shared = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _check_names(schemas, shared.get("$defs", {}))
    schemas.update(shared.get("$defs", {}))
    for reference in references.values():
        without_asker(components["schemas"][reference["$ref"].rpartition("/")[2]])
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "`prn_…`, a service's key"}
    }
    found["security"] = [{"key": []}]
    _say_durations(schemas)
    recorded = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for methods in found["paths"].values():
        for operation in methods.values():
            kind = OPERATIONS.get(operation.get("operationId"))
            written = WRITTEN.get(operation.get("operationId"))
            if kind is not None:
                operation["requestBody"] = _body(references[(kind.model, "validation")], example_of(kind))
            elif written is not None:
                operation["requestBody"] = _body(references[(written.model, "validation")], json.loads(written.example))
            if kind is not None or written is not None:
                operation.setdefault("parameters", []).extend([_KEY_HEADER, _WAIT_HEADER] if kind else [_KEY_HEADER])
            if (answer := operation["responses"].get("200", {}).get("content", {}).get("application/json")) is not None:
                example = recorded.get(operation.get("operationId"))
                answer |= {"examples": {"recorded": {"value": example}}} if example is not None else {}
    app.openapi_schema = found
    return found


def _say_durations(part: Any) -> None:
    """Durations are those of ISO 8601, whose seconds can have fractions: the format of that name in JSON Schema has none."""
    if isinstance(part, dict):
        if part.get("format") == "duration":
            del part["format"]
            part["description"] = f"{part.get('description', '')} A duration of ISO 8601, such as PT35.5S.".strip()
        for inner in part.values():
            _say_durations(inner)
    elif isinstance(part, list):
        for inner in part:
            _say_durations(inner)


class TwoModelsError(RuntimeError):
    """Two models of one name: callers' programs would know either by a name that changes with the other."""


def _check_names(answered: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raises TwoModelsError if two models share a name: among those of answers, or one that is asked with one that is answered."""
    twice = {name.rpartition("__")[2] for name in (*answered, *asked) if "__" in name}
    twice |= {
        name
        for name in answered.keys() & asked.keys()
        if answered[name].get("properties", {}).keys() != asked[name].get("properties", {}).keys()
    }
    if twice:
        raise TwoModelsError(f"several models are called {', '.join(sorted(twice))}; give each a name of its own")


def without_asker(schema: dict[str, Any]) -> None:
    """Who asks, and in which role, follows from who signed in: nobody has to say it."""
    schema.get("properties", {}).pop("by", None)
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name not in ("by", "role")]


def example_of(kind: RequestKind[Any]) -> dict[str, Any]:
    """A whole request, without who asks, which follows from the key."""
    return {name: value for name, value in json.loads(kind.example).items() if name not in ("by", "role")}


def _asked_models() -> dict[type[BaseModel], None]:
    return dict.fromkeys([*(kind.model for kind in OPERATIONS.values()), *(one.model for one in WRITTEN.values())])


def _body(reference: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": reference, "examples": {"typical": {"value": example}}}
    return {"required": True, "content": {"application/json": content}}
