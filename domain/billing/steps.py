"""The journey's own part in billing: on the day on which something falls due, the contract is looked at again."""

from __future__ import annotations

from domain.billing.writes import BillDue
from domain.frame.decision import Decision, JournalLine
from domain.frame.keys import StageId
from domain.frame.situation import Situation
from domain.frame.state import Step


def invoice(situation: Situation, step: Step) -> Decision:
    """Whatever has fallen due by now is invoiced; a contract that is gone or an asset that was given up leaves nothing due."""
    _, name, what = StageId.parse(step.stage)
    due = BillDue(contract_id=name) if what == "contract" else BillDue(asset_id=name)
    return Decision(JournalLine(f"Billing of {name}, {situation.today}"), writes=[due])
