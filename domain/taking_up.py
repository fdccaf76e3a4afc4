"""Assets and contracts that came from another system are looked after: what they hold is planned, nothing is acted on in hindsight."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from domain import adoption, onboarding, renewal, reorder
from domain.amending.replanning import joined
from domain.customer import ContractFacts
from domain.decision import Decision, JournalLine, SetContractStatus, Write
from domain.ids import ContractRef
from domain.journey import AccountView, Outcome
from domain.requests import Request
from domain.situation import Situation


class TakeUpHoldings(Request):
    """An import has written `assets` assets and these contracts into the facts."""

    assets: Annotated[int, Field(strict=True, ge=0)]
    contracts: Annotated[tuple[ContractRef, ...], Field(max_length=1000)] = ()


def take_up(situation: Situation, request: TakeUpHoldings, *, opening: bool) -> Decision:
    """The journey's answer. opening: it begins with the import, so that all that the customer holds is planned."""
    situation = replace(situation, imported=True)
    customer = situation.customer
    new = set(request.contracts)
    held = [c for c in customer.contracts if c.status != "ended" and (opening or c.contract_id in new)]
    living = [contract for contract in held if not situation.is_past(contract.term.ends_at)]
    others = any(c.contract_id not in new and c.status != "ended" for c in customer.contracts)
    outcome = Outcome()
    if opening and situation.playbook.onboarding.anniversaries:
        outcome = Outcome(plan=[onboarding.next_anniversary(situation, customer.day_of(customer.account.since))])
    if living and (opening or not others):
        elapsed = (situation.today - customer.day_of(customer.account.since)).days
        first_look = max(1, situation.playbook.adoption.latest_start - elapsed)
        outcome = joined(outcome, adoption.begin(situation, first_look))
    for contract in living:
        outcome = joined(outcome, renewal.take_up(situation, contract))
    if opening and customer.purchases:
        outcome = joined(outcome, reorder.after_order(situation, [p.day for p in customer.purchases]))
    says = f"Installed base taken over: {request.assets} assets, {len(new)} contracts"
    about = Outcome(
        account=AccountView(
            name=customer.account.name, time_zone=customer.account.time_zone, owner=customer.owner.staff_id
        ),
        said=[says],
        answer={"account_id": customer.account.account_id, "assets": request.assets, "contracts": sorted(new)},
    )
    detail = {"contracts": sorted(new), "assets": request.assets}
    return Decision(JournalLine(says, detail=detail), joined(outcome, about), _ended(situation, held))


def _ended(situation: Situation, held: list[ContractFacts]) -> list[Write]:
    return [
        SetContractStatus(contract.contract_id, "ended", "over before it was recorded", situation.as_of)
        for contract in held
        if situation.is_past(contract.term.ends_at)
    ]
