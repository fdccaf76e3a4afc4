"""Contracts and what is owned: notices and ends of terms, days on which something is invoiced, changes that lie ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from domain.assets.model import AssetAction, AssetRecord, Category
from domain.billing import billing
from domain.billing.use import AFTER
from domain.contracts import renewal, renewal_notices, renewal_status
from domain.contracts.changes import SCHEDULED
from domain.contracts.changes import stage_of as change_stage
from domain.contracts.consignments import TransferStatus
from domain.contracts.ending import NO_CHURN, OVER_BEFORE, win_back_step
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.keys import Word
from domain.frame.ownership import POLICY
from domain.frame.state import Stage, Step
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import ContractLife, Facts
from domain.journey.catching_up import next_morning
from domain.journey.success_steps import at_instant

FORGOTTEN_AFTER = timedelta(days=400)
_AMENDMENTS = (
    "amend_assets:",
    "cancel_assets:",
    "give_notice:",
    "convert_contract:",
    "swap_assets:",
    "roll_back:",
    "receive_assets:",
    "transfer_assets:",
)


def renewals(facts: Facts, agenda: Agenda) -> None:
    """The stage of each contract that has not ended, with what comes next and the end of its term."""
    for contract in facts.situation.customer.contracts:
        life = facts.life(contract.contract_id)
        if contract.status == ContractStatus.ENDED or life is None:
            continue
        agenda.tolerated.add(f"{contract.stage}/quote-*")
        if (before := _sold_ahead(facts, contract, life)) is not None:
            agenda.stages[before.stage] = Stage(status=renewal_status.RenewalStatus.ACCEPTED, until=before.term.ends_at)
            _add(facts, agenda, renewal_notices.end_step(before))
        elif contract.status == ContractStatus.GRACE:
            _in_grace(facts, agenda, contract)
        elif contract.status == ContractStatus.DECLINED:
            agenda.stages[contract.stage] = Stage(
                status=renewal_status.RenewalStatus.DECLINED, until=contract.term.ends_at
            )
            _add(facts, agenda, renewal_notices.end_step(contract))
        else:
            _living(facts, agenda, contract, life)


def win_backs(facts: Facts, agenda: Agenda) -> None:
    """Whether a customer comes back is looked at some time after the end of their last contract."""
    lives = {life.contract_id: life for life in facts.record.contracts}
    again = facts.record.reopened_at
    for contract in facts.situation.customer.contracts:
        life = lives.get(contract.contract_id)
        if life is None or life.ended_at is None or contract.status_reason in NO_CHURN:
            continue
        ended_at = life.ended_at
        others = [
            other
            for one in facts.situation.customer.contracts
            if one is not contract and one.status_reason != OVER_BEFORE and (other := lives.get(one.contract_id))
        ]
        if (again is not None and ended_at < again) or any(o.ended_at is None or o.ended_at > ended_at for o in others):
            continue
        step = win_back_step(at_instant(facts, ended_at), contract, ended_at)
        if step is not None and facts.done(step.key) is None and not facts.situation.is_past(facts.as_left(step).at):
            agenda.add(step)


def _sold_ahead(facts: Facts, contract: ContractFacts, life: ContractLife) -> ContractFacts | None:
    """The contract with the term before its latest, while that one is sold and the term before has not been ended."""
    if contract.previous is None or life.term_recorded_at >= contract.previous.ends_at:
        return None
    before = contract.having(term=contract.previous, previous=None)
    return None if _is_over(facts, renewal_notices.end_step(before)) else before


def _is_over(facts: Facts, step: Step) -> bool:
    """True once a step of a contract was done and does not wait for an asset that is on its way elsewhere."""
    return facts.done(step.key) is not None and not _looks_again(facts, step)


def _looks_again(facts: Facts, step: Step) -> list[Step]:
    return [one.step for one in facts.announced(step.kind) if one.step.key.startswith(f"{step.key}~")]


def _add(facts: Facts, agenda: Agenda, step: Step) -> None:
    """A step of a contract, or its next look if it waits."""
    if facts.done(step.key) is None:
        agenda.add(step)
    else:
        agenda.add(*_looks_again(facts, step))


def _in_grace(facts: Facts, agenda: Agenda, contract: ContractFacts) -> None:
    over = facts.last_done(renewal_notices.end_step(contract).key)
    ending = renewal.grace_end_step(at_instant(facts, over[1] if over else contract.term.ends_at), contract)
    agenda.stages[contract.stage] = Stage(status=renewal_status.RenewalStatus.GRACE, until=ending.at)
    _add(facts, agenda, ending)


def _living(facts: Facts, agenda: Agenda, contract: ContractFacts, life: ContractLife) -> None:
    if contract.term.is_open:
        agenda.stages[contract.stage] = Stage(status=renewal_status.RenewalStatus.EVERGREEN)
        return
    said = _notices_said(facts, contract)
    following = notices(facts, contract, life)
    latest = max(said.values(), default=None)
    quoted = latest is not None and life.quoted_at is not None and life.quoted_at >= latest
    if (status := facts.record.renewals.get(contract.stage)) is not None:  # as what was done last left it
        quoted = status == renewal_status.RenewalStatus.QUOTED
    agenda.stages[contract.stage] = Stage(
        status=renewal_status.RenewalStatus.QUOTED if quoted else renewal_status.RenewalStatus.WAITING,
        until=contract.term.ends_at,
    )
    _add(facts, agenda, renewal_notices.end_step(contract))
    if following:
        _add(facts, agenda, following[0])
    for one in facts.announced("renewal_quote"):
        if one.step.stage == contract.stage and (life.quoted_at is None or life.quoted_at < one.by):
            agenda.add(one.step)


def _notices_said(facts: Facts, contract: ContractFacts) -> dict[int, datetime]:
    """When each notice for the term's present dates was done, by its days."""
    found = {}
    for days in renewal_notices.notice_days(facts.situation, contract):
        at = facts.done(renewal_notices.notice_step(facts.situation, contract, days).key)
        if at is not None:
            found[days] = at
    return found


