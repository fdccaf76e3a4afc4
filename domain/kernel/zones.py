"""Time zones by their IANA names, and what clocks show there: the one place that knows of `ZoneInfo`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from domain.kernel.business_errors import UnknownTimezoneError

_NO_PLACES = frozenset({"Factory"})
"""In the database, but the clock of no place."""
_HOUR = timedelta(hours=1)


@cache
def known_zones() -> frozenset[str]:
    """Every IANA name. What a machine has besides (`localtime`, `posix/…`, `right/…` with its leap seconds) is none."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - _NO_PLACES


def known_zone(name: str) -> str:
    """`name` if it is an IANA name. Raises ValueError with what would be one."""
    if name not in known_zones():
        raise UnknownTimezoneError(
            f"unknown time zone {name[:80]!r}; use an IANA name such as Asia/Tokyo or Europe/Berlin"
        )
    return name


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """True if there is a time zone of that name here."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def usable_zone(name: str) -> str:
    """`name` if this machine has a time zone of that name, whoever listed it: for what was taken before. Raises ValueError."""
    if not is_zone(name):
        raise ValueError(f"unknown time zone {name[:80]!r}; use an IANA name such as Asia/Tokyo or Europe/Berlin")
    return name


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name that was looked at when it came in."""
    return ZoneInfo(name)


def local_time(instant: datetime, zone: str) -> datetime:
    """What clocks of `zone` show at an instant, with their offset."""
    return instant.astimezone(ZoneInfo(zone))


def wall_clock(instant: datetime, zone: str) -> datetime:
    """What clocks of `zone` show, without its name: so that a month there is a month."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def instant_of(local: datetime, zone: str) -> datetime:
    """The instant, in UTC, at which clocks of `zone` show `local`, a time without an offset.

    A time that the clocks jump over is read one hour later (again and again where the jump is longer: once by a whole day);
    one that they show twice is its first occurrence.
    """
    there = local.replace(tzinfo=ZoneInfo(zone))
    while (instant := there.astimezone(UTC)).astimezone(there.tzinfo).replace(tzinfo=None, fold=0) != local:
        local += _HOUR
        there += _HOUR
    return instant
