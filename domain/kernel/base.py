"""The two kinds of pydantic model that everything here is made of."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from domain.kernel.plain import STORED, plainly

_set = object.__setattr__


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
        _set(made, "__pydantic_fields_set__", self.__pydantic_fields_set__ | changes.keys())
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made


class Write:
    """Something that a decision has written to the facts, in its own transaction. Each area has its own in `writes.py`; what carries
    them out stands in the room of the same name in `activities/`."""
