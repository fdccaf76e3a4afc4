"""What was asked, what became of it, which steps were reached, and whether that was enough."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

ENOUGH_ACCEPTED = 20
"""How often each kind of request has to be accepted in a run of thirty minutes."""
LEAST_REFUSED = 1 / 3


@dataclass
class Tally:
    """Counts by name: of a journey's updates and, with `case.` before them, of a case's."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    activities: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    compared: set[str] = field(default_factory=set)
    """accounts whose agendas were compared with the facts"""
    apart: dict[str, dict[str, str]] = field(default_factory=dict)
    """what of them was otherwise when it was first seen, by account and what it is about"""

    def knows(self, account_id: str, abouts: Sequence[str]) -> bool:
        """True if all this was otherwise before."""
        return set(abouts) <= set(self.apart.get(account_id, {}))

    def compare(self, account_id: str, apart: Mapping[str, str], when: str) -> dict[str, str]:
        """Keeps what an agenda has otherwise, in words by what it is about; returns what is new of it."""
        self.compared.add(account_id)
        known = self.apart.get(account_id, {})
        new = {about: f"{says} ({when})" for about, says in apart.items() if about not in known}
        if new:
            self.apart[account_id] = known | new
        return new

    def table(self, requests: Sequence[str], steps: Sequence[str]) -> str:
        """The counts, a line for each kind."""
        lines = [f"{'request':<28}{'accepted':>9}{'refused':>9}"]
        lines += [f"{name:<28}{self.accepted[name]:>9}{self.refused[name]:>9}" for name in requests]
        asked = sum(self.accepted.values()) + sum(self.refused.values())
        lines.append(f"{'in all':<28}{sum(self.accepted.values()):>9}{sum(self.refused.values()):>9}  of {asked}")
        lines += ["", f"{'step':<28}{'reached':>9}"]
        lines += [f"{name:<28}{self.activities[name]:>9}" for name in steps]
        lines += [
            "",
            f"agendas that follow from the facts: {len(self.compared) - len(self.apart)} of {len(self.compared)}",
            *(f"  {account}: {says}" for account, said in self.apart.items() for says in said.values()),
            "",
            "refused most often as: " + ", ".join(f"{n} × {kind}" for kind, n in self.reasons.most_common(12)),
        ]
        return "\n".join(lines)

    def shortcomings(self, requests: Sequence[str], steps: Sequence[str], scale: float) -> list[str]:
        """What did not happen often enough. scale: 1 for thirty minutes, less for shorter runs."""
        asked = sum(self.accepted.values()) + sum(self.refused.values())
        found = []
        if sum(self.refused.values()) < LEAST_REFUSED * asked:
            found.append(
                f"only {sum(self.refused.values())} of {asked} requests were refused; at least a third has to be"
            )
        enough = int(ENOUGH_ACCEPTED * scale)
        found += [
            f"{name} was accepted {self.accepted[name]} times; at least {enough} are wanted"
            for name in requests
            if self.accepted[name] < enough
        ]
        if scale >= 1:
            found += [f"the step {name} was never reached" for name in steps if not self.activities[name]]
        return found


class Watching(Interceptor):
    """Counts what activities come to, and keeps what went wrong in one."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _WatchedActivity(next, self.tally)


class _WatchedActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, tally: Tally) -> None:
        super().__init__(next)
        self._tally = tally

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name = str(getattr(input.fn, "__name__", input.fn))
        try:
            result = await self.next.execute_activity(input)
        except ApplicationError as error:
            if error.type == "StepFailed":
                said = "".join(traceback.format_exception(error.__cause__ or error))
                self._tally.failures.append(f"StepFailed in {name} with {input.args}\n{said}")
            raise
        self._tally.activities[name] += 1
        return result
