"""What a review of a customer's holds gathers, in the order in which it looks at things."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from domain.frame.decision import JournalLine, Notice
from domain.frame.flight import Channel
from domain.frame.service_facts import HeldMail
from domain.frame.state import Step
from domain.kernel.base import Write


@dataclass
class Reviewed:
    """All of it: what is written and told, what is planned, and what goes on waiting."""

    writes: list[Write] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    lines: list[JournalLine] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    plan: list[Step] = field(default_factory=list)
    deliveries: dict[str, Channel] = field(default_factory=dict)
    released: list[HeldMail] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    attention: dict[str, str | None] = field(default_factory=dict)
    looks: list[datetime] = field(default_factory=list)
    """when something may be otherwise by itself"""
    told: list[str] = field(default_factory=list)
    """what waits, in words for people"""

    def wait(self, what: str, words: str = "") -> None:
        """Something goes on waiting."""
        self.waiting.append(what)
        self.told.append(words or what)

    def note(self, says: str, name: str, kind: str | None = None, *, said: bool = False) -> None:
        """A line of the journal, `said` in the briefing, too."""
        self.lines.append(JournalLine(says, name=name, kind=kind))
        self.said += [says] if said else []

    @property
    def what_waits(self) -> str:
        """The first of what waits, in words."""
        return "; ".join(dict.fromkeys(self.told[:5]))

    @property
    def next_look(self) -> datetime | None:
        """When the earliest of it may be otherwise."""
        return min(self.looks, default=None)
