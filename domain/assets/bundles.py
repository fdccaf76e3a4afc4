"""Bundles: what is done to the root is done to its children, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from domain.assets.errors import TransactionError
from domain.assets.ledger import Ledger
from domain.assets.model import SellingModel
from domain.assets.operations import apply_together
from domain.assets.requests import CancelAsset, ChangeQuantity, Renew
from domain.kernel.base import Carried

MOST_BUNDLE_LINES = 200


class BundleRole(StrEnum):
    BUNDLE = "Bundle"
    SET = "Set"
    ADD_ON = "Add-on"
    SIMPLE = "Simple"
    VARIATION_PARENT = "Variation Parent"


class ChildQuantity(StrEnum):
    CONSTANT = "Constant"
    PROPORTIONAL = "Proportional"


class Relationship(Carried):
    """An edge of a bundle. A proportional child has `ratio` units for each of the parent's."""

    parent_id: str
    child_id: str
    role: BundleRole = BundleRole.BUNDLE
    child_quantity: ChildQuantity = ChildQuantity.CONSTANT
    ratio: Decimal = Decimal(1)
    included_in_price: bool = False


def members(root: str, relationships: Sequence[Relationship]) -> list[tuple[str, Decimal | None]]:
    """The root's descendants, parents first, each with its units for one of the root; None if its quantity is constant.

    Raises:
        TransactionError: An asset is its own ancestor, or the bundle has more than 200 lines.
    """
    found: list[tuple[str, Decimal | None]] = [(root, Decimal(1))]
    seen = {root}
    for parent, per_root in found:
        for edge in relationships:
            if edge.parent_id != parent:
                continue
            if edge.child_id in seen:
                raise TransactionError(f"{edge.child_id} occurs twice in the bundle {root}")
            seen.add(edge.child_id)
            proportional = edge.child_quantity is ChildQuantity.PROPORTIONAL and per_root is not None
            found.append((edge.child_id, per_root * edge.ratio if proportional and per_root is not None else None))
    if len(found) > MOST_BUNDLE_LINES:
        raise TransactionError(f"{root} has {len(found)} lines; a bundle has at most {MOST_BUNDLE_LINES}")
    return found[1:]


def change_bundle(
    ledger: Ledger, request: ChangeQuantity | CancelAsset | Renew, relationships: Sequence[Relationship]
) -> Ledger:
    """Carry out a request on a bundle's root and on its children, all or none; see `with_children`.

    Raises:
        TransactionError: A child's share is no whole number of units, or the bundle is not a tree.
        AssetError: One of the changes is refused.
    """
    return apply_together(ledger, with_children(ledger, request, relationships))


def with_children(
    ledger: Ledger, request: ChangeQuantity | CancelAsset | Renew, relationships: Sequence[Relationship]
) -> list[ChangeQuantity | CancelAsset | Renew]:
    """A request on a bundle's root, and what it asks of the children.

    A change of quantity reaches proportional children, a cancellation all, a renewal all that have a term. A child that
    was cancelled or has ended keeps what it is. Prices of the request are the root's: children keep their own.

    Raises:
        TransactionError: A child's share is no whole number of units, or the bundle is not a tree.
    """
    requests: list[ChangeQuantity | CancelAsset | Renew] = [request]
    for child_id, per_root in members(request.asset_id, relationships):
        record = ledger.record(child_id)
        over = record.end is not None and not isinstance(request, Renew) and record.end <= request.effective
        if record.cancelled or over:
            continue
        update: dict[str, object] = {"asset_id": child_id, "expected_version": None}
        if isinstance(request, ChangeQuantity):
            if per_root is None or not request.delta:
                continue
            update |= {"delta": _units(child_id, request.delta * per_root), "unit_price": None, "list_price": None}
        elif isinstance(request, Renew):
            if record.end is None or record.asset.selling_model is SellingModel.ONE_TIME:
                continue
            update |= {"unit_price": None}
        requests.append(request.having(**update))
    return requests


def _units(child_id: str, wanted: Decimal) -> int:
    if wanted != int(wanted):
        raise TransactionError(f"{child_id} would change by {wanted} units; choose a change that gives whole units")
    return int(wanted)
