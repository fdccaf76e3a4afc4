"""The two kinds of pydantic model that everything here is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from domain.kernel.plain import STORED, plainly

_set = object.__setattr__
_Fields = ParamSpec("_Fields")
_Model = TypeVar("_Model", bound=BaseModel)


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
        return self.model_copy(update=changes)


class Carried(BaseModel):
    """What workflows and tables carry: fields that a newer release wrote are left aside, so that an older worker can read on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def having(self, **changes: Any) -> Self:
        """A copy with other fields, which are not checked: as pydantic's `model_copy`, but faster, as ledgers copy a lot."""
        made = object.__new__(type(self))
        _set(made, "__dict__", {**self.__dict__, **changes})
        known = self.__pydantic_fields_set__
        _set(made, "__pydantic_fields_set__", known if known.issuperset(changes) else known | changes.keys())
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made


def unchecked(model: Callable[_Fields, _Model]) -> Callable[_Fields, _Model]:
    """The constructor of `model` for values that rules have made of checked ones: it takes them as they are, which is faster.

    They have the fields' own types: tuples and not lists, enums and not their text, instants in UTC. Every field counts as set.
    """
    kind = cast("type[_Model]", model)
    fields = kind.model_fields
    needed = frozenset(name for name, field in fields.items() if field.is_required() or field.default_factory)
    blank, every = {name: field.default for name, field in fields.items()}, set(fields)

    def make(*_: _Fields.args, **given: _Fields.kwargs) -> _Model:
        values = {**blank, **given}
        if len(values) > len(every) or not needed <= given.keys():
            wrong = given.keys() - every or needed - given.keys()
            raise TypeError(f"{kind.__name__} has other fields, or lacks some: {', '.join(sorted(wrong))}")
        made = object.__new__(kind)
        _set(made, "__dict__", values)
        _set(made, "__pydantic_fields_set__", every)
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made

    return make


class Write:
    """Something that a decision has written to the facts, in its own transaction. Each area has its own in `writes.py`; what carries
    them out stands in the room of the same name in `activities/`."""
