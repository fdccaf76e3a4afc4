"""Requests from the command line: `name=value`, a whole request as one JSON object, or `@file.json`; the same for journeys and cases."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from workers.cli.common import UserError

if TYPE_CHECKING:
    from workers.documents import Models


def read_fields(arguments: Iterable[str], update: str, models: Models) -> dict[str, Any]:
    """The request that an update's arguments make up, later ones over earlier ones. Raises UserError."""
    if (model := models.get(update)) is None:
        near = get_close_matches(update, models, 3)
        instead = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(models))}"
        raise UserError(f"there is no request {update!r}; {instead}")
    shapes = _shapes(model)
    request: dict[str, Any] = {}
    for text in arguments:
        request |= _fields(text, shapes)
    return request


def _fields(text: str, shapes: dict[str, set[str]]) -> dict[str, Any]:
    """The fields in one argument: those of a file or an object, or one."""
    if text.startswith("@"):
        return _request_in(Path(text[1:]))
    if text.startswith("{"):
        return dict(_json(text, "the request"))
    name, found, value = text.partition("=")
    if not found:
        raise UserError(f"{text!r} is no field; give name=value, such as task=kickoff, one JSON object, or @FILE")
    return {name: _value(name, value, shapes.get(name))}


def _value(name: str, text: str, shapes: set[str] | None) -> Any:
    """A field's value: as it stands where text is meant, else as JSON."""
    if shapes is not None and not shapes - {"string", "null"}:
        return text
    if text.startswith(("[", "{")):
        return _json(text, name)
    if shapes is not None and "string" in shapes:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # the refusal will say what would be right


def _request_in(path: Path) -> dict[str, Any]:
    try:
        found = _json(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} holds no request; it must be a JSON object")
    return found


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"{where} is no JSON: {error}") from error


def _shapes(model: type[BaseModel]) -> dict[str, set[str]]:
    """What each field of a request may be in JSON: `string`, `integer`, `array` and so on."""
    schema = model.model_json_schema()
    return {name: _kinds(part, schema.get("$defs", {})) for name, part in schema.get("properties", {}).items()}


def _kinds(part: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    if reference := part.get("$ref"):
        return _kinds(definitions[reference.rpartition("/")[2]], definitions)
    kinds = {part["type"]} if isinstance(part.get("type"), str) else set()
    for choice in [*part.get("anyOf", []), *part.get("oneOf", []), *part.get("allOf", [])]:
        kinds |= _kinds(choice, definitions)
    return kinds or {"string", "object", "array"}
