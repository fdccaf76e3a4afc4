"""Every operation behind one door, and transactions of several that happen together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from domain.assets.amend import cancel, change_end, change_fields, change_price, change_quantity, change_start, generate
from domain.assets.errors import LedgerCorruptError, MixedPriceBooksError, TransactionError, TransferLinesError
from domain.assets.ledger import Ledger
from domain.assets.model import Asset
from domain.assets.move import swap, transfer
from domain.assets.renew import renew
from domain.assets.requests import (
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Generate,
    Renew,
    Rollback,
    Swap,
    Transfer,
)
from domain.assets.undo import rollback

MOST_LINES = 1000
MOST_TRANSFER_LINES = 50

AnyRequest = (
    Generate
    | ChangeQuantity
    | ChangePrice
    | ChangeFields
    | ChangeStart
    | ChangeEnd
    | CancelAsset
    | Renew
    | Transfer
    | Swap
    | Rollback
)


def apply(ledger: Ledger, request: AnyRequest) -> Ledger:
    """The ledger after `request`, whose kind decides what is done.

    Raises:
        AssetError: The request is refused; the subclass and its code say why.
    """
    operation: Callable[[Ledger, Any], Ledger] = _OPERATIONS[type(request)]
    try:
        return operation(ledger, request)
    except LedgerCorruptError as error:
        raise LedgerCorruptError(f"{target_of(request)}: {error}") from error


_OPERATIONS: dict[type, Callable[[Ledger, Any], Ledger]] = {
    Generate: generate,
    ChangeQuantity: change_quantity,
    ChangePrice: change_price,
    ChangeFields: change_fields,
    ChangeStart: change_start,
    ChangeEnd: change_end,
    CancelAsset: cancel,
    Renew: renew,
    Transfer: transfer,
    Swap: swap,
    Rollback: rollback,
}


def apply_together(ledger: Ledger, requests: Sequence[AnyRequest]) -> Ledger:
    """One transaction of several requests: all of them, or an error and none.

    Raises:
        TransactionError: More than 1,000 lines, or two lines for one asset.
        TransferLinesError: More than 50 transfers.
        MixedPriceBooksError: The assets come from different price books or currencies.
        AssetError: A single request is refused.
    """
    if len(requests) > MOST_LINES:
        raise TransactionError(f"{len(requests)} lines; a transaction has at most {MOST_LINES}")
    if sum(isinstance(request, Transfer) for request in requests) > MOST_TRANSFER_LINES:
        raise TransferLinesError(
            f"at most {MOST_TRANSFER_LINES} assets go into one transfer, parts of bundles counted; hand the others over by another one"
        )
    twice = [asset_id for asset_id, count in Counter(map(target_of, requests)).items() if count > 1]
    if twice:
        raise TransactionError(f"two lines for {twice[0]}; a transaction has one line for an asset")
    assets = [_asset_of(ledger, request) for request in requests]
    books = {(asset.price_book, asset.currency) for asset in assets}
    if len(books) > 1:
        raise MixedPriceBooksError(f"one transaction, one price book and currency; these are {sorted(books)}")
    draft = ledger.draft()
    for request in requests:
        apply(draft, request)
    return draft.settled()


def target_of(request: AnyRequest) -> str:
    """The asset that a request makes or changes."""
    return request.asset.asset_id if isinstance(request, Generate) else request.asset_id


def _asset_of(ledger: Ledger, request: AnyRequest) -> Asset:
    return request.asset if isinstance(request, Generate) else ledger.record(request.asset_id).asset
