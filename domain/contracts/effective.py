"""The day on which a scheduled change takes effect."""

from __future__ import annotations

from domain.contracts.telling import takes_effect
from domain.frame.decision import Decision, JournalLine
from domain.frame.ownership import prices_begun
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step


def effective(situation: Situation, step: Step) -> Decision:
    """A change that was agreed for today holds from now on: the journal and the briefing say so."""
    request_id = step.about
    closing = Outcome(stages={step.stage: None})
    said = takes_effect(situation.records, situation.customer, request_id, step.at)
    if not said:
        return Decision(JournalLine("A scheduled change was taken back or overtaken", kind="skipped"), closing)
    says = f"Takes effect: {said[0]}"
    more = [JournalLine(f"Takes effect: {line}", name=str(number)) for number, line in enumerate(said[1:], 2)]
    prices = prices_begun(situation, situation.customer.assets)
    return Decision(JournalLine(says), closing.having(said=[says]), list(prices), more_lines=more)
