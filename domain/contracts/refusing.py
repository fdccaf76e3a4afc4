"""The ledger's named errors as refusals: the name that a sender can rely on, and a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.assets.errors import AssetError, InFlightError, LedgerCorruptError
from domain.kernel.refusals import Refusal

ASSET_CHANGED = "AssetChanged"


def refusal_of(error: AssetError) -> Refusal:
    """The refusal for an error of the ledger, by its code: `OverReduction` for `over_reduction`, and so on."""
    if isinstance(error, InFlightError):
        return Refusal(ASSET_CHANGED, str(error))
    return Refusal("".join(word.capitalize() for word in error.code.split("_")), str(error))


@contextmanager
def named_refusals() -> Iterator[None]:
    """Raises a refusal in place of an error of the ledger."""
    try:
        yield
    except LedgerCorruptError:
        raise  # no request is wrong then, but a fact
    except AssetError as error:
        raise refusal_of(error) from error
