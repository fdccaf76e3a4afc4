"""Changes that are taken back before they begin; what is not cancelled any more goes on with its contract, if that was renewed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from domain.assets.checks import SELL_ANEW
from domain.assets.errors import RollbackNotEligibleError
from domain.assets.ledger import Ledger
from domain.assets.model import ActionType, AssetAction, AssetRecord, Category
from domain.assets.operations import apply_together
from domain.assets.requests import Renew, Rollback
from domain.assets.writes import AssetChange
from domain.contracts.changes import decide, stage_of
from domain.contracts.ending import NOTHING_LEFT
from domain.contracts.renewal_quote import last_day
from domain.contracts.request_facts import Changed, RequestFacts, carry_out, changes_of
from domain.contracts.requests import RollBack
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Decision
from domain.frame.ownership import POLICY
from domain.frame.state import Outcome
from domain.kernel.refusals import named_refusals
from domain.orders.order import PricePer


def roll_back(desk: RequestFacts, request: RollBack) -> Decision:
    """The last change of an asset is undone before it begins, with all that happened together with it.

    What was cancelled when its contract was renewed is renewed as the others were: who is told that a cancellation is taken back
    goes on with the contract.
    """
    with named_refusals():
        record = desk.record(request)
    undone = record.active[-1].request_id
    asked = Rollback(request_id=desk.request_id, recorded_at=desk.as_of, asset_id=request.asset_id)
    changed = carry_out(desk, [asked], {})
    with named_refusals():
        if missed := [made for change in changed.changes if (made := _missed(desk, change)) is not None]:
            changed = _renewed_too(desk, changed, missed)
    decision = decide(desk, changed, request.reason, plans=False)
    taken = Outcome(drop=[stage_of(undone)], stages={stage_of(undone): None})
    outcome = decision.outcome + taken
    return replace(decision, outcome=outcome + Outcome(answer={"undone": undone}))


def _renewed_too(desk: RequestFacts, changed: Changed, missed: Sequence[Renew]) -> Changed:
    ledger = Ledger(policy=POLICY, assets=dict(changed.records))
    return changes_of(desk, apply_together(ledger, missed).assets, {})


@dataclass(frozen=True)
class _Term:
    """A term that was sold while an asset was cancelled: from where on it is the asset's, and by what it was renewed."""

    contract: ContractFacts
    starts_at: datetime
    ends_at: datetime
    renewals: Sequence[AssetAction]

    def uplift(self, asset_id: str) -> Decimal:
        """By how many per cent prices were raised.

        Raises:
            RollbackNotEligibleError: That was agreed for each asset by itself.
        """
        known = {action.uplift_percent for action in self.renewals if action.uplift_percent is not None}
        if len(known) != 1:
            raise RollbackNotEligibleError(
                f"contract {self.contract.contract_id} was renewed until {last_day(self.contract.term)} since {asset_id} was"
                f" cancelled, at prices agreed for each asset, and none for this one; {SELL_ANEW}"
            )
        return known.pop()


def _missed(desk: RequestFacts, change: AssetChange) -> Renew | None:
    """The renewal that an asset has missed while it was cancelled; null if there was none, or nothing was cancelled.

    Raises:
        RollbackNotEligibleError: Nobody can say at what price.
    """
    before, record = change.before, change.after
    if before is None or before.last.type is not ActionType.CANCEL:
        return None
    term = _sold_since(desk, record, before.last)
    if term is None:
        return None
    asset_id = record.asset.asset_id
    return Renew(
        request_id=f"{desk.request_id}:renewed",
        recorded_at=desk.as_of,
        asset_id=asset_id,
        start=term.starts_at,
        end=term.ends_at,
        uplift_percent=term.uplift(asset_id),
        priced_months=12 if desk.facts(asset_id).per is PricePer.YEAR else 1,
        months_from=term.contract.months_from(desk.zone),
    )


def _sold_since(desk: RequestFacts, record: AssetRecord, cancelled: AssetAction) -> _Term | None:
    """The latest term of an asset's contract, if it was sold since the asset was `cancelled` and goes on where that ends.

    What ends otherwise than the term before was agreed to end so, unless all that this term has was renewed since.
    """
    contract = desk.situation.customer.contract(record.asset.contract_id) if record.asset.contract_id else None
    if contract is None or contract.previous is None or record.end is None or record.end < contract.previous.ends_at:
        return None
    term = contract.term
    under = (one for one in desk.situation.records.values() if one.asset.contract_id == contract.contract_id)
    began = [
        action
        for one in under
        for action in one.active
        if action.category is Category.RENEWALS and term.starts_at <= action.effective < term.ends_at
    ]
    since = [
        one for one in began if one.recorded_at and cancelled.recorded_at and one.recorded_at >= cancelled.recorded_at
    ]
    if not since or (record.end != contract.previous.ends_at and len(since) < len(began)):
        return None
    ends_at = term.ends_at
    if contract.status == ContractStatus.DECLINED and contract.status_reason == NOTHING_LEFT:
        # It runs out with what was given up since; what was sold was longer.
        ends_at = max(ends_at, min(one.lifecycle_end or ends_at for one in since))
    if record.end >= ends_at:
        return None
    return _Term(contract, max(record.end, term.starts_at), ends_at, since)
