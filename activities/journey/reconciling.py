"""A journey brought to the agenda that follows from the facts: one activity, under the account's lock."""

from __future__ import annotations

from temporalio import activity

from activities.frame import effects
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities
from activities.holds import hold_rows
from activities.journey.agenda_facts import load_facts
from activities.journey.standing import load_standing
from domain.frame.calls import RequestCall
from domain.frame.keys import effect_key
from domain.frame.state import Outcome
from domain.journey.agenda import Agenda, Running
from domain.journey.agenda_facts import Facts
from domain.journey.comparing import Difference, compare, mending
from domain.journey.planning import agenda, begun_anew
from domain.journey.requests import Reconcile
from domain.journey.standing import mended
from domain.kernel.refusals import JOURNEY_CLOSED, UNKNOWN_ACCOUNT, Refusal
from domain.kernel.requests import read_request

SHOWN = 200
RUNNING = "running"
"""where a journey puts its own agenda into the request"""


class Reconciling(Activities):
    """What a journey is asked about its agenda."""

    @activity.defn
    async def reconcile(self, call: RequestCall) -> Outcome:
        """What brings the journey to its agenda. Nothing is written but a line of the journal, so that it may be asked again."""
        async with business_errors():
            body = dict(call.body)
            running = Running.model_validate(body.pop(RUNNING))
            request = read_request(Reconcile, body)
            async with self._performer.transaction() as connection:
                await hold_rows.lock_account(connection, call.account_id)
                # A journey from a copy of before may be behind what is on record: planned as of its own time, what was billed
                # after it would look as if it were still to come.
                facts = await load_facts(connection, call.account_id, call.as_of, lost=True)
                if facts is None:
                    said = f"account {call.account_id!r} is not on record; place its first order"
                    raise Refusal(UNKNOWN_ACCOUNT, said)
                if facts.record.closed_at is not None and not running.opened_at:
                    raise Refusal(JOURNEY_CLOSED, "the account was closed; a new order begins a new journey")
                found = agenda(facts)
                standing = await load_standing(connection, facts)
                situation = facts.situation
                zone = situation.customer.account.time_zone
                differences = compare(found, running, situation.as_of, zone, standing)
                if differences:
                    row = effects.JournalRow(
                        effect_key(call.account_id, f"reconcile:{call.request_id}"),
                        facts.now,
                        "relationship",
                        "reconciled",
                        f"Agenda brought to what follows from the facts: {len(differences)} differences",
                        {"by": request.by, "differences": [one.says for one in differences[:SHOWN]]},
                    )
                    await effects.write_journal(connection, call.account_id, [row])
            return mended(_outcome(facts, found, running, differences), standing, running)


def _outcome(facts: Facts, found: Agenda, running: Running, differences: list[Difference]) -> Outcome:
    situation = facts.situation
    new = running.opened_at is None or running.closed
    outcome = begun_anew(facts) if new else mending(found, running, situation.as_of)
    said = [f"{situation.today} Begun anew from what is on record"] if new else []
    answer = {
        "account_id": situation.customer.account.account_id,
        "as_of": facts.now.isoformat(),
        "differences": [{"kind": one.kind.value, "about": one.about, "says": one.says} for one in differences[:SHOWN]],
    }
    over = {"closes": "closed on record"} if facts.record.closed_at is not None else {}
    return outcome.having(answer=answer, **{"said": said} if said else {}, **over)
