"""Forms made from the models of requests: the fields of each, read back as the document that was meant. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.kernel.refusals import Problem
from domain.kernel.zones import instant_of

OURS = frozenset({"request_id", "by", "role", "expected_version"})
"""Who asks, in which role, and under which id is no question to whoever asks."""
_INNER = frozenset({"request_id", "expected_version"})
_ROWS = 4
_LONG = frozenset({"body", "text", "comment", "note", "evidence", "outcome"})
_LONG_FROM = 400
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_NUMBER = re.compile(r"\[\d+\]")
_PICKED = "#"
"""Between the path of a question and what was picked: a box to be ticked for each."""
_MANY = frozenset({"lines", "picks"})
_CHOSEN = frozenset({"text", "whole", "lines"})
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One question of a form. `path` names it in the document, as problems do: `assets[0].asset_id`.

    kind: text (its `options` are words that may stand for a value), area, number, whole, date, instant, choice, pick (of `options`, each
    called as in `says`), picks (as many of them as one likes), sought (another customer, found by what is typed), hidden, yes_no, lines (a
    value each), pairs (name=value each), group, or list. aside: asked of whoever wants more.
    """

    path: str
    name: str
    kind: str
    required: bool
    options: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    value: str = ""
    problems: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    aside: bool = False

    @property
    def is_touched(self) -> bool:
        """True if something was typed there, or is wrong."""
        return bool(self.value or self.problems) or any(one.is_touched for one in self.fields)

    @property
    def is_wrong(self) -> bool:
        """True if something about it has to be put right."""
        return bool(self.problems) or any(one.is_wrong for one in self.fields)


def fields_of(schema: Schema, aside: frozenset[str] = OURS) -> tuple[Field, ...]:
    """The questions of a request, what has to be answered first."""
    return _of_object(schema, schema.get("$defs", {}), "", aside)


def _of_object(schema: Schema, defs: Schema, prefix: str, aside: frozenset[str]) -> tuple[Field, ...]:
    required = set(schema.get("required", ()))
    found = [
        _field(f"{prefix}{name}", name, one, defs, required=name in required)
        for name, one in schema.get("properties", {}).items()
        if name not in aside
    ]
    return tuple(sorted(found, key=lambda field: not field.required))


def _field(path: str, name: str, schema: Schema, defs: Schema, *, required: bool) -> Field:
    schema = _plain(schema, defs)
    kind = schema.get("type")
    if "enum" in schema:
        return Field(path, name, "choice", required, tuple(map(str, schema["enum"])))
    if "const" in schema:
        return Field(path, name, "choice", required, (str(schema["const"]),))
    if "either" in schema:
        return Field(path, name, "text", required, tuple(schema["either"]))
    if kind == "array":
        inner = _plain(schema.get("items", {}), defs)
        if "enum" in inner:
            return Field(path, name, "picks", required, tuple(map(str, inner["enum"])))
        if inner.get("type") != "object":
            return Field(path, name, "lines", required)
        rows = tuple(
            Field(f"{path}[{n}]", name, "group", False, fields=_of_object(inner, defs, f"{path}[{n}].", _INNER))
            for n in range(_ROWS)
        )
        return Field(path, name, "list", required, fields=rows)
    if kind == "object":
        parts = _of_object(schema, defs, f"{path}.", _INNER)
        return Field(path, name, "group" if parts else "pairs", required, fields=parts)
    if kind == "boolean":
        return Field(path, name, "yes_no", required)
    if kind in ("integer", "number"):
        return Field(path, name, "whole" if kind == "integer" else "number", required)
    kinds = {"date": "date", "date-time": "instant"}
    long = name in _LONG or schema.get("maxLength", 0) > _LONG_FROM
    return Field(path, name, kinds.get(schema.get("format", ""), "area" if long else "text"), required)


