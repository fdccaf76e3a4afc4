"""Numbering: what a mail names by an id that nobody types gets a short number, which the mail says beside it."""

from __future__ import annotations

from dataclasses import replace

from activities.frame.handlers import Place
from activities.quotes.things import short_numbers
from domain.frame.decision import Decision
from domain.kernel.short_numbers import to_be_numbered


async def with_short_numbers(place: Place, decision: Decision) -> Decision:
    """The decision whose mails say the short numbers of what they name, by its ids. Asks the tables only if there are such ids."""
    named = [to_be_numbered(mail.context) for mail in decision.mails]
    wanted = list(dict.fromkeys(thing for found in named for thing in found))
    if not wanted:
        return decision
    await place.written()
    numbers = dict(zip(wanted, await short_numbers(place.connection, place.account_id, wanted), strict=True))
    mails = [
        replace(mail, context={**mail.context, "numbers": {thing[1]: numbers[thing] for thing in found}})
        if found
        else mail
        for mail, found in zip(decision.mails, named, strict=True)
    ]
    return replace(decision, mails=mails)
