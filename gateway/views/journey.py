"""The journey of a customer: whether it runs, what operators read of it first, what comes, and why something was done or is to come."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime

from activities.journey.agenda_facts import load_facts
from activities.kernel.pool import Pool
from activities.quotes import things
from domain.frame.access import FieldGroup
from domain.journey.horizon import NEXT, Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from gateway.calling import NoAnswerError
from gateway.client import PerennialClient
from gateway.views.explanations import explanation_of
from gateway.views.plans import plan_document, time_of
from gateway.views.shown import OF_SUMS, At, View
from gateway.views.whose import Whose


class Journey(View):
    """A journey. `briefing`: Markdown, null while no worker answers; `short_numbers`: those by which mails name contracts and quotes."""

    account_id: str
    running: bool
    now: AwareDatetime
    briefing: Annotated[str | None, FieldGroup.PRICES, FieldGroup.HEALTH, FieldGroup.NOTES]
    short_numbers: dict[str, str]


class PlannedStep(View):
    """A step that is to come. `today`: why a play would be left out if its day were today; `overdue`: its instant is over."""

    at: At
    on: date
    step: str
    kind: str
    says: str
    to: str
    why: str
    today: str
    overdue: bool


class Plan(View):
    """What comes, as of the customer's own time. `ahead`: further than the next step of each kind; `unreadable`: facts for which
    nothing could be planned."""

    account: str
    now: At
    playbook: str
    ahead: bool
    steps: list[PlannedStep]
    unreadable: list[str]


class Explanation(View):
    """Why one thing was done, or is to come. Of what is to come, `to` says who reads it; of what was done there is what planned it, who
    asked, the facts of then, and what it brought. `others` are called alike."""

    key: str
    at: str
    what: Annotated[str, FieldGroup.NOTES, FieldGroup.HEALTH, OF_SUMS]
    done: bool
    to: str = ""
    why: str
    playbook: str
    planned_by: dict[str, str] | None = None
    by: str | None = None
    facts: Annotated[dict[str, Any], FieldGroup.PRICES, FieldGroup.HEALTH] = {}
    messages: Annotated[list[dict[str, Any]], FieldGroup.NOTES, FieldGroup.HEALTH, OF_SUMS] = []
    documents: Annotated[list[dict[str, Any]], FieldGroup.PRICES] = []
    tasks: Annotated[list[dict[str, Any]], FieldGroup.NOTES, OF_SUMS] = []
    follows: list[str] = []
    others: list[str] = []


class Explained(View):
    """Why what is called so was done or is to come: `found`; or, of a customer as a whole, what comes `next` and was done last."""

    account: str
    playbook: str
    found: Explanation | None = None
    next: list[Explanation] = []
    latest: list[Explanation] = []


async def journey(pool: Pool, client: PerennialClient, whose: Whose) -> Journey:
    """The journey of an account, as far as it answers."""
    now, running, briefing = whose.now, True, None
    try:
        now = await client.now(whose.account_id)
        running = await client.is_running(whose.account_id)
        briefing = await client.briefing(whose.account_id)
    except Refusal:
        running = False
    except NoAnswerError:
        pass
    async with pool.acquire() as connection:
        numbers = await things.numbers_of(connection, whose.account_id)
    return Journey(account_id=whose.account_id, running=running, now=now, briefing=briefing, short_numbers=numbers)


async def plan_of(pool: Pool, client: PerennialClient, account_id: str, horizon: Horizon) -> Plan:
    """The steps up to a horizon. Raises `Refusal` (UnknownAccount)."""
    now, lost = await time_of(client, account_id)
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        facts = await load_facts(connection, account_id, now, lost=lost, going_on=True)
    if facts is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} is not on record; place its first order")
    found = plan_document(account_id, facts, agenda(facts, horizon), ahead=horizon != NEXT)
    return Plan.model_validate(found)


async def explained(pool: Pool, client: PerennialClient, account_id: str, part: str | None) -> Explained:
    """Of what is called `part`; without a name of what comes next and was done last. Raises `Refusal`: UnknownAccount, UnknownPart."""
    document = await explanation_of(client, pool, account_id, part)
    if part is None:
        return Explained.model_validate(document)
    return Explained(account=account_id, playbook=document["playbook"], found=Explanation.model_validate(document))
