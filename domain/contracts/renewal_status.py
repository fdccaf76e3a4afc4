"""Where the renewal of a term stands."""

from __future__ import annotations

from enum import StrEnum


class RenewalStatus(StrEnum):
    """Where the renewal of a term stands, as its stage shows it."""

    EVERGREEN = "evergreen"
    """nothing ends until notice is given"""
    WAITING = "waiting"
    QUOTED = "quoted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    GRACE = "grace"
