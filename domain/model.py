"""The two kinds of pydantic model that everything here is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Received(BaseModel):
    """What comes from outside: an unknown field is an error that the sender should hear of."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Carried(BaseModel):
    """What workflows and tables carry: fields that a newer release wrote are left aside, so that an older worker can read on."""

    model_config = ConfigDict(frozen=True, extra="ignore")
