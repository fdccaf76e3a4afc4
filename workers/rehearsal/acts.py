"""Acts of a story: on a day, at an hour, somebody asks something of the customer's journey or of a case, through the public doors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from domain.calendar import local_instant
from domain.model import Received

_DAY = re.compile(r"day ([+-]?\d{1,5})")


class Act(Received):
    """Something that somebody does: an update of the journey, or of `case`; `open` opens that case.

    `day` counts from the first order's local day, `at` is the customer's local time. In `request` and `open` the text `day 90`
    stands for that local date. `refused` names the refusal that the story is about: the act is refused, or the story does not hold.
    """

    day: Annotated[int, Field(ge=0, le=10_000)]
    at: time = time(11)
    ask: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")] | None = None
    request: dict[str, Any] = {}
    case: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    open: dict[str, Any] | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if (self.ask is None) == (self.open is None):
            raise ValueError("give either ask (the name of an update, with its request) or open (a new case)")
        if self.open is not None and self.case is None:
            raise ValueError("a case that is opened needs its id in case")
        return self


@dataclass(frozen=True)
class Scheduled:
    """An act with its instant, and the days in its request as dates."""

    at: datetime
    act: Act
    document: dict[str, Any]


def scheduled(acts: list[Act], first_day: date, zone: str) -> list[Scheduled]:
    """The acts in the order in which they happen, for a story that begins on `first_day` in `zone`."""
    found = [
        Scheduled(
            local_instant(first_day + timedelta(days=act.day), zone, act.at),
            act,
            _dated(act.request if act.open is None else act.open, first_day),
        )
        for act in acts
    ]
    return sorted(found, key=lambda scheduled: scheduled.at)


def _dated(value: Any, first_day: date) -> Any:
    """`value` with every `day N` as the local date that it stands for."""
    match value:
        case dict():
            return {key: _dated(item, first_day) for key, item in value.items()}
        case list():
            return [_dated(item, first_day) for item in value]
        case str() if found := _DAY.fullmatch(value):
            return (first_day + timedelta(days=int(found[1]))).isoformat()
        case _:
            return value
