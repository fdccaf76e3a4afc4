"""The two kinds of pydantic model that everything here is made of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from domain.kernel.plain import STORED, plainly

_Fields = ParamSpec("_Fields")
_Model = TypeVar("_Model", bound=BaseModel)
_Lean = TypeVar("_Lean", bound="Carried")
_KNOWN: dict[frozenset[str], set[str]] = {}
"""The names of fields that were said of models which are kept for long."""
_NO_OFFSET = timedelta(0)


class Received(BaseModel):
    """What comes from outside: an unknown field is an error that the sender should hear of, and so is an odd spelling."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return plainly(handler(source), cls)

    @classmethod
    def stored(cls, value: Any) -> Self:
        """The document as our own tables have it. Raises ValidationError as `model_validate` does."""
        return cls.model_validate(value, context=STORED)

    def having(self, **changes: Any) -> Self:
        """A copy with other fields, which are not checked."""
        return _copied(self, changes)


class Carried(BaseModel):
    """What workflows and tables carry: fields that a newer release wrote are left aside, so that an older worker can read on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def having(self, **changes: Any) -> Self:
        """A copy with other fields, which are not checked."""
        return _copied(self, changes)


_new = object.__new__
# What the slots of a model are written by; what `object.__setattr__` does takes twice as long.
_set_values, _set_known, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def _copied(model: _Model, changes: dict[str, Any]) -> _Model:
    """As pydantic's `model_copy`, but faster, as ledgers copy a lot."""
    made, known = _new(type(model)), model.__pydantic_fields_set__
    values = {**model.__dict__, **changes}
    _set_values(made, values)
    _set_known(made, known if len(known) == len(values) else known | changes.keys())
    _set_extra(made, None)
    _set_private(made, None)
    return made


_MAKE = """
def make(*, {arguments}):
    made = NEW(KIND)
    VALUES(made, {{{values}}})
    KNOWN(made, EVERY)
    EXTRA(made, None)
    PRIVATE(made, None)
    return made
"""


def build_late() -> None:
    """From here on a model is made ready when it is first used, not where it is defined: for what is over in a moment."""
    for kind in (Received, Carried):
        kind.model_config["defer_build"] = True


def unchecked(model: Callable[_Fields, _Model]) -> Callable[_Fields, _Model]:
    """The constructor of `model` for values that rules have made of checked ones: it takes them as they are, which is faster.

    They have the fields' own types: tuples and not lists, enums and not their text, instants in UTC. Every field counts as set.
    It is written out for the model, as dataclasses do, since nothing else is called as often.
    """
    kind = cast("type[_Model]", model)
    fields = kind.model_fields
    needed = [name for name, field in fields.items() if field.is_required() or field.default_factory]
    defaults = {f"_{name}": field.default for name, field in fields.items() if name not in needed}
    names: dict[str, Any] = {
        **defaults,
        **{"NEW": _new, "KIND": kind, "EVERY": set(fields)},
        **{"VALUES": _set_values, "KNOWN": _set_known, "EXTRA": _set_extra, "PRIVATE": _set_private},
    }
    arguments = ", ".join([*needed, *(f"{name[1:]}={name}" for name in defaults)])
    exec(_MAKE.format(arguments=arguments, values=", ".join(f"{name!r}: {name}" for name in fields)), names)
    names["make"].__qualname__ = f"unchecked({kind.__name__})"
    return cast("Callable[_Fields, _Model]", names["make"])


def lean(model: _Lean) -> _Lean:
    """The same for whoever keeps many of them for years: what documents say alike is held once, words and the names of what was said
    among it."""
    made, known = _new(type(model)), model.__pydantic_fields_set__
    _set_values(made, {name: _lean_value(value) for name, value in model.__dict__.items()})
    _set_known(made, _KNOWN.setdefault(frozenset(known), known))
    _set_extra(made, None)
    _set_private(made, None)
    return made


def _lean_value(value: Any) -> Any:
    if type(value) is str:
        return sys.intern(value)
    if type(value) is datetime and value.tzinfo is not UTC and value.utcoffset() == _NO_OFFSET:
        return value.replace(tzinfo=UTC)
    return value


class Write:
    """Something that a decision has written to the facts, in its own transaction. Each area has its own in `writes.py`; what carries
    them out stands in the room of the same name in `activities/`."""
