"""Changes of what a customer owns: what is known without the facts is checked here; what was scheduled is told on its day."""

from __future__ import annotations

from domain.amending.requests import TransferAssets
from domain.journey import JourneyState
from domain.refusals import NOT_ALLOWED, Refusal

STEPS = frozenset(
    {
        "amendment_effective",  # a scheduled change holds from now on
        "amendment_settled",  # a transfer has reached the other account, or was refused
    }
)


def check_transfer(state: JourneyState, request: TransferAssets) -> None:
    """Refuses a transfer to where the assets are already."""
    if request.to_account == state.account_id:
        raise Refusal(NOT_ALLOWED, "the assets are this account's already; name another to_account")
