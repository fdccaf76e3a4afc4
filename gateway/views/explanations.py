"""Why something was done or is to come: from a mail, a task, an invoice or a step to the rule, the playbook, the facts of then, the person."""

from __future__ import annotations

from typing import Any

from activities.frame import staff_rows
from activities.frame.customers import load_playbook
from activities.journey import explaining
from activities.journey.agenda_facts import load_facts
from activities.journey.explaining import Done
from activities.kernel.pool import Connection, Pool
from domain.frame.keys import StepKey, Word, without_put_off
from domain.frame.playbook import Playbook
from domain.frame.state import Step
from domain.frame.step_words import in_words, plain
from domain.journey.agenda_facts import Facts
from domain.journey.planning import agenda
from domain.journey.reasons import reader_of, reason_of
from domain.journey.registry import BY_ACTIVITY
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.kernel.zones import local_time
from gateway.client import PerennialClient
from gateway.views.plans import time_of

NOT_KNOWN = "not known any more"
_NEXT, _LATEST = 5, 10


async def explanation_of(client: PerennialClient, pool: Pool, account: str, part: str | None) -> dict[str, Any]:
    """Why what is called so was done or is to come; without a name what comes next and what was done last.

    Raises `Refusal`: UnknownAccount, and UnknownPart for what nobody finds.
    """
    now, lost = await time_of(client, account)
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        facts = await load_facts(connection, account, now, lost=lost, going_on=True)
        if facts is None:
            raise Refusal(UNKNOWN_ACCOUNT, f"account {account!r} is not on record; place its first order")
        if part is None:
            return {"account": account, **await _latest(connection, facts, account)}
        return {"account": account, **await _one(connection, facts, account, part)}


async def _latest(connection: Connection, facts: Facts, account: str) -> dict[str, Any]:
    done = await explaining.latest(connection, account, _LATEST)
    return {
        "playbook": facts.situation.playbook.named,
        "next": [_to_come(facts, one) for one in agenda(facts).plan()[:_NEXT]],
        "latest": [await _explained(connection, facts, one) for one in done],
    }


async def _one(connection: Connection, facts: Facts, account: str, part: str) -> dict[str, Any]:
    keys = await explaining.find(connection, account, part)
    coming = [step for step in agenda(facts).plan() if part in step.key]
    exact = next((step for step in coming if step.key == part), None)
    if (exact or not keys) and coming:
        found = _to_come(facts, exact or coming[0])
    elif keys and (one := await explaining.done(connection, account, keys[0])) is not None:
        found = await _explained(connection, facts, one)
    else:
        said = f"nothing of {account} is called {part!r}; `perennial journey show {account}` has its latest lines"
        raise Refusal("UnknownPart", f"{said}, `perennial journey plan {account}` what comes")
    others = [key for key in [*keys, *(step.key for step in coming)] if key != found["key"]]
    return {**found, "others": others[:_LATEST]}


def _to_come(facts: Facts, step: Step) -> dict[str, Any]:
    playbook, customer = facts.situation.playbook, facts.situation.customer
    return {
        "key": step.key,
        "at": local_time(step.at, customer.account.time_zone).isoformat(timespec="minutes"),
        "what": in_words(step),
        "done": False,
        "to": reader_of(playbook, step),
        "why": reason_of(playbook, customer, step),
        "playbook": playbook.named,
    }


async def _explained(connection: Connection, facts: Facts, one: Done) -> dict[str, Any]:
    """What was done, with the rule in words by the playbook of then."""
    customer = facts.situation.customer
    said = next((line["detail"].get("playbook") for line in one.lines if line["detail"].get("playbook")), one.playbook)
    playbook = await explaining.playbook_named(connection, said) if said else None
    if said is None and facts.record.playbook_since is None:
        account = customer.account
        playbook = await load_playbook(connection, account.segment, account.playbook_version)
    return {
        "key": one.key,
        "at": local_time(one.at, customer.account.time_zone).isoformat(timespec="minutes"),
        "what": "; ".join(line["title"] for line in one.lines) or plain(one.key),
        "done": True,
        "why": _why(facts, one, playbook),
        "playbook": playbook.named if playbook else said or NOT_KNOWN,
        "planned_by": None if one.cause is None else {"key": one.cause.key, "at": one.cause.at.isoformat()},
        "by": await _person(connection, one),
        "facts": _facts(one),
        "messages": [{name: value for name, value in message.items() if name != "said"} for message in one.messages],
        "documents": one.documents,
        "tasks": one.tasks,
        "follows": one.follows,
    }


def _why(facts: Facts, one: Done, playbook: Playbook | None) -> str:
    asked = BY_ACTIVITY.get(Word.parse(one.key).word)
    if asked is not None:
        return f"it was asked: {asked.words}"
    if one.key.startswith("order:"):
        return "an order was activated"
    if playbook is None:
        return f"the rule of then is {NOT_KNOWN}"
    stage, name = StepKey.parse(without_put_off(one.key))
    if not name:
        return plain(one.kind)
    day = facts.situation.customer.day_of(one.at)
    step = Step(kind=one.kind, stage=stage, name=name, at=one.at, on=day)
    return reason_of(playbook, facts.situation.customer, step)


async def _person(connection: Connection, one: Done) -> str | None:
    if one.by is None:
        return None
    known = await staff_rows.find_staff(connection, [one.by])
    return f"{known[one.by].name} ({one.by})" if one.by in known else one.by


def _facts(one: Done) -> dict[str, Any]:
    """What is stored of the facts as of then: those of a condition, those that messages say, the latest score."""
    found: dict[str, Any] = {}
    for line in one.lines:
        found |= {name: value for name, value in line["detail"].items() if name not in ("by", "playbook", "play")}
    for message in one.messages:
        if message["said"]:
            found[f"said in {message['template']}"] = message["said"]
    if one.health is not None:
        found["health"] = one.health
    return found
