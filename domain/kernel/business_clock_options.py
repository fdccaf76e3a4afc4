"""The conventions on which business clocks differ, each with a name and a default."""

from __future__ import annotations

from enum import StrEnum

from domain.kernel.base import Carried


class TargetBoundary(StrEnum):
    """Where a target lies that is used up exactly when an open period ends."""

    AT_CLOSE = "at_close"
    """at the end of that period: work done a second after closing is late"""
    NEXT_OPEN = "next_open"
    """at the start of the next period"""


class TimePrecision(StrEnum):
    """How finely results are told."""

    SECOND = "second"
    """as exact as the instants given"""
    MINUTE = "minute"
    """cut down to whole minutes"""


class PauseClock(StrEnum):
    """How a pause moves a target."""

    BUSINESS = "business"
    """only its open part counts"""
    WALL = "wall"
    """its whole length is added to the target, open or not"""


class Negative(StrEnum):
    """What a target below zero means."""

    REJECT = "reject"
    BACKWARD = "backward"
    """go back through open time"""


class NoHours(StrEnum):
    """What a calendar without any opening hours means."""

    ERROR = "error"
    WALL_CLOCK = "wall_clock"
    """count every minute, as if there were no calendar"""


class DayMethod(StrEnum):
    """How business days are added."""

    KEEP_CLOCK = "keep_clock"
    """go forward by dates that have open time, keep the local clock time, then move on to the next open instant"""
    WHOLE_DAYS = "whole_days"
    """count dates that still have open time; the result is the end of the last one, or the start when going back"""


class ClockOptions(Carried):
    """The conventions on which business clocks differ; the defaults are this product's choice."""

    boundary: TargetBoundary = TargetBoundary.AT_CLOSE
    precision: TimePrecision = TimePrecision.SECOND
    pause_clock: PauseClock = PauseClock.BUSINESS
    negative: Negative = Negative.REJECT
    no_hours: NoHours = NoHours.ERROR


DEFAULTS = ClockOptions()
