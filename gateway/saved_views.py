"""Lists that answer who needs somebody now: the same in the Temporal UI, in the console and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

RUNNING = "WorkflowType = 'CustomerJourney' AND ExecutionStatus = 'Running'"
_CASES = "WorkflowType = 'ServiceCase' AND ExecutionStatus = 'Running'"
_BATCHES = "WorkflowType = 'Batch' AND ExecutionStatus = 'Running'"
AHEAD = timedelta(weeks=6)


@dataclass(frozen=True)
class SavedView:
    """What a list is of, in people's words, and what it adds to the query of all that run, as of an instant."""

    says: str
    adds: Callable[[datetime], str]
    among: str = RUNNING

    def query(self, now: datetime) -> str:
        """The whole query, as the Temporal UI takes it."""
        return " AND ".join(part for part in (self.adds(now), self.among) if part)

    def whole(self) -> SavedView:
        """The list of all that run, of which this one is a part."""
        return replace(self, says="all that run", adds=lambda now: "")

    def of(self, owner: str) -> SavedView:
        """Those of one of our people, whose id has no quotes in it."""

        def adds(now: datetime) -> str:
            return " AND ".join(part for part in (self.adds(now), f"Owner = '{owner}'") if part)

        return replace(self, says=f"{self.says}, of {owner}", adds=adds)

    def link(self, lists: str, now: datetime) -> str:
        """Where the Temporal UI shows it, whose lists are at `lists`."""
        return f"{lists}?{urlencode({'query': self.query(now)})}"


def _at(instant: datetime) -> str:
    return f"'{instant:%Y-%m-%dT%H:%M:%SZ}'"


JOURNEYS: Mapping[str, SavedView] = {
    "attention": SavedView("journeys that wait for a person", lambda now: "AttentionReasons IS NOT NULL"),
    "overdue": SavedView("journeys that have not done what was due", lambda now: f"NextActionAt < {_at(now)}"),
    "renewals": SavedView(
        "renewals of the next six weeks", lambda now: f"RenewalAt BETWEEN {_at(now)} AND {_at(now + AHEAD)}"
    ),
    "talks": SavedView("customers in renewal talks", lambda now: "JourneyStage = 'renewal'"),
    "unhealthy": SavedView("customers who are not healthy", lambda now: "HealthBand IN ('critical', 'watch')"),
    "held": SavedView("customers whose sales service holds back", lambda now: "AttentionReasons = 'hold'"),
    "paused": SavedView("journeys that somebody paused", lambda now: "AttentionReasons = 'paused'"),
    "stuck": SavedView("journeys that stand still on a bug", lambda now: "TemporalReportedProblems IS NOT NULL"),
    "heavy": SavedView("journeys with a long history", lambda now: "HistoryLength > 2000"),
}
"""Lists of journeys, by their names."""
CASES: Mapping[str, SavedView] = {
    "cases": SavedView("cases that are not over", lambda now: "", _CASES),
    "urgent-cases": SavedView("urgent cases", lambda now: "CasePriority = 'urgent'", _CASES),
    "overdue-cases": SavedView(
        "cases that have not done what was due", lambda now: f"NextActionAt < {_at(now)}", _CASES
    ),
    "attention-cases": SavedView("cases that wait for a person", lambda now: "AttentionReasons IS NOT NULL", _CASES),
    "late-cases": SavedView(
        "cases that are late or escalated", lambda now: "AttentionReasons IN ('late', 'escalated')", _CASES
    ),
    "stuck-cases": SavedView(
        "cases that stand still on a bug", lambda now: "TemporalReportedProblems IS NOT NULL", _CASES
    ),
}
"""Lists of cases, by theirs."""
BATCHES: Mapping[str, SavedView] = {
    "stuck-batches": SavedView(
        "batches that stand still on a bug",
        lambda now: "TemporalReportedProblems IS NOT NULL",
        _BATCHES,
    ),
}
"""Lists of batches."""


def lists_of(ui: str, namespace: str) -> str:
    """Where the Temporal UI at `ui` has its lists."""
    return f"{ui.rstrip('/')}/namespaces/{namespace}/workflows"
