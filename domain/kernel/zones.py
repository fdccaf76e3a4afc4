"""Time zones by their IANA names, as the tz database lists them: the same names on every machine."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_NO_PLACES = frozenset({"Factory"})
"""In the database, but the clock of no place."""


@cache
def known_zones() -> frozenset[str]:
    """Every IANA name. What a machine has besides (`localtime`, `posix/…`, `right/…` with its leap seconds) is none."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - _NO_PLACES


def known_zone(name: str) -> str:
    """`name` if it is an IANA name. Raises ValueError with what would be one."""
    if name not in known_zones():
        raise ValueError(f"unknown time zone {name[:80]!r}; use an IANA name such as Asia/Tokyo or Europe/Berlin")
    return name


def zone_of(name: str) -> ZoneInfo:
    """The zone with an IANA name. Raises ValueError for any other name."""
    return ZoneInfo(known_zone(name))


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
        raise ValueError(f"no time zone is called {name[:80]!r}")
    return name
