"""The journey's own part in billing: on the day on which something falls due, the contract is looked at again."""

from __future__ import annotations

from domain.billing.writes import BillDue
from domain.frame.decision import Decision, JournalLine
from domain.frame.keys import StageId
from domain.frame.ownership import prices_begun
from domain.frame.situation import Situation
from domain.frame.state import Step


def invoice(situation: Situation, step: Step) -> Decision:
    """Whatever has fallen due by now is invoiced; a contract that is gone or an asset that was given up leaves nothing due.
    A price that was agreed for today, as by a ramp, is the one that counts from now on."""
    _, name, what = StageId.parse(step.stage)
    of_contract = what == "contract"
    due = BillDue(contract_id=name) if of_contract else BillDue(asset_id=name)
    prices = prices_begun(situation, situation.customer.assets_of(name)) if of_contract else []
    return Decision(JournalLine(f"Billing of {name}, {situation.today}"), writes=[due, *prices])
