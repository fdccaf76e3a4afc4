"""What follows for contracts from a changed ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.frame.customer import ContractFacts
from domain.frame.decision import JournalLine, Mail
from domain.frame.state import Outcome
from domain.kernel.base import Write


@dataclass(frozen=True)
class Replanned:
    """What follows from a change of the ledger: writes about contracts and offers, the plan, and what is said of it."""

    writes: list[Write] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    lines: list[JournalLine] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    contracts: dict[str, ContractFacts] = field(default_factory=dict)
    """the contracts that changed, as they are now"""

    def and_then(self, other: Replanned) -> Replanned:
        """Both, one after the other."""
        return Replanned(
            [*self.writes, *other.writes],
            (self.outcome + other.outcome),
            [*self.lines, *other.lines],
            [*self.mails, *other.mails],
            {**self.contracts, **other.contracts},
        )


def line_of(contract: ContractFacts, says: str) -> JournalLine:
    """What the journal says of a contract."""
    return JournalLine(says, name=f"contract-{contract.contract_id}", detail={"contract_id": contract.contract_id})
