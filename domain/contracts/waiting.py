"""What a contract promised waits while one of its assets is on its way to another customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from domain.frame.decision import Decision, JournalLine
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.unread import known_of

AGAIN_AFTER = timedelta(hours=1)
_MARK = "~"

Rule = Callable[..., Decision]


def unless_locked(rule: Rule) -> Rule:
    """The rule of a contract's step, asked again an hour later as long as an asset of the contract is locked.

    What is done is done once under a step's name, so each look has a name of its own: `term-end`, `term-end~1`, …
    """

    def decide(situation: Situation, step: Step, *looked: Any) -> Decision:
        contract_id = step.about
        name, _, looks = step.name.partition(_MARK)
        locked = [
            r for r in known_of(situation.records).values() if r.lock is not None and r.asset.contract_id == contract_id
        ]
        if not locked:
            return rule(situation, step.having(name=name), *looked)
        later = situation.as_of + AGAIN_AFTER
        again = step.having(name=f"{name}{_MARK}{int(looks or 0) + 1}", at=later)
        says = f"{name} of {contract_id} waits: {locked[0].asset.asset_id} is on its way to another account"
        return Decision(JournalLine(says, kind="skipped"), Outcome(plan=[again]))

    return decide