def notices(facts: Facts, contract: ContractFacts, life: ContractLife) -> list[Step]:
    """The notices that are still to come. Of those that were missed only the nearest is left: it speaks for the others too."""
    situation, said = facts.situation, _notices_said(facts, contract)
    as_of = max(situation.as_of, life.term_recorded_at)  # a pause may have begun before it was sold
    if as_of >= contract.term.ends_at:
        return []
    steps = {
        days: renewal_notices.notice_step(situation, contract, days)
        for days in renewal_notices.notice_days(situation, contract)
    }
    waiting = [days for days in said if _looks_again(facts, steps[days])]
    since = _looked_after_since(facts, contract, life)
    left_out = [days for days in steps if facts.by_hand.get(steps[days].key, steps[days]) is None]
    if _left_out_at_its_end(facts, contract, [steps[days].key for days in left_out]):
        return []
    latest = min([*said, *left_out], default=None)
    left = [days for days in steps if (latest is None or days < latest) and (since is None or steps[days].at >= since)]
    missed = [days for days in left if steps[days].at < as_of]
    first = waiting[0] if waiting else min(missed, default=max(left, default=0))
    # One whose day was over when the term was planned came as soon as people read it.
    planned_at = max(life.term_recorded_at, contract.previous.ends_at if contract.previous else life.term_recorded_at)
    if first in steps and steps[first].at < planned_at:
        steps[first] = renewal_notices.notice_step(at_instant(facts, planned_at), contract, first, now=True)
    if first in missed:  # so did one that was merged into it, or was left out, when its day was over
        planned = [one.step for one in facts.announced("renewal_notice") if one.step.key == steps[first].key]
        steps[first] = planned[-1] if planned else steps[first]
    return [steps[days] for days in sorted({first, *left}, reverse=True) if days in steps and days <= first]


def _left_out_at_its_end(facts: Facts, contract: ContractFacts, keys: Sequence[str]) -> bool:
    """True if one of these notices was dropped as the term ended before the next morning: then none is of use."""
    dropped = [at for at, key in facts.left_out(f"{contract.stage}/notice-") if key in keys]
    return any(next_morning(at_instant(facts, at)) >= contract.term.until for at in dropped)


def _looked_after_since(facts: Facts, contract: ContractFacts, life: ContractLife) -> datetime | None:
    """For a term that was taken over as it ran: what was due before was said by somebody else."""
    order = facts.order(life.order_id) if life.order_id else None
    taken_over = order.imported if order else life.origin == "imported"
    return life.recorded_at if taken_over and contract.term.number == 1 else None


# Invoices


