"""Changes of what a customer owns: what is known without the facts is checked here; what was scheduled is told on its day."""

from __future__ import annotations

from domain.contracts.consignments import TransferStatus
from domain.contracts.requests import TransferAssets
from domain.frame.state import JourneyState, StageKind, stage_kind
from domain.journey.requests import CloseJourney
from domain.kernel.refusals import NOT_ALLOWED, Refusal

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


def check_close(state: JourneyState, request: CloseJourney) -> None:
    """Refuses an end while assets are on their way to another customer: they are this customer's until they have arrived."""
    for key, stage in state.stages.items():
        if stage_kind(key) is StageKind.AMENDMENT and stage.status == TransferStatus.UNDER_WAY:
            raise Refusal(
                NOT_ALLOWED, "assets are on their way to another account; close the journey once they arrived"
            )
