"""Times of day as they are written in calendars."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.zones import instant_of

MINUTES_A_DAY = 24 * 60
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")


def minute_of(clock: str) -> int:
    """Minutes since midnight of a clock text `HH:MM`; `24:00` is the end of the day (1440).

    Raises:
        ServiceRuleError: not a time of day.
    """
    if found := _CLOCK.fullmatch(clock):
        minute = int(found[1]) * 60 + int(found[2])
        if minute <= MINUTES_A_DAY:
            return minute
    raise ServiceRuleError(f"{clock!r} is no time of day; write HH:MM from 00:00 to 24:00")


def at_minute(zone: str, on: date, minute: int) -> datetime:
    """The instant, in UTC, at which the clocks of `zone` show `minute` minutes after midnight of `on`, as `instant_of` has it;
    minute 1440 is midnight of the next date."""
    return instant_of(datetime.combine(on, time()) + timedelta(minutes=minute), zone)
