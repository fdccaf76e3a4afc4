"""Assets and contracts that came from another system are looked after; what is planned follows from the facts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.contracts.writes import SetContractStatus
from domain.frame.customer import ContractStatus
from domain.frame.decision import Decision, JournalLine
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.kernel.base import Write
from domain.kernel.ids import ContractRef
from domain.kernel.requests import Request
from domain.kernel.shown import counted


class TakeUpHoldings(Request):
    """An import has written `assets` assets and these contracts into the facts; sent by `perennial import assets`.

    The agenda follows from what the customer holds. It begins the journey if there is none.
    """

    assets: Annotated[int, Field(strict=True, ge=0)]
    contracts: Annotated[tuple[ContractRef, ...], Field(max_length=1000)] = ()


def take_up(situation: Situation, request: TakeUpHoldings) -> Decision:
    """The journey's answer. A contract that was over before it was recorded is ended; nothing is acted on in hindsight."""
    customer, new = situation.customer, set(request.contracts)
    over: list[Write] = [
        SetContractStatus(contract.contract_id, ContractStatus.ENDED, "over before it was recorded", situation.as_of)
        for contract in customer.contracts
        if contract.status != ContractStatus.ENDED
        and contract.contract_id in new
        and contract.term.ends_at < situation.as_of
    ]
    says = f"Installed base taken over: {counted(request.assets, 'asset')}, {counted(len(new), 'contract')}"
    about = Outcome(
        account=situation.account_view,
        said=[says],
        answer={"account_id": customer.account.account_id, "assets": request.assets, "contracts": sorted(new)},
    )
    detail = {"contracts": sorted(new), "assets": request.assets}
    return Decision(JournalLine(says, detail=detail), about, over)


def brings_check_ins(situation: Situation, request: TakeUpHoldings) -> bool:
    """True if the customer held nothing before the import."""
    new = set(request.contracts)
    return not any(c.contract_id not in new and c.status != ContractStatus.ENDED for c in situation.customer.contracts)
