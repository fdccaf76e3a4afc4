"""The doors of a journey for what people change about its customer."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.journey.account_changes import ChangeAccount, ChangeContacts
from workflows.journey import Journey


class PeopleDoors(Journey):
    """A journey with these handlers."""

    @workflow.update(
        description="Who looks after the customer, and by which rules: {owner?, success_manager?: staff ids, segment?, language?,"
        " time_zone?, reason?, by?, request_id?}"
    )
    async def change_account(self, request: Any) -> dict[str, Any]:
        """Changes the account; a new success manager introduces herself."""
        return await self.ask_by("change_account", request)

    @change_account.validator
    def _check_change_account(self, request: Any) -> None:
        self.check(ChangeAccount, request)

    @workflow.update(
        description="Contacts come, change and go: {add?: [contact], change?: [{contact_id, …}], remove?: [contact_id], reason?, by?}"
    )
    async def change_contacts(self, request: Any) -> dict[str, Any]:
        """Changes the contacts, all that is asked or nothing."""
        return await self.ask_by("change_contacts", request)

    @change_contacts.validator
    def _check_change_contacts(self, request: Any) -> None:
        self.check(ChangeContacts, request)
