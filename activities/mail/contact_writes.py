"""What mail that comes in writes about contacts."""

from __future__ import annotations

from activities.frame import effects
from activities.frame.handlers import Handlers, Place, on
from domain.mail.writes import FlagContact, StopOptionalMails


async def _stop_optional_mails(place: Place, writes: list[StopOptionalMails]) -> None:
    for write in writes:
        await effects.unsubscribe_contact(place.connection, place.account_id, write.contact_id, write.at)


async def _flag_contacts(place: Place, writes: list[FlagContact]) -> None:
    for w in writes:
        await effects.flag_contact(place.connection, place.account_id, w.contact_id, w.email, w.at, w.reason)


HANDLERS: Handlers = dict([on(StopOptionalMails, _stop_optional_mails), on(FlagContact, _flag_contacts)])
