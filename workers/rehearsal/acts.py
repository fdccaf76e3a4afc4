"""Acts of a story: on a day, at an hour, somebody asks something of the customer's journey or of a case, or a list price changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from domain.kernel.base import Received
from domain.kernel.calendar import local_instant
from workers.rehearsal.letters import Letter

_DAY = re.compile(r"day ([+-]?\d{1,5})(?: (\d\d:\d\d))?")


class Act(Received):
    """Something that somebody does: an update of the journey, or of `case`; `open` opens that case, `price` is a new list price,
    `mail` is written by the customer.

    `day` counts from the first order's local day, `at` is the customer's local time. In the documents the text `day 90`
    stands for that local date, and `day 90 10:30` for that instant. `refused` names the refusal that the story is about:
    the act is refused, or the story does not hold.
    """

    day: Annotated[int, Field(ge=0, le=10_000)]
    at: time = time(11)
    ask: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")] | None = None
    request: dict[str, Any] = {}
    case: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    open: dict[str, Any] | None = None
    price: dict[str, Any] | None = None
    mail: Letter | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if sum(each is not None for each in (self.ask, self.open, self.price, self.mail)) != 1:
            raise ValueError(
                "give one of ask (an update, with its request), open (a new case), price (a new list price), mail"
            )
        if self.open is not None and self.case is None:
            raise ValueError("a case that is opened needs its id in case")
        return self

    @property
    def name(self) -> str:
        """What is done, in a word."""
        named = {"open": self.open, "price": self.price, "mail": self.mail}
        return self.ask or next(name for name, given in named.items() if given is not None)


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
            _dated(act.open or act.price or act.request, first_day, zone),
        )
        for act in acts
    ]
    return sorted(found, key=lambda scheduled: scheduled.at)


def _dated(value: Any, first_day: date, zone: str) -> Any:
    """`value` with every `day N` as the local date, or the instant, that it stands for."""
    match value:
        case dict():
            return {key: _dated(item, first_day, zone) for key, item in value.items()}
        case list():
            return [_dated(item, first_day, zone) for item in value]
        case str() if found := _DAY.fullmatch(value):
            day = first_day + timedelta(days=int(found[1]))
            return local_instant(day, zone, time.fromisoformat(found[2])).isoformat() if found[2] else day.isoformat()
        case _:
            return value
