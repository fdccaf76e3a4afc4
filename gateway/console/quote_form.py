"""The form of a quote: a row for each thing that is to be sold or changed, and the request that is meant by them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.kernel.refusals import Problem
from gateway.console.fields import Field, document

_ROWS = 6
_KINDS = ("quantity", "sale", "swap", "price", "renew", "cancel")
_PLACE = re.compile(r"lines\[(\d+)\](?:\.(\w+))?(?:\.(\w+))?")
_ASKED_AS = {
    "delta": "quantity",
    "to_product": "product",
    "effective": "start",
    "new_start": "start",
    "line_id": "kind",
    "end": "months",
}
"""The question under which a field of a line is asked."""


def rows_of_lines(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The questions of a quote with its lines as rows; a line is free words for a program, and questions for a person."""
    return tuple(map(_for_people, fields))


def _for_people(field: Field) -> Field:
    if field.path == "lines":
        return replace(field, kind="list", fields=tuple(map(_row, range(_ROWS))))
    return replace(field, kind="hidden") if field.path == "as_of" else field  # nobody types the instant of a preview


def _row(n: int) -> Field:
    at = f"lines[{n}]"

    def field(name: str, kind: str, options: tuple[str, ...] = ()) -> Field:
        return Field(f"{at}.{name}", name, kind, False, options)

    return Field(
        at,
        "lines",
        "group",
        False,
        fields=(
            field("asset_id", "text"),
            field("product", "text"),
            field("quantity", "whole"),
            field("start", "date"),
            field("months", "whole"),
            field("discount", "number"),
            field("kind", "choice", _KINDS),
        ),
    )


def request_of_rows(fields: Sequence[Field], typed: Mapping[str, str], zone: str) -> dict[str, Any]:
    """The request that the form means. Of an asset alone it is units more or fewer, of a product alone a sale, of both a swap."""
    asked = document(fields, typed, zone)
    rows = asked.pop("lines", [])
    lines = [_line(n, row) for n, row in enumerate(rows, 1)]
    off = [_discount(n, row["discount"]) for n, row in enumerate(rows, 1) if "discount" in row]
    if lines:
        asked["lines"] = lines
    if off or "discounts" in asked:
        asked["discounts"] = [*asked.get("discounts", []), *off]
    return asked


def _line(n: int, row: Mapping[str, Any]) -> dict[str, Any]:
    kind = row.get("kind") or _meant(row)
    line: dict[str, Any] = {"kind": kind, "line_id": str(n)}
    given = {name: row.get(name) for name in ("asset_id", "product", "quantity", "start", "months")}
    wanted = {
        "sale": {name: given[name] for name in ("product", "quantity", "start", "months")},
        "quantity": {"asset_id": given["asset_id"], "delta": given["quantity"], "effective": given["start"]},
        "swap": {
            "asset_id": given["asset_id"],
            "to_product": given["product"],
            "quantity": given["quantity"],
            "effective": given["start"],
        },
        "renew": {"asset_id": given["asset_id"], "start": given["start"], "months": given["months"]},
    }
    otherwise = {"asset_id": given["asset_id"], "effective": given["start"]}
    return line | {name: value for name, value in wanted.get(kind, otherwise).items() if value is not None}


def _meant(row: Mapping[str, Any]) -> str:
    if "product" not in row:
        return "quantity"
    return "swap" if "asset_id" in row else "sale"


def _discount(n: int, percent: Any) -> dict[str, Any]:
    return {"name": f"Discount {n}", "kind": "percent", "value": percent, "lines": [str(n)]}


def asked_where(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """What is wrong with the request, told of the questions that it was asked by."""
    return tuple(map(_asked_where, problems))


def _asked_where(problem: Problem) -> Problem:
    found = _PLACE.fullmatch(problem.field)
    if found is None:
        return problem
    # Of a line that can be one of several kinds, the kind stands between the number and the field.
    whole = found[3] is None and found[2] in _KINDS
    name = "asset_id" if whole else found[3] or found[2] or "kind"
    name = _ASKED_AS.get(name, name)
    return problem.having(field=f"lines[{found[1]}].{name}")
