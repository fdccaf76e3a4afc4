"""What mail that comes in writes about contacts."""

from __future__ import annotations

from activities.frame import effects
from activities.frame.handlers import Handlers, Place, on
from domain.mail.writes import FlagContact, KeepMailWishes, StopOptionalMails


async def _stop_optional_mails(place: Place, writes: list[StopOptionalMails]) -> None:
    for write in writes:
        await effects.unsubscribe_contact(place.connection, place.account_id, write.contact_id, write.at)


async def _flag_contacts(place: Place, writes: list[FlagContact]) -> None:
    for w in writes:
        await effects.flag_contact(place.connection, place.account_id, w.contact_id, w.email, w.at, w.reason)


# Whoever wants one kind wants mails again.
_CHOSEN = """
with chosen as (
  update contact set unsubscribed_at = null where account_id = $1 and contact_id = $2 returning account_id, lower(email) as email)
insert into mail_wish (account_id, email, declined, every_days, chosen_at) select account_id, email, $3, $4, $5 from chosen
on conflict (account_id, email) do update set declined = excluded.declined, every_days = excluded.every_days, chosen_at = excluded.chosen_at
"""


async def _keep_mail_wishes(place: Place, writes: list[KeepMailWishes]) -> None:
    rows = [(place.account_id, w.contact_id, list(w.declined), w.every_days, w.at) for w in writes]
    await place.connection.executemany(_CHOSEN, rows)


HANDLERS: Handlers = dict(
    [
        on(StopOptionalMails, _stop_optional_mails),
        on(FlagContact, _flag_contacts),
        on(KeepMailWishes, _keep_mail_wishes),
    ]
)
