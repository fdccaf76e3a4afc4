"""What a customer's mails mean for their journey, each noted once."""

from __future__ import annotations

from temporalio import activity

from activities.frame.carrying_out import Performer, business_errors, effect_key
from domain.frame.state import Outcome, RequestCall
from domain.kernel.fingerprints import asked_by
from domain.kernel.requests import read_request
from domain.mail import correspondence
from domain.mail.correspondence import NoteMail


class Correspondence:
    """Mails that came in and concern a journey."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def note_mail(self, call: RequestCall) -> Outcome:
        """An answer to a mail of the journey, the wish for fewer mails, or an address that is refused."""
        async with business_errors():
            request = read_request(NoteMail, call.body)
            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, f"note_mail:{call.request_id}"),
                call.as_of,
                lambda situation: correspondence.note_mail(situation, request),
                stage="relationship",
                kind=f"mail_{request.event.value}",
                run=call.run if not call.repeated else "again",
                actor=request.by,
                asked=asked_by(request, call.request_id),
            )