def _plain(schema: Schema, defs: Schema) -> Schema:
    """What a field is if it is given: a name looked up, null left out, of a number and its text the number."""
    while True:
        if "$ref" in schema:
            schema = {**defs[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
            continue
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if not options:
            return schema
        given = [_plain(one, defs) for one in options if one.get("type") != "null"]
        if words := [str(word) for one in given for word in one.get("enum", [one["const"]] if "const" in one else ())]:
            return given[0] if len(given) == 1 else {"type": "string", "either": words}
        schema = next((one for one in given if one.get("type") == "number"), given[0])


def filled(fields: Sequence[Field], typed: Mapping[str, str], problems: Sequence[Problem] = ()) -> tuple[Field, ...]:
    """The questions with what was typed, and what is wrong with it."""
    said: dict[str, list[str]] = {}
    for problem in problems:
        said.setdefault(problem.field, []).append(problem.problem)
    return tuple(_filled(field, typed, said) for field in fields)


def _filled(field: Field, typed: Mapping[str, str], said: Mapping[str, list[str]]) -> Field:
    inner = tuple(_filled(one, typed, said) for one in field.fields)
    value = "\n".join(_lines(field.path, typed)) if field.kind in _MANY else typed.get(field.path, field.value)
    return replace(field, value=value, fields=inner, problems=tuple(said.get(field.path, ())))


def arranged(fields: Sequence[Field], first: frozenset[str]) -> tuple[Field, ...]:
    """The questions, aside those that are not asked `first`: by their paths without numbers, such as `assets.add`."""
    return tuple(_arranged(field, first) for field in fields)


def _arranged(field: Field, first: frozenset[str]) -> Field:
    path = _bare(field.path)
    if path in first:
        return field
    if any(one.startswith(f"{path}.") for one in first):
        return replace(field, fields=arranged(field.fields, first))
    return replace(field, aside=True)


def _bare(path: str) -> str:
    return _NUMBER.sub("", path)


def questions_of(fields: Sequence[Field]) -> list[tuple[str, str]]:
    """The questions to which an id may be the answer, each by its path without numbers and its name."""
    found = [(_bare(field.path), field.name) for field in _every(fields) if field.kind in _CHOSEN and not field.options]
    return list(dict.fromkeys(found))


def choosing(
    fields: Sequence[Field],
    known: Mapping[str, Sequence[tuple[str, str]]],
    most: int,
    sought: frozenset[str] = frozenset(),
) -> tuple[Field, ...]:
    """The questions, those whose path without numbers or whose name is `known` as a choice of these ids, each with what it is called;
    of more than `most` nobody chooses, and the id is typed. `sought`: paths under which something is looked for until it is known."""

    def chosen(field: Field) -> Field:
        if field.fields:
            return replace(field, fields=tuple(map(chosen, field.fields)))
        path = _bare(field.path)
        ids = known.get(path, known.get(field.name, ()))
        if field.kind not in _CHOSEN or field.options or not 0 < len(ids) <= most:
            return replace(field, kind="sought") if path in sought and field.kind == "text" else field
        kind = "picks" if field.kind == "lines" else "pick"
        return replace(field, kind=kind, options=tuple(id for id, _ in ids), says=tuple(said for _, said in ids))

    return tuple(map(chosen, fields))


def closed_up(fields: Sequence[Field], typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with the rows of each list as the document has them: one after the other, none of them empty."""
    found = dict(typed)
    for field in fields:
        if field.kind == "list":
            found |= _rows_closed_up(field, found)
    return found


def _rows_closed_up(field: Field, typed: Mapping[str, str]) -> dict[str, str]:
    names = [[path.removeprefix(row.path) for path in _paths(row.fields)] for row in field.fields]
    full = [n for n, row in enumerate(field.fields) if any(typed.get(row.path + name, "").strip() for name in names[n])]
    moved = {row.path + name: "" for row, of in zip(field.fields, names, strict=True) for name in of}
    for to, n in enumerate(full):
        before, after = field.fields[n].path, field.fields[to].path
        moved |= {after + name: typed.get(before + name, "") for name in names[n]}
    return moved


def elsewhere(fields: Sequence[Field], problems: Sequence[Problem]) -> list[Problem]:
    """Problems of what the form does not ask."""
    known = set(_paths(fields))
    return [problem for problem in problems if problem.field not in known]


def _paths(fields: Sequence[Field]) -> Iterator[str]:
    return (field.path for field in _every(fields))


def _every(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _every(field.fields)


def document(fields: Sequence[Field], typed: Mapping[str, str], zone: str) -> dict[str, Any]:
    """What was filled in, as the request has it: what was left empty is left out, times are those of clocks in `zone`."""
    read = ((field.name, _value(field, typed, zone)) for field in fields)
    return {name: value for name, value in read if value is not None}


def _value(field: Field, typed: Mapping[str, str], zone: str) -> Any:
    if field.kind == "group":
        return document(field.fields, typed, zone) or None
    if field.kind == "list":
        return [found for row in field.fields if (found := document(row.fields, typed, zone))] or None
    if field.kind in _MANY:
        return _lines(field.path, typed) or None
    said = typed.get(field.path, "").strip()
    if not said:
        return None
    if field.kind == "pairs":
        pairs = (line.partition("=") for line in said.splitlines() if line.strip())
        return {name.strip(): _number(value.strip()) for name, _, value in pairs}
    if field.kind == "yes_no":
        return {"yes": True, "no": False}.get(said, said)
    if field.kind in ("whole", "number", "date", "instant"):
        said = unicodedata.normalize("NFKC", said)
    if field.kind == "whole":
        return _number(said)
    return _instant(said, zone) if field.kind == "instant" else said


def _lines(path: str, typed: Mapping[str, str]) -> list[str]:
    """What was typed, one on each line, and what was picked."""
    lines = [line.strip() for line in typed.get(path, "").splitlines()]
    picked = [
        name.removeprefix(path + _PICKED) for name, value in typed.items() if value and name.startswith(path + _PICKED)
    ]
    return list(dict.fromkeys(filter(None, [*lines, *picked])))


def _number(said: str) -> int | str:
    return int(said) if re.fullmatch(r"-?\d{1,18}", said) else said


def _instant(said: str, zone: str) -> str:
    """A browser's field of a time has no offset; one that was typed with it stays."""
    if not _LOCAL.fullmatch(said):
        return said
    try:
        return instant_of(datetime.fromisoformat(said), zone).isoformat()
    except (ValueError, OverflowError):
        return said
