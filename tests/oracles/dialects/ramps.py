"""Ramps: a term cut into segments, perhaps with a trial first and one short segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from domain.assets.errors import SegmentError
from domain.assets.proration_policy import RemainderTo
from domain.assets.worth import MOST_SEGMENTS
from domain.kernel.calendar import add_months


class SegmentKind(StrEnum):
    TRIAL = "trial"
    WHOLE = "whole"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Segment:
    """The days from `start` up to, but without, `end`; a trial counts no months."""

    kind: SegmentKind
    start: date
    end: date
    months: int


def ramp_segments(
    start: date,
    total_months: int,
    segment_months: int,
    *,
    trial_days: int = 0,
    remainder: RemainderTo = RemainderTo.LAST,
    most: int | None = MOST_SEGMENTS,
) -> list[Segment]:
    """Cut a ramp into segments, counted in months from its first day after the trial.

    Raises:
        SegmentError: No months, or more than `most` segments; None sets no limit.
    """
    if total_months < 1 or segment_months < 1 or trial_days < 0:
        raise SegmentError("a ramp and its segments have at least one month")
    whole, rest = divmod(total_months, segment_months)
    lengths = [segment_months] * whole
    if rest:
        lengths.insert(0 if remainder is RemainderTo.FIRST else whole, rest)
    base = start + timedelta(days=trial_days)
    segments = [Segment(SegmentKind.TRIAL, start, base, 0)] if trial_days else []
    passed = 0
    for months in lengths:
        kind = SegmentKind.WHOLE if months == segment_months else SegmentKind.PARTIAL
        segments.append(Segment(kind, add_months(base, passed), add_months(base, passed + months), months))
        passed += months
    check_segments([(segment.start, segment.end) for segment in segments], most)
    return segments


def check_segments(spans: Sequence[tuple[date, date]], most: int | None = MOST_SEGMENTS) -> None:
    """Raise `SegmentError` unless the half-open spans follow each other without gap or overlap and are not too many."""
    if most is not None and len(spans) > most:
        raise SegmentError(f"{len(spans)} segments; a ramp has at most {most}")
    for (_, end), (start, _) in pairwise(spans):
        if start != end:
            raise SegmentError(f"{'gap' if start > end else 'overlap'} between segments at {min(start, end)}")
    for start, end in spans:
        if end <= start:
            raise SegmentError(f"the segment from {start} is empty")
