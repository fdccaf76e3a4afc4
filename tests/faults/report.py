"""What a run came to, as JSON and for people."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.faults.checking import Finding, Kind

SHOWN = 40


@dataclass
class Report:
    """Counts, and what the checker found."""

    seed: int
    began: float = field(default_factory=time.monotonic)
    faults: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    restored: list[dict[str, Any]] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)
    by_itself: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    planted: dict[str, bool] = field(default_factory=dict)
    """what was planted, and whether it was found"""
    journeys: int = 0
    cases: int = 0
    steps: int = 0
    documents: int = 0
    mails: int = 0
    resent: int = 0
    issued_late: int = 0
    days: int = 0
    seconds: float = 0.0

    def count(self, kind: Kind) -> int:
        """How many findings of a kind there are."""
        return sum(finding.kind is kind for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The figures."""
        minutes = max(self.seconds / 60, 1e-9)
        return {
            "faults": self.faults.total(),
            **{kind.value: self.count(kind) for kind in Kind},
            "journeys": self.journeys,
            "cases": self.cases,
            "seed": self.seed,
            "minutes": round(minutes, 1),
            "faults_by_kind": dict(sorted(self.faults.items())),
            "left_out": self.left_out,
            "sent_twice_under_one_message_id": self.resent,
            "issued_late_as_a_moved_clock_ran_on": self.issued_late,
            "messages_delivered_twice": self.again.total(),
            "restored": self.restored,
            "recovery_seconds": [round(seconds, 1) for seconds in self.recovered],
            "ended_by_themselves": dict(self.by_itself),
            "customer_years": round(self.days / 365, 1),
            "steps": self.steps,
            "documents": self.documents,
            "mails": self.mails,
            "actions_a_minute": round((self.answered.total() + self.again.total() + self.steps) / minutes, 1),
            **({"planted_and_found": self.planted} if self.planted else {}),
            "found": [f"{finding.kind}: {finding.says}" for finding in self.findings[:SHOWN]],
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        found = self.as_json()
        said = found.pop("found")
        for name, value in found.items():
            yield f"{name.replace('_', ' '):<34}{value}"
        yield from said
