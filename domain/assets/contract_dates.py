"""Contracts and their assets: dates that fit, terms that renewals fall back on, and a common end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from domain.assets.dates import Instant
from domain.assets.errors import ContractError, EndBeforeStartError, RampCoterminationError
from domain.assets.model import AssetRecord, ComingTerm
from domain.assets.requests import Line
from domain.kernel.base import Carried


class ContractTerms(Carried):
    """What the ledger needs to know of a contract. `coterminous` ends every new line with the contract, or nowhere if that is
    `open_ended`; its months begin on the day of `months_from`, or else of its start; those of the term before, which is still in
    force, on the day of `months_before`. `begins`: of one that has not begun, its first instant; nothing for a term is sold under it from
    before."""

    contract_id: str
    account_id: str
    start: Instant
    end: Instant
    renewal_months: int | None = Field(default=None, ge=1)
    coterminous: bool = False
    open_ended: bool = False
    months_from: Instant | None = None
    months_before: Instant | None = None
    begins: Instant | None = None

    def from_its_begin(self, start: datetime) -> datetime:
        """The start of what is to be sold under it from `start` on."""
        return max(start, self.begins or start)

    def coming(self, start: datetime) -> tuple[ComingTerm, ...]:
        """The term that was agreed ahead of what is sold to begin before it."""
        if self.months_from is None or self.months_before is None or start >= self.start:
            return ()
        return (ComingTerm(start=self.start, months_from=self.months_from),)

    def counted_from(self, start: datetime) -> datetime:
        """An instant on whose day the months of what begins at `start` do."""
        if self.months_before is not None and start < self.start:
            return self.months_before
        return self.months_from or min(self.start, start)


class AssetContract(Carried):
    """An asset under a contract, from `start` up to `end`."""

    asset_id: str
    contract_id: str
    start: Instant
    end: Instant


def relate(record: AssetRecord, contract: ContractTerms) -> AssetContract:
    """Put an asset under a contract: from the later of the starts to the earlier of the ends.

    Raises:
        ContractError: They belong to different accounts, or their times do not meet.
    """
    asset = record.asset
    if asset.account_id != contract.account_id:
        raise ContractError(f"{asset.asset_id} and {contract.contract_id} belong to different accounts")
    start = max(record.start, contract.start)
    end = contract.end if record.end is None else min(record.end, contract.end)
    if end <= start:
        raise ContractError(f"{asset.asset_id} and {contract.contract_id} have no day in common")
    return AssetContract(asset_id=asset.asset_id, contract_id=contract.contract_id, start=start, end=end)


def cotermed(lines: Sequence[Line], contract: ContractTerms, *, ramped: bool = False) -> tuple[Line, ...]:
    """The lines of a sale as the contract wants them: with its common end, if it has one.

    Raises:
        RampCoterminationError: A ramp under a contract with a common end.
        EndBeforeStartError: A line starts when the contract is over.
    """
    if not contract.coterminous:
        return tuple(lines)
    if ramped:
        raise RampCoterminationError(f"{contract.contract_id} has a common end; a ramp keeps its own segments")
    late = [line for line in lines if line.start >= contract.end]
    if late:
        raise EndBeforeStartError(f"{contract.contract_id} ends at {contract.end}, the line starts at {late[0].start}")
    return tuple(line.having(end=None if contract.open_ended else contract.end) for line in lines)
