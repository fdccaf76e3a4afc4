"""Local clock times as instants, on days when the clock jumps too."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.kernel import zones
from domain.kernel.business_errors import ServiceRuleError, UnknownTimezoneError

MINUTES_A_DAY = 24 * 60
_HOUR = timedelta(hours=1)
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
# The longest gap on record is a whole day (Samoa, 2011).
_GAP_LIMIT = 25


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone `name`, such as `Europe/Berlin`.

    Raises:
        UnknownTimezoneError: the database has no such zone.
    """
    try:
        return zones.zone_of(name)
    except ValueError as cause:
        raise UnknownTimezoneError(
            f"{name!r} is no IANA time zone; use a name such as Europe/Berlin, Asia/Tokyo or UTC"
        ) from cause


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


def resolve_local(zone: ZoneInfo, on: date, minute: int) -> datetime:
    """The instant, in UTC, at which the clocks of `zone` show `minute` minutes after midnight of `on`.

    A time that the clocks jump over is read one hour later (again and again where the jump is longer); one that they
    show twice is its first occurrence; minute 1440 is midnight of the next date by the same rules.
    """
    local = datetime(on.year, on.month, on.day, tzinfo=zone) + timedelta(minutes=minute)
    for _ in range(_GAP_LIMIT):
        instant = local.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None):
            return instant
        local += _HOUR
    raise ServiceRuleError(f"{on} does not exist in {zone.key}; choose another date")
