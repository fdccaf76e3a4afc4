"""The conventions on which service clocks differ, each with a name and a default."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from domain.kernel.base import Carried
from domain.kernel.business_clock_options import DEFAULTS, ClockOptions


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
