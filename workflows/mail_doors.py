"""The door of a journey for what its customer's mails mean."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.mail.correspondence import NoteMail
from workflows.journey import Journey


class MailDoors(Journey):
    """A journey with this handler."""

    @workflow.update(
        description="A mail of the customer: {event: answered|unsubscribed|bounced, contact_id?, email?, template?, case_id?}"
    )
    async def note_mail(self, request: Any) -> dict[str, Any]:
        """Notes what came in."""
        return await self.ask_by("note_mail", request)

    @note_mail.validator
    def _check_note_mail(self, request: Any) -> None:
        self.check(NoteMail, request)