def invoices(facts: Facts, agenda: Agenda) -> None:
    """For each contract, and each asset without one, the next day on which something is invoiced or credited."""
    situation, today = facts.situation, _billed_until(facts)
    found: dict[str, list[date]] = {}
    for asset_id, record in situation.records.items():
        if forgotten(facts, record):
            continue
        contract = facts.billing.get(record.asset.contract_id or "")
        due = billing.Due(record, record, contract, facts.billed.get(asset_id, ()))
        settled = billing.settle(due, today, record.asset.time_zone, POLICY)
        days = [line.due for line in settled.lines if line.amount]  # nothing is written of what is given back already
        days += [month.end + AFTER for month in settled.use]
        days += [day] if (day := settled.look_on(contract, facts.now)) is not None else []
        what = f"contract:{contract.contract_id}" if contract else f"asset:{asset_id}"
        found.setdefault(what, []).extend(days)
    for what, days in found.items():
        if days and not _with_next_term(facts, what, min(days)):
            agenda.add(_billing_step(facts, what, min(days)))
    agenda.tolerated.add("billing:*")


def _billed_until(facts: Facts) -> date:
    """The day by which is invoiced. What is asked for in a pause is invoiced all the same."""
    return facts.situation.customer.billing_day(facts.now)


def forgotten(facts: Facts, record: AssetRecord) -> bool:
    """True for what ended so long ago that nothing is invoiced or credited any more."""
    return record.end is not None and record.end < facts.situation.as_of - FORGOTTEN_AFTER


def _with_next_term(facts: Facts, what: str, day: date) -> bool:
    """True if the day is that on which the next term begins: the end of the term before looks at all assets."""
    kind, contract_id = Word.parse(what)
    contract = facts.situation.customer.contract(contract_id) if kind == "contract" else None
    life = facts.life(contract_id)
    if contract is None or life is None or contract.term.start_on != day:
        return False
    return _sold_ahead(facts, contract, life) is not None


def _billing_step(facts: Facts, what: str, day: date) -> Step:
    step = billing.step_on(facts.situation.customer, what, day)
    if facts.done(step.key) is None:
        return step
    return step.having(name=f"{step.name}.{_billed_until(facts)}")


# Changes


def changes_ahead(facts: Facts, agenda: Agenda) -> None:
    """Changes that were agreed for a later day, and assets that are on their way to another account."""
    way = {transfer.request_id: transfer for transfer in facts.record.transfers}
    for request_id, at in _scheduled(facts).items():
        stage = change_stage(request_id)
        step = Step(
            kind="amendment_effective",
            stage=stage,
            name="effective",
            at=at,
            on=facts.situation.customer.day_of(at),
        )
        transfer = way.get(request_id)
        settled_at = facts.done(f"{stage}/{transfer.transfer_id}") if transfer else None
        # What was settled only after it had taken effect is told of then.
        settled = transfer is None or (settled_at is not None and settled_at < at)
        if settled and facts.done(step.key) is None:
            agenda.stages[stage] = Stage(status=SCHEDULED, until=at)
            agenda.add(step)
    for request_id, transfer in way.items():
        stage = change_stage(request_id)
        if facts.done(f"{stage}/{transfer.transfer_id}") is None:
            agenda.stages[stage] = Stage(status=TransferStatus.UNDER_WAY)
            agenda.add(*(one.step for one in facts.announced("amendment_settled") if one.step.stage == stage))


def _scheduled(facts: Facts) -> dict[str, datetime]:
    """The requests that changed assets from a later instant on, with the first such instant."""
    found: dict[str, datetime] = {}
    for record in facts.situation.records.values():
        latest: dict[str, AssetAction] = {}
        for action in record.actions:
            latest[str(action.request_id)] = action
        in_force = {action.sequence for action in record.active}
        for request_id, action in latest.items():
            if action.sequence in in_force and _lies_ahead(facts, request_id, action):
                found[request_id] = min(action.effective, found.get(request_id, action.effective))
    return found


def _decided(facts: Facts, request_id: str, action: AssetAction) -> datetime | None:
    """When a change of assets was agreed: a request has the id under which it was done, a quote that was taken is an order.
    Null for what is told otherwise, such as a sale."""
    if request_id.startswith(_AMENDMENTS):
        return facts.done(request_id) or action.recorded_at
    order = facts.order(action.order_id) if action.order_id and action.category is not Category.INITIAL_SALE else None
    return order.recorded_at if order else None


def _lies_ahead(facts: Facts, request_id: str, action: AssetAction) -> bool:
    """True for what was agreed for a later day."""
    decided = _decided(facts, request_id, action)
    return (
        decided is not None
        and action.effective > decided
        and action.effective != action.lifecycle_end
        and action.category.value != "Renewals"
    )
