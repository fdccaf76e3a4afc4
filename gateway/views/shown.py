"""What of a view somebody is shown: fields are marked with the group that they belong to, and left out for whoever may not see it.

class Holding(View):
    name: str
    price: Annotated[Decimal, FieldGroup.PRICES]
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, GetJsonSchemaHandler, PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.frame.access import MAY_SEE, FieldGroup, Principal
from domain.kernel.money import without_sums

At = Annotated[AwareDatetime, PlainSerializer(lambda at: at.isoformat(), str, when_used="json")]
"""An instant that keeps the offset in which it was said."""


def plain(value: Decimal) -> str:
    """A number without the zeros that its column fills it up with."""
    return format(value.normalize(), "f")


Exact = Annotated[Decimal, PlainSerializer(plain, str, when_used="json")]
"""Exact revenue, which is kept to twelve places, as a year's price divides by twelve."""

OF_SUMS = "sums of money in these words are for those who see prices"
"""Marks words of ours, such as a line of the journal: `Annotated[str, OF_SUMS]`."""


class View(BaseModel):
    """What is on record, as it is shown. Its schema says of each field that not everybody sees, who does."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(core_schema)
        schema = handler.resolve_ref_schema(found)
        for name, groups in _groups(cls).items():
            roles = frozenset[str].intersection(*(MAY_SEE[group] for group in groups))
            field = schema["properties"][name]
            said = f"Shown to: {', '.join(sorted(roles))}."
            schema["properties"][name] = {**field, "description": f"{field.get('description', '')} {said}".strip()}
            schema["required"] = [one for one in schema.get("required", []) if one != name]
        return found


def shown(view: BaseModel, who: Principal) -> dict[str, Any]:
    """A view as JSON, without the fields that are not for `who`."""
    return without_hidden(view, view.model_dump(mode="json"), who)


def without_hidden(value: BaseModel, document: Mapping[str, Any], who: Principal) -> dict[str, Any]:
    """A document without the fields that are not for `who`; `value` is what is read in it."""
    left = deepcopy(dict(document))
    _leave_out(value, left, frozenset(group for group in FieldGroup if not who.sees(group)))
    return left


def _leave_out(value: Any, document: Any, hidden: frozenset[FieldGroup]) -> None:
    """Takes hidden fields out of `document`, which `value` was written as."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if not hidden.isdisjoint(_groups(type(value)).get(name, ())):
                document.pop(name, None)
            elif FieldGroup.PRICES in hidden and OF_SUMS in type(value).model_fields[name].metadata:
                document[name] = _without_sums(document[name])
            elif name in document:
                _leave_out(getattr(value, name), document[name], hidden)
    elif isinstance(value, list | tuple):
        for one, written in zip(value, document, strict=True):
            _leave_out(one, written, hidden)
    elif isinstance(value, dict):
        for one, written in zip(value.values(), document.values(), strict=True):
            _leave_out(one, written, hidden)


def _without_sums(value: Any) -> Any:
    """Words without sums of money, however deep they stand."""
    if isinstance(value, dict):
        return {name: _without_sums(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_sums(one) for one in value]
    return without_sums(value) if isinstance(value, str) else value


@cache
def _groups(model: type[BaseModel]) -> dict[str, tuple[FieldGroup, ...]]:
    """The groups of each field that has some."""
    marked = {
        name: tuple(one for one in field.metadata if isinstance(one, FieldGroup))
        for name, field in model.model_fields.items()
    }
    return {name: groups for name, groups in marked.items() if groups}
