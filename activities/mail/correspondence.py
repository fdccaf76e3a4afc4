"""What a customer's mails mean for their journey, each noted once."""

from __future__ import annotations

from temporalio import activity

from activities.frame.unit_of_work import Activities
from domain.frame.calls import RequestCall
from domain.frame.state import Outcome
from domain.mail import correspondence
from domain.mail.correspondence import NoteMail


class Correspondence(Activities):
    """Mails that came in and concern a journey."""

    @activity.defn
    async def note_mail(self, call: RequestCall) -> Outcome:
        """An answer to a mail of the journey, the wish for fewer mails, or an address that is refused."""
        return await self._performer.answer(
            call, NoteMail, correspondence.note_mail, kind=lambda request: f"mail_{request.event.value}"
        )
