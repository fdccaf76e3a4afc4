"""The page of one customer: who they are, what they own and bring, how they are, what service owes, what comes and what was."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from activities.journey.agenda_facts import load_facts
from activities.journey.choices import own_assets, waiting_of
from activities.journey.reports import assets_of
from activities.journey.task_lists import list_tasks
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.frame.mail_names import MAILS
from domain.frame.step_words import in_words
from domain.journey.customer_timeline import TimelineItem, read_cursor
from domain.journey.horizon import Horizon
from domain.journey.planning import agenda
from domain.journey.reasons import reader_of, reason_of
from domain.journey.registry import CASE
from domain.kernel.ids import journey_id
from domain.kernel.refusals import UNKNOWN_ACCOUNT
from domain.kernel.zones import local_time
from gateway.console.acts import offered, what_became
from gateway.console.holdings import drawing
from gateway.console.openings import of_hold, of_step, of_task, of_waiting
from gateway.console.owned import holdings
from gateway.console.planned import MONTHS
from gateway.console.visit import Visit
from gateway.views.customer import customer as customer_view
from gateway.views.shown import shown
from gateway.views.timeline import events_page
from gateway.views.whose import Whose, whose

ITEMS = 40


async def customer(visit: Visit) -> Response:
    """The whole customer as of their own time."""
    account_id = visit.id("account_id", UNKNOWN_ACCOUNT)
    await visit.place.acting.sees(visit.who, account_id)
    before = read_cursor(visit.asked("before", 400)) if visit.asked("before") else None
    async with visit.place.doors.pool.acquire() as connection, connection.transaction(readonly=True):
        of = await whose(connection, account_id)
        view = shown(await customer_view(connection, of), visit.who)
        if view["last_contact"]:
            what = view["last_contact"]["what"]
            view["last_contact"]["what"] = visit.words.sentence(MAILS.get(what, what))
        assets = await assets_of(connection, account_id)
        owned = await own_assets(connection, account_id, of.now)
        waiting = await waiting_of(connection, account_id, visit.words.language)
        tasks = await list_tasks(connection, present(), None, account_id, False, False)
        events = await events_page(connection, of, visit.who, before, ITEMS)
        months = await coming(connection, visit, of)
    cases = [one["case_id"] for one in view["cases"]]
    return visit.page(
        "customer.html",
        of=of,
        customer=view,
        zone=of.time_zone,
        now=of.now,
        drawing=drawing(assets, of, visit),
        owned=holdings(owned, of, visit),
        tasks=[{**task, "acts": of_task(visit, task)} for task in tasks],
        hold_acts=[of_hold(visit, account_id, one, cases) for one in view["holds"]],
        waiting=of_waiting(visit, of, waiting),
        items=[_told(visit, account_id, item) for item in events.items],
        more=events.next,
        acts=offered(visit.who, of_case=False),
        opens_cases=visit.who.may_ask(CASE["open_case"]),
        said=await what_became(visit),
        months=months,
        run=visit.place.run_of(journey_id(account_id)),
    )


def _told(visit: Visit, account_id: str, item: TimelineItem) -> dict[str, Any]:
    """An item as the reader may see it: without amounts for who sees no prices. step: what leads to the event that did it."""
    title = visit.told(item.title)
    case_id = item.link.removeprefix("case/") if item.link and item.link.startswith("case/") else ""
    place = (
        f"/cases/{quote(case_id, safe='')}" if item.key.startswith("case:") and case_id else f"/customers/{account_id}"
    )
    step = f"{place}/step?{urlencode({'of': item.key, 'at': item.at.isoformat()})}"
    known = visit.words.knows(item.title)
    mail = (
        item.key.removeprefix("sent:") if item.key.startswith("sent:") and not item.title.startswith("Notice: ") else ""
    )
    return {**item.model_dump(), "title": title, "known": known, "step": step, "mail": mail}


async def coming(connection: Connection, visit: Visit, of: Whose) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The next twelve months as they are planned, by month: the same plan as `perennial journey plan`."""
    facts = await load_facts(connection, of.account_id, of.now, going_on=True)
    if facts is None:
        return []
    words = visit.words
    playbook, about = facts.situation.playbook, facts.situation.customer
    next_ones = agenda(facts).steps
    steps = [
        {
            "day": local_time(step.at, of.time_zone).date(),
            "what": words.sentence(what := in_words(step)),
            "known": words.knows(what),
            "to": reader_of(playbook, step),
            "why": words.sentence(why := reason_of(playbook, about, step)),
            "known_why": words.knows(why),
            "late": step.at <= of.now,
            "acts": of_step(visit, of.account_id, step.key, step.kind) if step.key in next_ones else (),
            "path": f"/customers/{of.account_id}/planned?{urlencode({'step': step.key})}",
        }
        for step in agenda(facts, Horizon(months=MONTHS)).plan()
    ]
    return _by_month(steps)


def _by_month(steps: Sequence[dict[str, Any]]) -> list[tuple[Any, list[dict[str, Any]]]]:
    return [(month, list(of_it)) for month, of_it in groupby(steps, key=lambda step: step["day"].replace(day=1))]
