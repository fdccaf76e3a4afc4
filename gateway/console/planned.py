"""What a planned step would say if it came to it as things stand: the very step, done and taken back."""

from __future__ import annotations

import logging

from starlette.responses import Response

from activities.journey.agenda_facts import load_facts
from activities.journey.trying import try_step
from activities.kernel.pool import TRANSPORT_ERRORS
from domain.frame.state import Step
from domain.frame.step_words import in_words
from domain.journey.horizon import Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from gateway.console import tried
from gateway.console.visit import Visit
from gateway.views.whose import Whose, whose

MONTHS = 12
"""So far ahead a customer's page says what comes."""
_LONGEST_KEY = 300
_log = logging.getLogger(__name__)


async def one_planned(visit: Visit) -> Response:
    """One step of the next twelve months: the mails, notices and documents that it would bring, by today's facts."""
    account_id = visit.id("account_id", UNKNOWN_ACCOUNT)
    await visit.place.acting.sees(visit.who, account_id)
    async with visit.place.doors.pool.acquire() as connection:
        of = await whose(connection, account_id)
        facts = await load_facts(connection, account_id, of.now, going_on=True)
    steps = agenda(facts, Horizon(months=MONTHS)).plan() if facts else []
    step = next((one for one in steps if one.key == visit.asked("step", _LONGEST_KEY)), None)
    if step is None:
        raise Refusal("UnknownStep", "nothing of that name is planned any more; go back to the customer")
    what = in_words(step)
    return visit.page(
        "planned.html",
        of=of,
        step=step,
        what=visit.words.sentence(what),
        known=visit.words.knows(what),
        one=await _said(visit, of, step),
    )


async def _said(visit: Visit, of: Whose, step: Step) -> tried.Shown | None:
    """What it would bring; null for what cannot be said yet, as other things have to happen before."""
    doors = visit.place.doors
    try:
        found = await try_step(doors.pool, doors.issuer, of.account_id, step)
    except TRANSPORT_ERRORS:
        raise
    except Exception as error:  # rules of the day on which it comes need not fit the facts of today
        _log.info("step %s of %s cannot be tried yet: %s", step.kind, of.account_id, type(error).__name__)
        return None
    return None if found is None else tried.shown(visit, of, found)
