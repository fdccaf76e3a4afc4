"""What a term has brought a customer, as the notice says it that has the price of the next one: what is not known is left out."""

from __future__ import annotations

from typing import Any

from domain.frame.customer import ContractFacts
from domain.frame.renewal_facts import TermValue
from domain.frame.situation import Situation
from domain.kernel.money import half_up, money

LEAST_DAYS = 28
"""So many days of use have to be reported before it is spoken of."""


def value_context(situation: Situation, contract: ContractFacts, value: TermValue) -> dict[str, Any] | None:
    """What a mail says of a term so far; null if nothing is known of it. Use is in whole users, money in the contract's currency."""
    seats = _seats(situation, contract)
    least = situation.playbook.adoption.low
    use = [
        {"product": one.name, "active": int(half_up().apply(one.active))}
        for one in value.use
        if one.product in seats and one.days >= LEAST_DAYS and one.active >= least * seats[one.product]
    ]
    back = value.given_back.get(contract.currency)
    said: dict[str, Any] = {
        "use": use,
        "cases": {"solved": value.solved, "kept": value.kept} if value.solved else None,
        "given_back": money(back, contract.currency).told() if back else None,
        "units": _changed_units(situation, contract),
    }
    if not any(said.values()):
        return None
    return {"since": contract.term.start_on.isoformat(), "as_of": situation.today.isoformat(), **said}


def _seats(situation: Situation, contract: ContractFacts) -> dict[str, int]:
    """Paid units of each product now: what is hardly used has brought nothing that could be said of it."""
    found: dict[str, int] = {}
    for asset in situation.customer.assets_of(contract.contract_id):
        held = asset.at(situation.as_of)
        found[asset.product] = found.get(asset.product, 0) + (held.quantity if held is not None else 0)
    return found


def _changed_units(situation: Situation, contract: ContractFacts) -> list[dict[str, Any]]:
    """What they had as the term began and have now, where that is not the same."""
    found = []
    for asset in situation.customer.assets_of(contract.contract_id):
        first, now = asset.at(contract.term.starts_at), asset.at(situation.as_of)
        if first is not None and now is not None and first.quantity != now.quantity:
            found.append({"product": asset.product_name, "first": first.quantity, "now": now.quantity})
    return found
