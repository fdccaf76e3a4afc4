"""The doors of a journey for changes to what the customer owns: amendments, renewals, cancellations, transfers, swaps, rollbacks."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.contracts.requests import (
    AmendAssets,
    CancelAssets,
    ReceiveAssets,
    RenewAssets,
    RollBack,
    SwapAssets,
    TransferAssets,
)
from workflows import amendment
from workflows.journey import Journey


class AssetDoors(Journey):
    """A journey with these handlers."""

    @workflow.update(
        description="Assets change, others come beside them: {assets: [{asset_id, add|remove|price|fields|start|end|end_with}],"
        " add_ons?, products?, effective?, reason?, by?, request_id?}"
    )
    async def amend_assets(self, request: Any) -> dict[str, Any]:
        """Changes units, prices, fields and dates of assets, all together or not at all."""
        return await self.ask_by("amend_assets", request)

    @amend_assets.validator
    def _check_amend_assets(self, request: Any) -> None:
        self.check(AmendAssets, request)

    @workflow.update(
        description="The next term: {contract_id | assets: [{asset_id, price?}], start?, months? | end?, uplift_percent? | index?, by?}"
    )
    async def renew_assets(self, request: Any) -> dict[str, Any]:
        """Renews a contract or some assets: when their term ends, early or late."""
        return await self.ask_by("renew_assets", request)

    @renew_assets.validator
    def _check_renew_assets(self, request: Any) -> None:
        self.check(RenewAssets, request)

    @workflow.update(
        description="Assets end for good: {contract_id | assets: [{asset_id}], effective: now|period_end|day|instant, reason?}"
    )
    async def cancel_assets(self, request: Any) -> dict[str, Any]:
        """Cancels a contract or some assets."""
        return await self.ask_by("cancel_assets", request)

    @cancel_assets.validator
    def _check_cancel_assets(self, request: Any) -> None:
        self.check(CancelAssets, request)

    @workflow.update(
        description="Assets become another customer's: {to_account, assets: [{asset_id, quantity?}], to_contract_id?, effective?}"
    )
    async def transfer_assets(self, request: Any) -> dict[str, Any]:
        """Hands assets over; the other customer's journey takes them, or they come back."""
        return await self.ask_by("transfer_assets", request)

    @transfer_assets.validator
    def _check_transfer_assets(self, request: Any) -> None:
        self.check(TransferAssets, request, amendment.check_transfer)

    @workflow.update(description="For other journeys alone: assets come in by a transfer of theirs: {transfer_id}")
    async def receive_assets(self, request: Any) -> dict[str, Any]:
        """Takes what another customer's journey has handed over."""
        return await self.ask_by("receive_assets", request)

    @receive_assets.validator
    def _check_receive_assets(self, request: Any) -> None:
        self.check(ReceiveAssets, request)

    @workflow.update(
        description="One product for another: {assets: [{asset_id, to_product, unit_price, quantity?, kind?}], products?, effective?}"
    )
    async def swap_assets(self, request: Any) -> dict[str, Any]:
        """Swaps, upgrades or downgrades assets for the rest of their term."""
        return await self.ask_by("swap_assets", request)

    @swap_assets.validator
    def _check_swap_assets(self, request: Any) -> None:
        self.check(SwapAssets, request)

    @workflow.update(description="The last change of an asset is taken back before it begins: {asset_id, reason?, by?}")
    async def rollback(self, request: Any) -> dict[str, Any]:
        """Undoes the last amendment or renewal of an asset."""
        return await self.ask_by("roll_back", request)

    @rollback.validator
    def _check_rollback(self, request: Any) -> None:
        self.check(RollBack, request)
