"""The conventions on which service clocks differ, each with a name and a default."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

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


class ReopenRule(StrEnum):
    """What a reopening means for the resolution."""

    TOTAL = "total"
    """the clock goes on, without the time in which the case was closed"""
    FIRST = "first"
    """the first resolution counts, the clock does not start again"""


class ZeroTarget(StrEnum):
    """What a configured target of zero means."""

    NO_MILESTONE = "no_milestone"
    NEXT_OPEN = "next_open"
    """due at once, or at the next opening"""


class MilestoneOptions(Carried):
    """The conventions on which milestone clocks differ; the defaults are this product's choice."""

    clock: ClockOptions = DEFAULTS
    reopen: ReopenRule = ReopenRule.TOTAL
    zero_target: ZeroTarget = ZeroTarget.NO_MILESTONE
    pause_answers: bool = False
    """whether setting a case to waiting counts as the first response"""
    resolution_answers: bool = True
    """whether a resolution answers the customer who waits: they hear what was done"""
    least_elapsed: timedelta = timedelta(0)
    """reported for a completed milestone that used less open time, where zero would read as 'not yet'"""
    looked_at: tuple[AwareDatetime, ...] | None = None
    """none: event times decide; given: late work is missed only when one of these looks came between due and done"""
