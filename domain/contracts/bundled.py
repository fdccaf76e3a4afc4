"""Assets that were sold together: what is asked of the root of a bundle reaches what lies below it, or is refused."""

from __future__ import annotations

from collections.abc import Sequence

from domain.assets.bundles import members, with_children
from domain.assets.errors import RestrictedError
from domain.assets.model import SellingModel
from domain.assets.operations import AnyRequest, target_of
from domain.assets.requests import CancelAsset, ChangeQuantity
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import AmendedAsset


def bundled(desk: RequestFacts, requests: Sequence[AnyRequest]) -> list[AnyRequest]:
    """The requests, and what changes of quantity and cancellations ask of the children; one that is named is asked by itself."""
    found: dict[str, AnyRequest] = {target_of(request): request for request in requests}
    if len(found) < len(requests) or not desk.relationships:
        return list(requests)
    for request in requests:
        if isinstance(request, ChangeQuantity | CancelAsset):
            for child in with_children(desk.ledger, request, desk.relationships)[1:]:
                if not isinstance(found.setdefault(child.asset_id, child), type(request)):
                    raise RestrictedError(f"{child.asset_id} changes with {request.asset_id}; ask for the rest apart")
    return list(found.values())


def renewed_along(desk: RequestFacts, named: Sequence[str]) -> list[str]:
    """The children that are renewed with the roots of their bundles: all that have a term, and still hold something at its end."""
    found = (child for asset_id in named for child in _below(desk, asset_id))
    return [child for child in dict.fromkeys(found) if child not in named and _goes_on(desk, child)]


def check_ends(desk: RequestFacts, lines: Sequence[AmendedAsset]) -> None:
    """Raise `RestrictedError` if a bundle would begin or end without its children."""
    named = {line.asset_id for line in lines}
    for line in lines:
        if line.start is None and line.end is None and line.end_with is None:
            continue
        apart = [child for child in _below(desk, line.asset_id) if child not in named and _goes_on(desk, child)]
        if apart:
            raise RestrictedError(
                f"{line.asset_id} was sold together with {', '.join(apart)}; name them as well, so that they keep its dates"
            )


def check_apart(desk: RequestFacts, named: Sequence[str], what: str, *, whole: bool = False) -> None:
    """Raise `RestrictedError` for what belongs to a bundle: it cannot be `what`, or only together with the `whole` of it."""
    for edge in desk.relationships:
        for asset_id, other in ((edge.parent_id, edge.child_id), (edge.child_id, edge.parent_id)):
            if asset_id in named and _holds(desk, other) and not (whole and other in named):
                instead = "name both, with all their units" if whole else "cancel them, and sell anew"
                raise RestrictedError(
                    f"{asset_id} was sold together with {other} and cannot be {what} alone; {instead}"
                )


def _below(desk: RequestFacts, asset_id: str) -> list[str]:
    return [child for child, _ in members(asset_id, desk.relationships)] if desk.relationships else []


def _goes_on(desk: RequestFacts, asset_id: str) -> bool:
    record = desk.situation.records.get(asset_id)
    termed = record is not None and record.end is not None and record.asset.selling_model is not SellingModel.ONE_TIME
    return record is not None and termed and not record.cancelled and _holds(desk, asset_id)


def _holds(desk: RequestFacts, asset_id: str) -> bool:
    """True while an asset has units to its end."""
    record = desk.situation.records.get(asset_id)
    return bool(record and record.periods and record.periods[-1].quantity)
