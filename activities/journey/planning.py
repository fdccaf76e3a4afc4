"""The agenda that follows from the facts, in the answer of what begins a journey."""

from __future__ import annotations

from collections.abc import Collection

from activities.journey.agenda_facts import load_facts
from activities.journey.standing import load_standing
from activities.kernel.pool import Connection
from domain.frame.calls import RequestCall
from domain.frame.state import Outcome
from domain.journey.planning import agenda, begun_anew, of_contracts
from domain.success import reorder, thanks


async def with_agenda(connection: Connection, call: RequestCall, outcome: Outcome) -> Outcome:
    """The outcome with the whole agenda of a customer whose journey begins with it; none for an account that was closed."""
    facts = await load_facts(connection, call.account_id, call.as_of, lost=True)
    if facts is None or facts.record.closed_at is not None:
        return outcome
    begun, standing = begun_anew(facts), await load_standing(connection, facts)
    return outcome.having(
        account=outcome.account or begun.account,
        health=outcome.health or standing.health,
        attention={**standing.attention, **outcome.attention},
        plan=begun.plan,
        stages=begun.stages,
        deliveries=begun.deliveries,
        pause=begun.pause,
    )


async def with_the_past(connection: Connection, call: RequestCall, outcome: Outcome) -> Outcome:
    """The outcome with what an order of the past shows of a customer whose journey runs: since when they have been with us, and
    how often they order."""
    stages = (thanks.ANNIVERSARIES, reorder.STAGE)
    facts = await load_facts(connection, call.account_id, call.as_of)
    if facts is None:
        return outcome
    found = agenda(facts)
    plan = [step for step in found.plan() if step.stage in stages]
    rhythm = {reorder.STAGE: found.stages[reorder.STAGE]} if reorder.STAGE in found.stages else {}
    return outcome + Outcome(plan=plan, drop=list(stages), stages=rhythm)


async def with_other_business_days(connection: Connection, call: RequestCall, outcome: Outcome) -> Outcome:
    """The outcome with all that lies ahead of a customer whom an order has moved to another country: what leaves on a business day
    leaves on one there."""
    facts = await load_facts(connection, call.account_id, call.as_of)
    return outcome + Outcome(plan=agenda(facts).plan()) if facts is not None else outcome


async def with_contracts(
    connection: Connection, call: RequestCall, outcome: Outcome, contracts: Collection[str], *, check_ins: bool
) -> Outcome:
    """The outcome with what these contracts have brought to the agenda of a journey that runs."""
    facts = await load_facts(connection, call.account_id, call.as_of)
    if facts is None:
        return outcome
    part = of_contracts(agenda(facts), contracts, check_ins=check_ins)
    drop = [f"{thanks.ANNIVERSARIES}/anniversary-*"]
    return outcome + Outcome(plan=part.plan(), drop=drop, stages=dict(part.stages))
